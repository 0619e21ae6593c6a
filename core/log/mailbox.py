"""Where callbacks leave things for one reader. The reader may be cancelled while it waits: nothing is lost."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds what was put in until its one reader takes it. With a limit, the oldest go first when it overflows."""

    def __init__(self, *, limit: int | None = None) -> None:
        self._items: deque[T] = deque(maxlen=limit)
        self._arrival: anyio.Event | None = None
        self._failure: Exception | None = None

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        self._items.append(item)
        self.wake()

    def wake(self) -> None:
        """Let a waiting reader look around, though nothing may have come."""
        if self._arrival is not None:
            self._arrival.set()

    def fail(self, failure: Exception) -> None:
        """Nothing will come any more: the reader gets what is left, then this error."""
        self._failure = failure
        self.wake()

    def take_now(self) -> list[T]:
        """Take what is there."""
        taken = list(self._items)
        self._items.clear()
        return taken

    def take_first(self) -> T:
        """Take the oldest; there must be one."""
        return self._items.popleft()

    async def take(self) -> T:
        """Take the oldest, waiting for one if needed."""
        while not self._items:
            await self.wait()
        return self._items.popleft()

    async def wait(self, seconds: float | None = None) -> bool:
        """Return True as soon as something is there; False when woken or when the time is over and nothing is."""
        if self._items:
            return True
        if self._failure is not None:
            raise self._failure
        self._arrival = anyio.Event()
        try:
            if seconds is None:
                await self._arrival.wait()
            else:
                with anyio.move_on_after(seconds):
                    await self._arrival.wait()
        finally:
            self._arrival = None
        return bool(self._items)
