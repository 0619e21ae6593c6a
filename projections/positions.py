"""How far the views and the log lines are, as announced; and waiting for them to get somewhere."""

from __future__ import annotations

from enum import Enum

import anyio

from headwater.core.log.commit import Position


class What(Enum):
    """What has a position of its own."""

    VIEWS = "views"
    LOG_LINES = "log lines"


class Positions:
    """The last announced positions. Announcements may be missed, so no caller waits longer than a moment before it looks for itself."""

    LOOK_SECONDS = 1.0

    def __init__(self) -> None:
        self._reached: dict[What, Position] = dict.fromkeys(What, 0)
        self._changed: dict[What, anyio.Event] = {what: anyio.Event() for what in What}

    def announced(self, what: What, position: Position) -> None:
        self._reached[what] = position
        self._changed[what].set()
        self._changed[what] = anyio.Event()

    def found(self, what: What, position: Position) -> None:
        """Note what a look into the views has found. An announcement of more was not true: it is not to be waited for by looking."""
        self._reached[what] = min(self._reached[what], position)

    async def wait_for(self, what: What, position: Position, *, deadline: float) -> bool:
        """Return True when the position is announced, or when it is time to look whether it was; False when the deadline has passed."""
        with anyio.move_on_at(min(deadline, anyio.current_time() + self.LOOK_SECONDS)):
            while self._reached[what] < position:
                await self._changed[what].wait()
        return anyio.current_time() < deadline
