"""`headwater version`."""

from __future__ import annotations

import typer

from headwater import __version__
from headwater.cli.output import examples

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("headwater version"))
def print_version() -> None:
    """Print the version of this installation."""
    print(__version__)
