"""`headwater version`."""

from __future__ import annotations

from importlib.metadata import version

import typer

from headwater.cli.output import examples

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("headwater version"))
def print_version() -> None:
    """Print the version of this installation."""
    print(version("headwater"))
