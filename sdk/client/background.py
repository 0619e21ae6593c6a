"""One event loop in the background for all synchronous clients of a process, so that they work in scripts, notebooks and threads.

The loop's thread starts with the first call and ends with the process. A client's connection is a task there, ended by the client's
`close`, by its garbage collection, or by the end of the process.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, ExitStack
from typing import Any, Generic, TypeVar

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from anyio.from_thread import BlockingPortal, start_blocking_portal

Held = TypeVar("Held")
Answer = TypeVar("Answer")

_lock = threading.Lock()
_stack = ExitStack()
_portal: BlockingPortal | None = None
_inherited: list[object] = []


def background_loop() -> BlockingPortal:
    """Return the way into the process's background loop, starting it where it does not run yet."""
    global _portal  # noqa: PLW0603 - one loop per process, on purpose
    with _lock:
        if _portal is None:
            _portal = _stack.enter_context(start_blocking_portal(backend="asyncio", name="headwater"))
        return _portal


def _end() -> None:
    """End the loop: what is still held is closed first."""
    global _portal
    with _lock:
        portal, _portal = _portal, None
        if portal is not None:
            portal.call(portal.stop, True)
            _stack.close()


def _forget() -> None:
    """In a forked child the thread does not exist: the next call starts another."""
    global _portal, _lock, _stack
    # Collecting them would wait for a thread that is not there.
    _inherited.append((_portal, _stack))
    _portal, _lock, _stack = None, threading.Lock(), ExitStack()


atexit.register(_end)
os.register_at_fork(after_in_child=_forget)


class BackgroundResource(Generic[Held]):
    """Something asynchronous, opened in the background loop and held open until `close`."""

    def __init__(self, opened: AbstractAsyncContextManager[Held]) -> None:
        self._portal = background_loop()
        self._process = os.getpid()
        _, (self.held, self._loop, self._release) = self._portal.start_task(_hold, opened)

    @property
    def is_open(self) -> bool:
        """Whether it is open in this very process."""
        return self._process == os.getpid() and self._portal is _portal

    def start(self, function: Callable[[], Awaitable[Answer]]) -> Future[Answer]:
        """Run the function in the loop without waiting for it; cancelling the future cancels it."""
        return self._portal.start_task_soon(_awaited, function)

    def call(self, function: Callable[[], Awaitable[Answer]]) -> Answer:
        """Run the function in the loop and return what it returns. An interrupted wait cancels it."""
        future = self.start(function)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Have it closed. Does not wait for that, so it may be called from anywhere, garbage collection included."""
        if self.is_open:
            self._loop.call_soon_threadsafe(self._release.set)


async def _awaited(function: Callable[[], Awaitable[Answer]]) -> Answer:
    return await function()


async def _hold(
    opened: AbstractAsyncContextManager[Any], *, task_status: TaskStatus[tuple[Any, Any, anyio.Event]] = TASK_STATUS_IGNORED
) -> None:
    release = anyio.Event()
    async with opened as held:
        task_status.started((held, asyncio.get_running_loop(), release))
        await release.wait()
