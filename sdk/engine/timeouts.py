"""Time-outs of tasks: they are interrupted, at once in the main thread, elsewhere as soon as they run Python code again."""

from __future__ import annotations

import signal
import threading
import types
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

_INTERRUPTED_WITHIN_SECONDS = 0.2


class TaskTimedOut(Exception):
    """The task took longer than its time-out."""


class _Interruption(BaseException):
    """Raised inside the task when its time is over; no `except Exception` in it catches this."""


def run_with_timeout(function: Callable[[], Any], seconds: float) -> Any:
    """Return what `function` returns.

    In the main thread it is interrupted when its time is over. Elsewhere it is executed in a daemon thread, which can be
    interrupted only between two steps of Python code: while it waits, or computes in a library, it goes on unheeded.

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
    ending = threading.Lock()

    def work() -> None:
        try:
            try:
                result: tuple[Any, BaseException | None] = (function(), None)
            except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
                result = (None, error)
            with ending:
                outcome.append(result)
        except _Interruption:
            # It was on its way when the function ended by itself; whoever sent it waits no more.
            return
        finally:
            done.set()

    thread = threading.Thread(target=copy_context().run, args=(work,), daemon=True, name="headwater-task-with-timeout")
    thread.start()
    if not done.wait(seconds):
        with ending:
            if not outcome:
                _interrupt(thread)
        if done.wait(_INTERRUPTED_WITHIN_SECONDS):
            raise TaskTimedOut(f"The task took longer than {seconds:g} s and was interrupted.")
        raise TaskTimedOut(f"The task took longer than {seconds:g} s. What it waits for cannot be interrupted: it goes on unheeded.")
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def _interrupt(thread: threading.Thread) -> None:
    """Raise an exception in the thread, where it runs Python code next."""
    import ctypes  # rarely needed, and slow to import

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Interruption))
