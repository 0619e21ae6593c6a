"""When something must be looked at, unless it is settled before: kept in memory, waited for without asking anybody."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

import anyio

Key = TypeVar("Key")


class Deadlines(Generic[Key]):
    """At most one deadline for each key. `wait` returns those that are over, in the order in which they were due."""

    def __init__(self) -> None:
        self._when: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._count = 0
        self._earlier = anyio.Event()

    def __len__(self) -> int:
        return len(self._when)

    def __contains__(self, key: Key) -> bool:
        return key in self._when

    def set(self, key: Key, seconds: float) -> None:
        """Have the key looked at in so many seconds, and not when it was to be before."""
        when = anyio.current_time() + max(0.0, seconds)
        self._when[key] = when
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, key))
        if self._heap[0][2] == key:
            self._earlier.set()

    def advance(self, key: Key, seconds: float) -> None:
        """Have the key looked at in so many seconds at the latest."""
        when = self._when.get(key)
        if when is None or when > anyio.current_time() + seconds:
            self.set(key, seconds)

    def clear(self, key: Key) -> None:
        """Look at the key no more."""
        self._when.pop(key, None)

    async def wait(self) -> list[Key]:
        """Return the keys whose deadline is over, at least one, and look at them no more. For one task."""
        while True:
            now = anyio.current_time()
            over: list[Key] = []
            while self._heap and (self._heap[0][0] <= now or self._when.get(self._heap[0][2]) != self._heap[0][0]):
                when, _, key = heapq.heappop(self._heap)
                if self._when.get(key) == when:
                    del self._when[key]
                    over.append(key)
            if over:
                return over
            self._earlier = anyio.Event()
            with anyio.move_on_after(self._heap[0][0] - now if self._heap else None):
                await self._earlier.wait()
