"""Rows of schedules, and of what became of their times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headwater.core.events import ScheduleSpec
from headwater.core.log.commit import Position
from headwater.core.queries.rows.row import Row


class ScheduleRow(Row, frozen=True, kw_only=True):
    """A schedule of a flow. `set_by_user` goes before `registered`; one that has neither was deleted."""

    id: str
    """A UUID, made of the flow's and the slug."""
    flow_group_id: str
    """The id of the flow over all its versions, a UUID."""
    flow_name: str
    """The name of the flow."""
    project_id: str
    """The id of its project, a UUID."""
    project_name: str
    """The name of its project."""
    slug: str
    """What it is called, where the flow has several; empty: the flow's own one."""
    registered: ScheduleSpec | None
    """The times and policies that the flow is registered with; None: it has none."""
    set_by_user: ScheduleSpec | None
    """Those that a user set for the flow over all its versions; None: no user did."""
    active: bool
    """Whether times to come have runs."""
    decided: datetime
    """All times up to this one have their outcomes."""
    pause_cause: str | None
    """Why it is paused: "user", "registration", "failures", "max_runs", "flow_archived" or "project_deleted"; None: it is not."""
    pause_note: str
    """What was said about the pause; may be empty."""
    paused_since: datetime | None
    """Times after this one have no runs; None: it is not paused."""
    paused_until: datetime | None
    """When it goes on by itself; None: it does not."""
    failures: int
    """How many of its runs failed in a row, as far as a policy asks for that."""
    runs_made: int
    """How many runs it has made."""
    last_nominal: datetime | None
    """The last time that has a run; None before the first."""
    last_run_id: str | None
    """That run; None before the first."""
    created: datetime
    """When it was set first."""
    updated: datetime
    """When it was set, paused, resumed or deleted last."""
    updated_by: str
    """Who did that, such as `cli:ana@host`."""
    position: Position
    """The log's position of the last commit on it."""

    @property
    def spec(self) -> ScheduleSpec | None:
        """The times and policies that hold; None where it was deleted."""
        return self.set_by_user or self.registered

    @property
    def called(self) -> str:
        """The name by which commands find it: its flow's, with its slug behind a slash where it has one."""
        return f"{self.flow_name}/{self.slug}" if self.slug else self.flow_name


class ScheduleOutcomeRow(Row, frozen=True, kw_only=True):
    """What became of a time of a schedule, or of a span of times."""

    schedule_id: str
    """The schedule."""
    outcome: str
    """Of the time `nominal`: "fired" or "skipped". Of times over `since` up to it: "caught_up", "set", "deleted". From it on: "paused".
    Up to it: "resumed"."""
    nominal: datetime
    """The time."""
    since: datetime | None
    """Where the span begins; None of a single time."""
    run_id: str | None
    """The run that it has; of one that was skipped, the run that stood in its way."""
    because: str | None
    """Why: the reason it was skipped, the policy it was caught up by, the cause of the pause, or who set or deleted it."""
    detail: str
    """More about it, in words; may be empty."""
    at: datetime
    """When it was recorded."""
    actor: str
    """Who recorded it."""
    position: Position
    """The position of the commit in the log."""
    ordinal: int
    """Its place among those of one commit."""


class BackfillRow(Row, frozen=True, kw_only=True):
    """A backfill: runs for times of a schedule that are over."""

    id: str
    """A UUID."""
    schedule_id: str
    """The schedule whose times it is about."""
    flow_group_id: str
    """The id of the flow over all its versions, a UUID."""
    flow_name: str
    """The name of the flow."""
    slug: str
    """The slug of the schedule; empty: the flow's own one."""
    project_id: str
    """The id of its project, a UUID."""
    project_name: str
    """The name of its project."""
    name: str
    """What people call it; two words."""
    state: str
    """One of "running", "cancelling", "completed" and "cancelled"."""
    choice: str
    """Which times have runs: "missing", "failed" or "all"."""
    since: datetime
    """Where the span begins."""
    until: datetime
    """Where the span ends."""
    times: int
    """How many times have runs in it, or are to have."""
    run_limit: int
    """How many of its runs may be unfinished at once."""
    parameters: dict[str, Any]
    """Values for all its runs, before those of the clocks."""
    started: int
    """How many of the times have runs."""
    succeeded: int
    """How many of its runs succeeded."""
    failed: int
    """How many of its runs failed."""
    cancelled: int
    """How many of its runs were cancelled."""
    created: datetime
    """When it was requested."""
    created_by: str
    """Who requested it."""
    ended: datetime | None
    """When it ended; None while it has not."""
    position: Position
    """The log's position of the last commit on it."""


class ScheduleDayRow(Row, frozen=True, kw_only=True):
    """How often one thing became of a schedule's times on one day."""

    schedule_id: str
    """The schedule."""
    day: int
    """The day: its place among those that were asked for, from 0 on."""
    outcome: str
    """What became of the times, as of `ScheduleOutcomeRow`."""
    because: str | None
    """Why; None where nothing is said."""
    state: str | None
    """Of times that have runs, the state in which these are; None of others, and where the runs were deleted."""
    count: int
    """How many times that were."""
