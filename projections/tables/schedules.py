"""The views of schedules, and of what became of their times."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from headwater.core.events import BackfillRequested, Origin, ScheduleProgress, ScheduleSet
from headwater.core.log.commit import Commit, Position
from headwater.projections.stored_values import json, optional_text, text
from headwater.projections.tables.catalogue import Told
from headwater.projections.tables.view import Column, View

SCHEDULES: View[Told[ScheduleSet]] = View(
    "schedules",
    (
        Column("id", "uuid", lambda told: told.about, findable=True),
        Column("flow_group_id", "uuid", lambda told: told.event.flow_group_id, findable=True),
        Column("project_id", "uuid", lambda told: told.event.project_id, findable=True),
        Column("slug", "text", lambda told: text(told.event.slug), findable=True),
        Column("registered", "json", lambda told: json(told.event.spec) if told.event.origin is Origin.REGISTERED else None, null=True),
        Column("set_by_user", "json", lambda told: json(told.event.spec) if told.event.origin is Origin.USER else None, null=True),
        Column("active", "boolean", default="true", findable=True),
        Column("decided", "timestamptz", lambda told: told.event.until),
        Column("pause_cause", "text", null=True, findable=True),
        Column("pause_note", "text", default="''"),
        Column("paused_since", "timestamptz", null=True),
        Column("paused_until", "timestamptz", null=True),
        Column("failures", "integer", default="0"),
        Column("runs_made", "bigint", default="0"),
        Column("last_nominal", "timestamptz", null=True),
        Column("last_run_id", "uuid", null=True),
        Column("created", "timestamptz", lambda told: told.commit.at, findable=True),
        Column("updated", "timestamptz", lambda told: told.commit.at),
        Column("updated_by", "text", lambda told: text(told.commit.actor)),
        Column("position", "bigint", lambda told: told.position),
    ),
    key=("id",),
    indexes=("schedules_by_flow ON schedules (flow_group_id)",),
    comment="`set_by_user` goes before `registered`; one with neither was deleted. Times up to `decided` have their outcomes.",
)


class ShownProgress(NamedTuple):
    """How far a schedule is after a batch of commits."""

    schedule_id: str
    progress: ScheduleProgress
    last_nominal: datetime | None
    last_run_id: str | None
    position: Position


class ScheduleOutcome(NamedTuple):
    """What became of a time, or of a span of them."""

    schedule_id: str
    position: Position
    ordinal: int
    outcome: str
    nominal: datetime
    since: datetime | None
    run_id: str | None
    because: str | None
    detail: str
    commit: Commit


BACKFILLS: View[Told[BackfillRequested]] = View(
    "backfills",
    (
        Column("id", "uuid", lambda told: told.about, findable=True),
        Column("schedule_id", "uuid", lambda told: told.event.schedule_id, findable=True),
        Column("flow_group_id", "uuid", lambda told: told.event.flow_group_id, findable=True),
        Column("project_id", "uuid", lambda told: told.event.project_id, findable=True),
        Column("name", "text", lambda told: text(told.event.name), findable=True),
        Column("state", "text", lambda _: "running", findable=True),
        Column("choice", "text", lambda told: str(told.event.choice)),
        Column("since", "timestamptz", lambda told: told.event.since),
        Column("until", "timestamptz", lambda told: told.event.until),
        Column("times", "integer", lambda told: len(told.event.times)),
        Column("run_limit", "integer", lambda told: told.event.limit),
        Column("parameters", "json", lambda told: json(told.event.parameters)),
        Column("started", "integer", default="0"),
        Column("succeeded", "integer", default="0"),
        Column("failed", "integer", default="0"),
        Column("cancelled", "integer", default="0"),
        Column("created", "timestamptz", lambda told: told.commit.at, findable=True),
        Column("created_by", "text", lambda told: text(told.commit.actor)),
        Column("created_position", "bigint", lambda told: told.position, shown=False),
        Column("ended", "timestamptz", null=True),
        Column("position", "bigint", lambda told: told.position),
    ),
    key=("id",),
    indexes=("backfills_by_creation ON backfills (created_position)", "backfills_by_schedule ON backfills (schedule_id)"),
    comment="`state` is running, cancelling, completed or cancelled. `succeeded`, `failed` and `cancelled` count its runs that ended.",
)

SCHEDULE_OUTCOMES: View[ScheduleOutcome] = View(
    "schedule_outcomes",
    (
        Column("schedule_id", "uuid", lambda row: row.schedule_id),
        Column("position", "bigint", lambda row: row.position),
        Column("ordinal", "integer", lambda row: row.ordinal),
        Column("outcome", "text", lambda row: row.outcome),
        Column("nominal", "timestamptz", lambda row: row.nominal),
        Column("since", "timestamptz", lambda row: row.since, null=True),
        Column("run_id", "uuid", lambda row: row.run_id, null=True),
        Column("because", "text", lambda row: optional_text(row.because), null=True),
        Column("detail", "text", lambda row: text(row.detail)),
        Column("at", "timestamptz", lambda row: row.commit.at),
        Column("actor", "text", lambda row: text(row.commit.actor)),
    ),
    key=("schedule_id", "position", "ordinal"),
    indexes=("schedule_outcomes_by_time ON schedule_outcomes (schedule_id, nominal)",),
    comment="`outcome`: fired or skipped, of the time `nominal`; caught_up, set, deleted, of those over `since` up to it; paused; resumed.",
)
