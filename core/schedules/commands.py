"""Commands about a schedule. Times are worked out by those who send them; the rules have no calendar and no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any

from headwater.core.events import Origin, PauseCause, ScheduleSpec, SkipReason


@dataclass(frozen=True, kw_only=True)
class SetSchedule:
    """Give the schedule these times, from `at` on. `activate`: end a pause (True), begin one (False), or leave that as it is (None)."""

    schedule_id: str
    flow_group_id: str
    project_id: str
    slug: str
    origin: Origin
    spec: ScheduleSpec
    at: datetime
    activate: bool | None = None
    flow_version: int | None = None


@dataclass(frozen=True)
class DeleteSchedule:
    """Take the times of this origin away."""

    origin: Origin
    at: datetime


@dataclass(frozen=True)
class PauseSchedule:
    at: datetime
    until: datetime | None = None
    note: str = ""
    cause: PauseCause = PauseCause.USER


@dataclass(frozen=True)
class ResumeSchedule:
    """End the pause; with `causes` only one that has one of these."""

    at: datetime
    note: str = ""
    causes: frozenset[PauseCause] | None = None


class RunStanding(Enum):
    """How a run of the schedule stands: what the log says of it now."""

    WAITS_FOR_ITS_TIME = auto()
    """It is scheduled for later."""
    UNFINISHED = auto()
    SUCCEEDED = auto()
    FAILED = auto()
    CANCELLED = auto()


@dataclass(frozen=True)
class TimeDue:
    """A time of the schedule that may have a run now, and the run that it would have. `refused` says why none can be made."""

    nominal: datetime
    due_at: datetime
    run_id: str
    flow_id: str = ""
    clock: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    interval_start: datetime | None = None
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class DecideTimes:
    """Decide what becomes of the times over `decided` up to `until`.

    `times` are those that may have runs; `left_out` counts those that the policy leaves out (None: too many to count), `missed` tells
    whether there were any that are late. `standing` is that of the schedule's open runs. `problem` is why the flow takes no runs at all.
    """

    at: datetime
    until: datetime
    times: tuple[TimeDue, ...] = ()
    left_out: int | None = 0
    missed: bool = False
    standing: Mapping[str, RunStanding] = field(default_factory=dict)
    problem: SkipReason | None = None


ScheduleCommand = SetSchedule | DeleteSchedule | PauseSchedule | ResumeSchedule | DecideTimes
