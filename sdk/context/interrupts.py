"""Ctrl-C and SIGTERM, distinguished from code of the user's that raises KeyboardInterrupt by itself."""

from __future__ import annotations

from collections.abc import Callable

_came: Callable[[], bool] | None = None


def tell_apart(came: Callable[[], bool]) -> None:
    """Have `came` tell from here on whether this process is being interrupted. Without it, every KeyboardInterrupt counts."""
    global _came  # noqa: PLW0603 - signals are per process
    _came = came


def is_interrupt(error: BaseException) -> bool:
    """Tell whether the error is an interrupt from outside, which ends the run; any other error is the task's own."""
    return isinstance(error, KeyboardInterrupt) and (_came is None or _came())


def is_being_interrupted() -> bool:
    """Tell whether this process is the run of an agent and is being interrupted.

    What interrupts it ends the processes that its tasks started, too, and a task may hear of that first: that its pool broke, that its
    command failed. So whatever fails by then counts as interrupted.
    """
    return _came is not None and _came()
