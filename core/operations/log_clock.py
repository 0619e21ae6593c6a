"""The log's clock, as this machine knows it: when runs are due is for the log to say, and clocks of machines differ."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.errors import LogError
from headwater.core.log.heartbeats import clock_words
from headwater.core.log.protocol import Log

TOLERATED = timedelta(seconds=1)
"""A difference up to this is of no consequence, and not spoken of."""
MEASURE_SECONDS = 600.0
"""How often the clocks are compared: they may be set, or stand still while a machine sleeps."""

_NONE = timedelta(0)
_log = logging.getLogger(__name__)


def difference(before: datetime, told: datetime, after: datetime) -> timedelta:
    """Return by how much our clock is behind the one that said its time between our `before` and `after`; negative: ahead of it.

    It is the least that is certain: a slow answer makes no difference of clocks.
    """
    if told > after:
        return told - after
    return told - before if told < before else _NONE


class LogClock:
    """Compares this machine's clock with the log's: a service. `console_log` takes the lines for people, one for each change."""

    def __init__(self, log: Log, clock: Callable[[], datetime], *, console_log: logging.Logger) -> None:
        self._log = log
        self._clock = clock
        self._console_log = console_log
        self._doubtful = anyio.Event()
        self.behind = _NONE
        """By how much this machine's clock is behind the log's; negative: ahead of it. Nothing where that is tolerable."""

    def now(self) -> datetime:
        """Return the time by the log's clock."""
        return self._clock() + self.behind

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Compare the clocks now, after each reconnection, and now and then, until cancelled."""
        forget = self._log.on_reconnect(self._doubt)
        try:
            await self._measure()
            task_status.started()
            while True:
                with anyio.move_on_after(MEASURE_SECONDS):
                    await self._doubtful.wait()
                self._doubtful = anyio.Event()
                await self._measure()
        finally:
            forget()

    def _doubt(self) -> None:
        self._doubtful.set()

    async def _measure(self) -> None:
        before = self._clock()
        try:
            told = (await self._log.events.tail()).now
        except LogError as error:
            _log.debug("The clocks cannot be compared now: %s", error)
            return
        if told is not None:
            self._take(difference(before, told, self._clock()))

    def _take(self, behind: timedelta) -> None:
        known, self.behind = self.behind, behind if abs(behind) > TOLERATED else _NONE
        if abs(self.behind - known) <= TOLERATED:
            return
        if self.behind:
            self._console_log.warning(
                "This machine's clock is %s the log's. Runs start when the log says so; the times that runs record here are wrong by that: "
                "set the clock, or have it set (NTP).",
                clock_words(self.behind.total_seconds()),
            )
        else:
            self._console_log.info("This machine's clock agrees with the log's again.")
