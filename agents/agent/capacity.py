"""How many runs an agent executes at once, and how many it starts at once."""

from __future__ import annotations

import os
from collections.abc import Callable

from headwater.core.errors import InvalidArgument

STARTING_PER_CPU = 4
"""Starting a run is work for the processor. Without this, a thousand runs created at once would become a thousand processes."""


class Slot:
    """One run's place. call `mark_started` when the run has started, `release` it back when the run is over; each may be called again."""

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._starting = self._taken = True

    def mark_started(self) -> None:
        if self._starting:
            self._starting = False
            self._capacity.change(starting=-1)

    def release(self) -> None:
        self.mark_started()
        if self._taken:
            self._taken = False
            self._capacity.change(taken=-1)


class Capacity:
    """Capacity for runs: `limit` of them, or as many as come, but only so many that have not started yet.

    `on_change` is called with whether one is free, when that changes.

    Raises:
        InvalidArgument: the limit is below 1.

    """

    def __init__(self, limit: int | None, on_change: Callable[[bool], None], *, starting_max: int | None = None) -> None:
        if limit is not None and limit < 1:
            raise InvalidArgument(f"An agent's limit must be at least 1, not {limit}.")
        self._limit = limit
        self._on_change = on_change
        self._starting_max = starting_max or STARTING_PER_CPU * (os.cpu_count() or 1)
        self._closed = False
        self._paused = False
        self._one_at_a_time = False
        self._taken = 0
        self._starting = 0

    @property
    def free(self) -> bool:
        """Whether a run would be taken now."""
        below_limit = self._limit is None or self._taken < self._limit
        starting_max = 1 if self._one_at_a_time else self._starting_max
        return not self._closed and not self._paused and below_limit and self._starting < starting_max

    def take(self) -> Slot | None:
        """Take a slot; None where none is free."""
        if not self.free:
            return None
        self.change(taken=1, starting=1)
        return Slot(self)

    def close(self) -> None:
        """Have no free slot from here on."""
        before = self.free
        self._closed = True
        self._notify(before)

    def pause(self) -> None:
        """Have no free slot until `resume`."""
        before = self.free
        self._paused = True
        self._notify(before)

    def resume(self, *, one_at_a_time: bool = False) -> None:
        """Have free slots again; `one_at_a_time`: none while one run is being started."""
        before = self.free
        self._paused, self._one_at_a_time = False, one_at_a_time
        self._notify(before)

    def change(self, *, taken: int = 0, starting: int = 0) -> None:
        """Count; for slots."""
        before = self.free
        self._taken += taken
        self._starting += starting
        self._notify(before)

    def _notify(self, before: bool) -> None:
        if self.free != before:
            self._on_change(self.free)
