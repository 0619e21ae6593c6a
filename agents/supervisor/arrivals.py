"""What arrives for a writer: much of it wakes the writer once, gathers a moment, and can be flushed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio


class Arrivals:
    """The signals between those that add to a queue, its one writer, and those that wait until all of it is written."""

    def __init__(self) -> None:
        self._arrival = anyio.Event()
        self._hurry = anyio.Event()
        self._written = anyio.Event()
        self._flushing = False
        self._is_over = False

    @contextmanager
    def served(self) -> Iterator[None]:
        """Be the writer until the block ends. After that no caller waits for a flush."""
        try:
            yield
        finally:
            self._is_over = True
            self.note_written()

    def wake(self) -> None:
        """Tell the writer that something was added."""
        self._arrival.set()

    async def wait(self, *, gather_seconds: float) -> None:
        """Wait, as the writer, until something arrives, and then for its followers."""
        await self._arrival.wait()
        self._arrival = anyio.Event()
        await self.pause(gather_seconds)

    async def pause(self, seconds: float) -> None:
        """Let more gather, unless a caller wants all to be written now."""
        if not self._flushing:
            self._hurry = anyio.Event()
            with anyio.move_on_after(seconds):
                await self._hurry.wait()

    def note_written(self) -> None:
        """Have those that flush look whether all is written."""
        self._written.set()

    async def flush(self, is_done: Callable[[], bool]) -> None:
        """Hurry the writer, and return when it is done, or has ended."""
        self._flushing = True
        self._hurry.set()
        try:
            while not is_done() and not self._is_over:
                self._written = anyio.Event()
                await self._written.wait()
        finally:
            self._flushing = False
