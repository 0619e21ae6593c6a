"""The time limit of a run's process: a task that outlives its time-out is interrupted from here, and its process ended where that fails."""

from __future__ import annotations

import logging
import math
from datetime import datetime

import anyio
from msgspec.structs import replace

from headwater.agents.attempt_protocol import SuspendAttempt, TimeLimited
from headwater.agents.supervisor.attempt_writer import AttemptWriter
from headwater.agents.supervisor.log_shipping import LogShipper
from headwater.core.events import TaskRunEvent, TaskRunRetryScheduled
from headwater.core.log.protocol import LogLine

RINGS_SECONDS = (0.0, 0.1, 1.0, 2.0, 3.0, 4.0)
"""So long after the time-out the process gets a signal: code may catch one, and none is heard in a call that heeds no signals."""


class TimeLimit:
    """How long the process may go on as it is: until `deadline`, by the clock of the event loop. Then a signal is due, or its end."""

    def __init__(self) -> None:
        self._limited: TimeLimited | None = None
        self._began = 0.0
        self._rings = 0

    def begin(self, limited: TimeLimited) -> None:
        self._limited, self._began, self._rings = limited, anyio.current_time(), 0

    def end(self) -> None:
        self._limited = None

    @property
    def deadline(self) -> float:
        if self._limited is None:
            return math.inf
        grace = self._limited.grace_seconds
        after = min(RINGS_SECONDS[self._rings], grace) if self._rings < len(RINGS_SECONDS) else grace
        return self._began + self._limited.seconds + after

    def due(self) -> int | TimeLimited | None:
        """Return the signal that the process is to get now; the limit, where it is to be ended, and is limited no more; or nothing."""
        limited = self._limited
        if limited is None or anyio.current_time() < self.deadline:
            return None
        if anyio.current_time() < self._began + limited.seconds + limited.grace_seconds:
            self._rings += 1
            return limited.signal
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
