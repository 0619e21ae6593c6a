"""The time limit of a run's process: what outlives a task's time-out, and cannot be interrupted by its own process, is ended from here."""

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


class TimeLimit:
    """How long the process may go on as it is: until `deadline`, by the clock of the event loop."""

    def __init__(self) -> None:
        self.limited: TimeLimited | None = None
        self.deadline = math.inf

    def begin(self, limited: TimeLimited) -> None:
        self.limited = limited
        self.deadline = anyio.current_time() + limited.seconds

    def end(self) -> None:
        self.limited = None
        self.deadline = math.inf

    @property
    def is_over(self) -> bool:
        return anyio.current_time() >= self.deadline


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
