"""How far a long read of the log is, where a terminal shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from headwater.cli.streams import trusting_streams

LONG_FOLD = 20_000
"""Commits from which on a fold takes long enough to show how far it is."""


@contextmanager
def folding(target: int) -> Iterator[Callable[[int], None]]:
    """Show how far a fold up to the position `target` is; what it yields takes the position that was reached."""
    import sys

    if target < LONG_FOLD or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bar = Progress(TextColumn("Folding the log"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True), transient=True)
    with trusting_streams(), bar:
        task = bar.add_task("", total=target)
        yield lambda position: bar.update(task, completed=position)
