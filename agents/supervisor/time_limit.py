"""The time limit of a run's process: a task that outlives its time-out is interrupted from here, and its process ended where that fails."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import datetime

import anyio
from msgspec.structs import replace

from headwater.agents.attempt_protocol import SuspendAttempt, TimeLimited
from headwater.agents.supervisor.attempt_writer import AttemptWriter
from headwater.agents.supervisor.log_shipping import LogShipper
from headwater.core.events import TaskRunEvent, TaskRunRetryScheduled
from headwater.core.log.protocol import LogLine

RING_AGAIN_SECONDS = 0.5
"""So often the process gets its signal: code may catch one, and none is heard in a call that heeds no signals."""
PIECES_SURELY_READ = 20_000
"""So many pieces are never under way: what was sent before as many were read has been read."""


class TimeLimit:
    """How long the process may go on as it is. `ring` sends it its signal; it runs beside whatever else is done for the attempt."""

    def __init__(self) -> None:
        self._limited: TimeLimited | None = None
        self._changed = anyio.Event()
        self._rings_at = math.inf
        self._first_ring_at = math.inf
        self._read_since = 0

    def begin(self, limited: TimeLimited) -> None:
        self._limited = limited
        self._rings_at, self._first_ring_at, self._read_since = anyio.current_time() + limited.seconds, math.inf, 0
        self._changed.set()

    def end(self) -> None:
        self._limited = None
        self._rings_at = self._first_ring_at = math.inf

    async def ring(self, send_signal: Callable[[int], None]) -> None:
        """Interrupt what outlives its time, again and again, until it is known to have ended. One signal too many does no harm."""
        while True:
            with anyio.move_on_at(self._rings_at):
                await self._changed.wait()
            self._changed = anyio.Event()
            now = anyio.current_time()
            if self._limited is not None and now >= self._rings_at:
                self._first_ring_at = min(self._first_ring_at, now)
                self._rings_at = now + RING_AGAIN_SECONDS
                send_signal(self._limited.signal)

    @property
    def deadline(self) -> float:
        """When the process is to be ended, by the clock of the event loop, unless it says by then that the task has ended."""
        return math.inf if self._limited is None else self._first_ring_at + self._limited.grace_seconds

    def outlived(self, *, is_all_read: bool) -> TimeLimited | None:
        """Return the limit, which holds no more then, where the process is to be ended now; call it after each piece that was read.

        It is not, while the process may have said in time that the task has ended, and that was not read yet.
        """
        if self._limited is None or anyio.current_time() < self.deadline:
            return None
        self._read_since += 1
        if not is_all_read and self._read_since < PIECES_SURELY_READ:
            return None
        limited = self._limited
        self.end()
        return limited


def record_outlived(limited: TimeLimited, writer: AttemptWriter, shipper: LogShipper, now: datetime) -> SuspendAttempt:
    """Record and log that the task run outlived its time; return the request by which the rest of the run goes on in another process."""
    slug, map_index = "", -1
    if isinstance(limited.event, TaskRunEvent):
        slug, map_index = limited.event.slug, limited.event.map_index
        writer.record(_as_of(limited.event, now))
    shipper.add(LogLine(now, logging.ERROR, "headwater.FlowRunner", limited.message, slug, map_index))
    return SuspendAttempt(now, limited.message, limited.resumed)


def _as_of(event: TaskRunEvent, now: datetime) -> TaskRunEvent:
    """Return the event as of now; a retry is due as long after it as it was when the time limit began."""
    if isinstance(event, TaskRunRetryScheduled):
        return replace(event, at=now, due_at=now + (event.due_at - event.at))
    return replace(event, at=now)
