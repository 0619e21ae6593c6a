"""Ctrl-C and SIGTERM, distinguished from code of the user's that raises KeyboardInterrupt by itself."""

from __future__ import annotations

from collections.abc import Callable


def _always() -> bool:
    return True


_came: Callable[[], bool] = _always


def tell_apart(came: Callable[[], bool]) -> None:
    """Have `came` tell from here on whether a user interrupts this process. Without it, every KeyboardInterrupt counts."""
    global _came  # noqa: PLW0603 - signals are per process
    _came = came


def is_interrupt(error: BaseException) -> bool:
    """Tell whether the error is an interrupt from outside, which ends the run; any other error is the task's own."""
    return isinstance(error, KeyboardInterrupt) and _came()
