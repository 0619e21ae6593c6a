"""Time-outs of tasks: they are interrupted, at once in the main thread, elsewhere as soon as they run Python code again."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, NoReturn, Protocol

from headwater.sdk.context.values import current_values

_INTERRUPTED_WITHIN_SECONDS = 0.2
INSIST_SECONDS = 1.0
"""So long after its time-out, a task that took the alarm away is interrupted as Ctrl-C would."""
END_SECONDS = 5.0
"""So long after its time-out, the process of a task that nothing interrupts is ended."""
STATUS_STUCK = 70
RING_SIGNAL = getattr(signal, "SIGURG", signal.SIGINT)
"""What interrupts a task from outside. Tasks do not use it, and a process that has no handler for it passes over it."""


class TaskTimedOut(Exception):
    """The task took longer than its time-out."""


class _Interruption(BaseException):
    """Raised inside the task when its time is over; no `except Exception` in it catches this."""


def end_process(_: dict[str, Any], seconds: float) -> NoReturn:
    """End this process, which a task holds that nothing interrupts."""
    sentence = f"A task with a time-out of {seconds:g} s cannot be interrupted: its process is ended {END_SECONDS:g} s later."
    print(sentence, file=sys.__stderr__, flush=True)
    os._exit(STATUS_STUCK)


when_stuck: Callable[[dict[str, Any], float], None] = end_process
"""Called in another thread, with the context of the task and its time-out, when nothing interrupts it; ends the process."""


def on_stuck(handler: Callable[[dict[str, Any], float], None]) -> None:
    """Have this called from here on when a task of this process cannot be interrupted."""
    global when_stuck  # noqa: PLW0603 - signals are per process
    when_stuck = handler


class TimeLimitListener(Protocol):
    """Who watches from outside over the time-outs that hold in the main thread: no thread of this process has to."""

    def began(self, context: dict[str, Any], seconds: float) -> bool:
        """A task with this context and this time-out is executed from now on.

        Return whether it is watched: this process gets `RING_SIGNAL` when the time is over, and is ended where that interrupts nothing.
        """
        ...

    def ended(self) -> None:
        """It is executed no more."""
        ...


_listener: TimeLimitListener | None = None


def listen_to_time_limits(listener: TimeLimitListener | None) -> None:
    """Have this told from here on which time-outs hold in the main thread; None: a thread of this process watches over them."""
    global _listener  # noqa: PLW0603 - signals are per process
    _listener = listener


def run_with_timeout(function: Callable[[], Any], seconds: float) -> Any:
    """Return what `function` returns.

    In the main thread it is interrupted when its time is over; where it has taken the alarm away and nothing else interrupts it either,
    its process is ended 5 seconds later. Elsewhere it is executed in a daemon thread, which can be interrupted only between two steps of
    Python code: while it waits, or computes in a library, it goes on unheeded.

    Raises:
        TaskTimedOut: it took longer than `seconds`.

    """
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "pthread_kill"):
        return _interrupted(function, seconds)
    return _left_behind(function, seconds)


class _Alarm:
    """Interrupts the main thread when the time is over, by ever stronger means. Its own thread sees to that: a task may set timers too."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._context = current_values.get()
        self._turn = threading.Lock()
        self._over = threading.Event()
        self.rang = False
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._previous = signal.signal(signal.SIGALRM, self._on_alarm)
        threading.Thread(target=self._watch, name="headwater-time-out", daemon=True).start()

    def _on_alarm(self, _: int, __: types.FrameType | None) -> None:
        if self.rang and not self._over.is_set():
            raise _Interruption

    def _watch(self) -> None:
        main = threading.main_thread()
        for seconds, interrupt in (
            (self._seconds, self._ring),
            (INSIST_SECONDS, self._insist),
            (END_SECONDS - INSIST_SECONDS, lambda _: when_stuck(self._context, self._seconds)),
        ):
            if self._over.wait(min(seconds, threading.TIMEOUT_MAX)):
                return
            with self._turn:
                if self._over.is_set():
                    return
                self.rang = True
                interrupt(main)

    def _ring(self, main: threading.Thread) -> None:
        if signal.getsignal(signal.SIGALRM) == self._on_alarm:
            signal.pthread_kill(main.ident or 0, signal.SIGALRM)
        else:
            _raise_in(main, _Interruption)

    def _insist(self, main: threading.Thread) -> None:
        _raise_in(main, _Interruption)
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.pthread_kill(main.ident or 0, signal.SIGINT)

    def stop(self) -> None:
        """Interrupt no call any more."""
        with self._turn:
            self._over.set()
            if self.rang:
                _raise_in(threading.main_thread(), None)

    def remove(self) -> None:
        """Leave the alarm as it was found. One that the task kept waiting comes now, and means nothing."""
        signal.signal(signal.SIGALRM, self._on_alarm)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        signal.signal(signal.SIGALRM, self._previous)

    def close(self) -> None:
        self.stop()
        self.remove()


class _AlarmFromOutside:
    """Interrupts the main thread when another process rings, once the time is over. It needs no thread."""

    def __init__(self, due: float) -> None:
        self._due = due
        self._over = False
        self.rang = False
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._previous = signal.signal(RING_SIGNAL, self._on_ring)

    def _on_ring(self, _: int, __: types.FrameType | None) -> None:
        if not self._over and time.monotonic() >= self._due:
            self.rang = True
            raise _Interruption

    def stop(self) -> None:
        """Interrupt no call any more."""
        self._over = True

    def close(self) -> None:
        self.stop()
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        signal.signal(RING_SIGNAL, self._previous)


def _interrupted(function: Callable[[], Any], seconds: float) -> Any:
    listener = _listener
    due = time.monotonic() + seconds
    try:
        if listener is not None and not listener.began(current_values.get(), seconds):
            listener = None
        return _called(function, seconds, _Alarm(seconds) if listener is None else _AlarmFromOutside(due))
    finally:
        if listener is not None:
            listener.ended()


def _called(function: Callable[[], Any], seconds: float, alarm: _Alarm | _AlarmFromOutside) -> Any:
    try:
        try:
            return function()
        finally:
            alarm.stop()
    except BaseException:  # what is interrupted anywhere may stumble over its own clean-up
        if not alarm.rang:
            raise
        raise TaskTimedOut(f"The task took longer than {seconds:g} s and was interrupted.") from None
    finally:
        # Once more: the interruption may have come while the alarm was being stopped.
        alarm.close()


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
            # It was on its way when the function ended by itself; its sender waits no more.
            return
        finally:
            done.set()

    thread = threading.Thread(target=copy_context().run, args=(work,), daemon=True, name="headwater-task-with-timeout")
    thread.start()
    if not done.wait(min(seconds, threading.TIMEOUT_MAX)):
        with ending:
            if not outcome:
                _raise_in(thread, _Interruption)
        if done.wait(_INTERRUPTED_WITHIN_SECONDS):
            raise TaskTimedOut(f"The task took longer than {seconds:g} s and was interrupted.")
        raise TaskTimedOut(f"The task took longer than {seconds:g} s. What it waits for cannot be interrupted: it goes on unheeded.")
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def _raise_in(thread: threading.Thread, error: type[BaseException] | None) -> None:
    """Raise an exception in the thread, where it runs Python code next; None takes back one that was not raised yet."""
    import ctypes  # rarely needed, and slow to import

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(error) if error is not None else None)
