"""Time-outs of tasks. In the main thread the task is interrupted; elsewhere it can only be left behind."""

from __future__ import annotations

import signal
import threading
import types
from collections.abc import Callable
from contextvars import copy_context
from typing import Any


class TaskTimedOut(Exception):
    """The task took longer than its time-out."""


class _Interruption(BaseException):
    """Raised inside the task when its time is over; no `except Exception` in it catches this."""


def run_with_timeout(function: Callable[[], Any], seconds: float) -> Any:
    """Return what `function` returns.

    In the main thread it is interrupted when its time is over. In other threads nothing can interrupt it: it goes on
    in a daemon thread, and what it returns is ignored.

    Raises:
        TaskTimedOut: it took longer than `seconds`.

    """
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        return _interrupted(function, seconds)
    return _left_behind(function, seconds)


def _interrupted(function: Callable[[], Any], seconds: float) -> Any:
    armed = True

    def on_alarm(_: int, __: types.FrameType | None) -> None:
        if armed:
            raise _Interruption

    previous = signal.signal(signal.SIGALRM, on_alarm)
    remaining, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            return function()
        finally:
            # From here on an alarm comes too late to mean anything, and must not be raised out of the clean-up below.
            armed = False
    except _Interruption:
        raise TaskTimedOut(f"The task took longer than {seconds:g} s and was interrupted.") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, remaining)
        signal.signal(signal.SIGALRM, previous)


def _left_behind(function: Callable[[], Any], seconds: float) -> Any:
    outcome: list[tuple[Any, BaseException | None]] = []
    done = threading.Event()

    def work() -> None:
        try:
            outcome.append((function(), None))
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            outcome.append((None, error))
        finally:
            done.set()

    threading.Thread(target=copy_context().run, args=(work,), daemon=True, name="headwater-task-with-timeout").start()
    if not done.wait(seconds):
        raise TaskTimedOut(f"The task took longer than {seconds:g} s; it could not be interrupted and goes on unheeded.")
    value, error = outcome[0]
    if error is not None:
        raise error
    return value
