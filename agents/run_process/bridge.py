"""Calls from the thread that runs the flow into the thread that talks to the log, which the flow's code may have broken.

A task that closes descriptors that are not its own takes the event loop of that thread away: calls into it would never be answered.
A thread must not wait for what is dead: here it is found out, and the process ends; its agent sees that, and records it.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LOOK_SECONDS = 1.0
ANSWER_SECONDS = 0.5
ANSWERS_MISSED_MAX = 10
"""So often a loop that lives may be waited for in vain: it answers in between two steps of any of its tasks."""


class RunSessionGone(BaseException):
    """The thread that talks to the log is gone. Not an Exception: no code of a flow's is to take it for one of its own errors."""

    def __init__(self) -> None:
        super().__init__(
            "The thread that talks to the log is gone, so this process cannot go on: did the flow's code close files or sockets that it "
            "did not open?"
        )


class Bridge:
    """Calls into the event loop of the thread that it is made in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.current_thread()
        self._process_id = os.getpid()
        self._looked_at = time.monotonic()
        self._pong: threading.Event | None = None
        self._missed = 0

    def call(self, work: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """Do asynchronous work in the other thread and return what it returns, or raise what it raises.

        Raises:
            RunSessionGone: there is no session any more to do it.

        """
        self._check_thread()
        future = asyncio.run_coroutine_threadsafe(work(*args), self._loop)
        while True:
            try:
                return future.result(LOOK_SECONDS)
            except TimeoutError:
                if future.done():  # the work's own
                    return future.result()
                if not self._answers():
                    raise RunSessionGone from None

    def is_gone(self) -> bool:
        """Tell whether the other thread is gone. Waits for nothing: it asks, and looks later whether there was an answer."""
        if self._process_id != os.getpid() or not self._thread.is_alive():
            return True
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now
        if self._pong is not None and not self._pong.is_set():
            self._missed += 1
            return self._missed >= ANSWERS_MISSED_MAX
        self._missed, self._pong = 0, threading.Event()
        self._loop.call_soon_threadsafe(self._pong.set)
        return False

    def _check_thread(self) -> None:
        # A child that a task forked has the memory of its parent, and none of its threads.
        if self._process_id != os.getpid() or not self._thread.is_alive() or self._loop.is_closed():
            raise RunSessionGone

    def _answers(self) -> bool:
        answered = threading.Event()
        try:
            self._check_thread()
            self._loop.call_soon_threadsafe(answered.set)
        except (RunSessionGone, RuntimeError):
            return False
        # Counted in steps of this thread: while the whole process is stopped, no answer is late.
        return any(answered.wait(ANSWER_SECONDS) or not self._thread.is_alive() for _ in range(ANSWERS_MISSED_MAX)) and answered.is_set()
