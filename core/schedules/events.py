"""What can have happened to a schedule: when a flow runs by itself, and what came of each of its times."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from headwater.core.calendar.policies import Missed, SchedulePolicies
from headwater.core.event import Event
from headwater.core.values.limits import Instant, Int32, Int64, Name, Uuid


class Origin(StrEnum):
    """Who gave a schedule its times."""

    REGISTERED = "registered"
    """The flow's code: each registration gives them again."""
    USER = "user"
    """A user or a program, for the flow over all its versions: these times go before the registered ones."""


class PauseCause(StrEnum):
    """Why a schedule was paused."""

    USER = "user"
    REGISTRATION = "registration"
    """It was registered as not active."""
    FAILURES = "failures"
    """So many of its runs failed in a row as its policy allows."""
    MAX_RUNS = "max_runs"
    """It has made as many runs as its policy allows."""
    FLOW_ARCHIVED = "flow_archived"
    """No version of its flow takes runs."""
    PROJECT_DELETED = "project_deleted"


class SkipReason(StrEnum):
    """Why a time has no run."""

    OVERLAP = "overlap"
    """An earlier run of the schedule had not ended."""
    FLOW_ARCHIVED = "flow_archived"
    PROJECT_DELETED = "project_deleted"
    REFUSED = "refused"
    """No run can be made as the schedule asks for it; `detail` says why."""


class ScheduleSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """The times of a schedule, as `Schedule.serialize` writes them, and its policies."""

    timetable: dict[str, Any]
    policies: SchedulePolicies = SchedulePolicies()


class Pause(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pause that holds. Times after `since` have it as their outcome; it ends by itself at `until`, where it has one."""

    cause: PauseCause
    since: Instant
    until: Instant | None = None
    note: str = ""


class OpenRun(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """A run of the schedule that had not ended when it was looked at last. `clock` tells apart runs with other parameters or labels."""

    run_id: Uuid
    clock: str = ""
    waits: bool = False
    """Whether it was made to wait for an earlier one."""


class ScheduleDefinition(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a schedule is: whose it is, and its times."""

    schedule_id: Uuid
    flow_group_id: Uuid
    project_id: Uuid
    slug: Name = ""
    registered: ScheduleSpec | None = None
    user: ScheduleSpec | None = None

    @property
    def spec(self) -> ScheduleSpec | None:
        """The times that hold: those that users set go before the registered ones. None: it has none."""
        return self.user or self.registered


class ScheduleProgress(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How far a schedule is after an event: every time up to `decided` has its outcome.

    `generation` grows whenever what is to come changes: a wake-up of an older one tells nothing new.
    """

    decided: Instant
    generation: Int32 = 0
    pause: Pause | None = None
    open_runs: tuple[OpenRun, ...] = ()
    failures: Int32 = 0
    """So many of its runs failed since the last one that succeeded."""
    runs_made: Int64 = 0
    last_runs: tuple[Uuid, ...] = ()
    """The runs of the times that were decided last: until others are, it is not sure that all of them were made."""


class ScheduleSet(Event, tag="schedule.set", frozen=True, kw_only=True):
    """The schedule has these times from `since` on. Times of before that had no outcome yet have this as theirs.

    In every event of a schedule `after` tells how it is after the last event of its commit, and `definition` what it is, where that is
    short: the last commit suffices then to know all of it.
    """

    schedule_id: Uuid
    flow_group_id: Uuid
    project_id: Uuid
    slug: Name = ""
    origin: Origin
    spec: ScheduleSpec
    since: Instant
    until: Instant
    """Times over `since` up to here, of what held before, were replaced; the new times begin after it."""
    flow_version: Int64 | None = None
    after: ScheduleProgress | None = None
    definition: ScheduleDefinition | None = None


class ScheduleDeleted(Event, tag="schedule.deleted", frozen=True, kw_only=True):
    """The times of this origin are gone. Where the schedule has none left, it makes no more runs."""

    origin: Origin
    since: Instant
    until: Instant
    after: ScheduleProgress | None = None
    definition: ScheduleDefinition | None = None


class SchedulePaused(Event, tag="schedule.paused", frozen=True, kw_only=True):
    """Times over `since` have no runs until the schedule is resumed, or until `until`."""

    cause: PauseCause
    since: Instant
    until: Instant | None = None
    note: str = ""
    after: ScheduleProgress | None = None
    definition: ScheduleDefinition | None = None


class ScheduleResumed(Event, tag="schedule.resumed", frozen=True, kw_only=True):
    """Times after `at` have runs again."""

    at: Instant
    note: str = ""
    after: ScheduleProgress | None = None
    definition: ScheduleDefinition | None = None


class ScheduleFired(Event, tag="schedule.fired", frozen=True, kw_only=True):
    """This time has a run. The event holds all that a server needs to create it."""

    nominal: Instant
    run_id: Uuid
    flow_id: Uuid
    due_at: Instant
    clock: str = ""
    parameters: dict[str, Any] = {}
    labels: tuple[str, ...] | None = None
    after_run_id: Uuid | None = None
    """The run waits until this one has ended."""
    cancels: tuple[Uuid, ...] = ()
    """Runs that are cancelled for it."""
    interval_start: Instant | None = None
    """The run stands for the time from here to `nominal`."""
    after: ScheduleProgress | None = None
    definition: ScheduleDefinition | None = None


class ScheduleSkipped(Event, tag="schedule.skipped", frozen=True, kw_only=True):
    """This time has no run; `run_id` is the run that stood in its way."""

    nominal: Instant
    because: SkipReason
    clock: str = ""
    run_id: Uuid | None = None
    detail: str = ""
    after: ScheduleProgress | None = None
    definition: ScheduleDefinition | None = None


class ScheduleCaughtUp(Event, tag="schedule.caught_up", frozen=True, kw_only=True):
    """Times over `since` up to `until` were missed: `made` have runs, told by events of their own, and the others have this as outcome."""

    since: Instant
    until: Instant
    policy: Missed
    made: Int32
    left_out: Int32 | None
    """How many have no run; None: too many to count."""
    after: ScheduleProgress | None = None
    definition: ScheduleDefinition | None = None


ScheduleEvent = ScheduleSet | ScheduleDeleted | SchedulePaused | ScheduleResumed | ScheduleFired | ScheduleSkipped | ScheduleCaughtUp
