"""How many runs an agent executes at once."""

from __future__ import annotations

from collections.abc import Callable

from headwater.core.errors import InvalidArgument


class Slots:
    """Slots for runs: `limit` of them, or as many as come. `on_change` is called with whether one is free, when that changes."""

    def __init__(self, limit: int | None, on_change: Callable[[bool], None]) -> None:
        if limit is not None and limit < 1:
            raise InvalidArgument(f"An agent's limit must be at least 1, not {limit}.")
        self._limit = limit
        self._on_change = on_change
        self._closed = False
        self.taken = 0

    @property
    def free(self) -> bool:
        return not self._closed and (self._limit is None or self.taken < self._limit)

    def take(self) -> bool:
        """Take a slot; tell whether there was one."""
        before = self.free
        if before:
            self.taken += 1
            self._tell(before)
        return before

    def give(self) -> None:
        """Free a slot."""
        before = self.free
        self.taken -= 1
        self._tell(before)

    def close(self) -> None:
        """Have no free slot from here on."""
        before = self.free
        self._closed = True
        self._tell(before)

    def _tell(self, before: bool) -> None:
        if self.free != before:
            self._on_change(self.free)
