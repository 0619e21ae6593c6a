"""Ctrl-C and SIGTERM, distinguished from code of the user's that raises KeyboardInterrupt by itself."""

from __future__ import annotations

import sys
from collections.abc import Callable

_came: Callable[[], bool] | None = None


def tell_apart(came: Callable[[], bool]) -> None:
    """Have `came` tell from here on whether this process is being interrupted. Without it, every KeyboardInterrupt counts."""
    global _came  # noqa: PLW0603 - signals are per process
    _came = came


def is_interrupt(error: BaseException) -> bool:
    """Tell whether the error is an interrupt from outside, which ends the run; any other error is the task's own."""
    return isinstance(error, KeyboardInterrupt) and (_came is None or _came())


def is_pool_ended_by_interrupt(error: BaseException) -> bool:
    """Tell whether the error is that a pool of the task's own broke while this process is being interrupted.

    What interrupts the process of a run ends the processes of its pools, too, and the task may hear of that first.
    """
    futures = sys.modules.get("concurrent.futures")  # a task that has not imported it has no pool
    is_broken = futures is not None and isinstance(error, futures.BrokenExecutor)
    return is_broken and _came is not None and _came()
