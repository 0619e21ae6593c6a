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

    def __init__(self, *, look_seconds: float = 1.0) -> None:
        self._look_seconds = look_seconds
        self._reached: dict[What, Position] = dict.fromkeys(What, 0)
        self._changed: dict[What, anyio.Event] = {what: anyio.Event() for what in What}
        self._announcements: dict[What, int] = dict.fromkeys(What, 0)

    def announced(self, what: What, position: Position) -> None:
        self._reached[what] = position
        self._announcements[what] += 1
        self._changed[what].set()
        self._changed[what] = anyio.Event()

    def announcements(self, what: What) -> int:
        """Return how many were made; ask before a look into the views, and give it to `found` afterwards."""
        return self._announcements[what]

    def found(self, what: What, position: Position, *, announcements: int) -> None:
        """Note what a look into the views has found.

        An announcement of more that came before the look was not true: it is not to be waited for by looking. One that came during the
        look may be.
        """
        if self._announcements[what] == announcements:
            self._reached[what] = min(self._reached[what], position)

    async def wait_for(self, what: What, position: Position, *, deadline: float) -> bool:
        """Return True when the position is announced, or when it is time to look whether it was; False when the deadline has passed."""
        with anyio.move_on_at(min(deadline, anyio.current_time() + self._look_seconds)):
            while self._reached[what] < position:
                await self._changed[what].wait()
        return anyio.current_time() < deadline
