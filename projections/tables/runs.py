"""The views of runs: the runs themselves, the states they were in, and how many are in each state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from headwater.core.log.commit import Commit, Position
from headwater.core.runs.run_head import RunHead
from headwater.projections.fold.known_run import KnownRun
from headwater.projections.stored_values import json, optional_json, optional_text, text, texts
from headwater.projections.tables.view import Column, View


def _schedule_of(run: KnownRun) -> str | None:
    return None if run.created.scheduled_by is None else run.created.scheduled_by.schedule_id


def _nominal_of(run: KnownRun) -> datetime | None:
    return None if run.created.scheduled_by is None else run.created.scheduled_by.nominal


RUNS: View[KnownRun] = View(
    "runs",
    (
        Column("id", "uuid", lambda run: run.run_id, findable=True),
        Column("created_position", "bigint", lambda run: run.created_position, shown=False),
        Column("flow_id", "uuid", lambda run: run.created.flow_id, findable=True),
        Column("flow_group_id", "uuid", lambda run: run.flow_group_id, findable=True),
        Column("flow_name", "text", lambda run: text(run.created.flow_name), findable=True),
        Column("project_id", "uuid", lambda run: run.project_id, findable=True),
        Column("project_name", "text", lambda run: text(run.created.project_name), findable=True),
        Column("version", "bigint", lambda run: run.created.flow_version, findable=True),
        Column("queue_id", "text", lambda run: text(run.created.queue_id)),
        Column("labels", "text[]", lambda run: texts(run.created.labels), findable=True),
        Column("parameters", "json", lambda run: json(run.created.parameters)),
        Column("context", "json", lambda run: json(run.created.context)),
        Column("run_config", "json", lambda run: json(run.created.run_config)),
        Column("idempotency_key", "text", lambda run: optional_text(run.created.idempotency_key), null=True, findable=True),
        Column("schedule_id", "uuid", _schedule_of, null=True, findable=True),
        Column("nominal", "timestamptz", _nominal_of, null=True, findable=True),
        Column("scheduled_by", "json", lambda run: optional_json(run.created.scheduled_by), null=True),
        Column("created", "timestamptz", lambda run: run.created_at, findable=True),
        Column("created_by", "text", lambda run: text(run.created_by), findable=True),
        Column("name", "text", lambda run: text(run.head.name), changes=True, findable=True),
        Column("state", "text", lambda run: run.head.state, changes=True, findable=True),
        Column("state_message", "text", lambda run: text(run.head.message), changes=True, findable=True),
        Column("scheduled_start_time", "timestamptz", lambda run: run.head.scheduled_for, null=True, changes=True, findable=True),
        Column("start_time", "timestamptz", lambda run: run.head.started_at, null=True, changes=True, findable=True),
        Column("end_time", "timestamptz", lambda run: run.head.ended_at, null=True, changes=True, findable=True),
        Column("attempt", "integer", lambda run: run.head.attempt, changes=True, findable=True),
        Column("held", "boolean", lambda run: run.head.held, changes=True, shown=False),
        Column("agent_id", "text", lambda run: run.head.agent_id or None, null=True, changes=True, findable=True),
        Column("agent_name", "text", lambda run: text(run.head.agent_name) if run.head.agent_id else None, null=True, changes=True),
        Column("cancel_requested", "boolean", lambda run: run.head.cancel_requested, changes=True),
        Column("failure", "json", lambda run: optional_json(run.head.failure), null=True, changes=True),
        Column("position", "bigint", lambda run: run.position, changes=True),
    ),
    key=("id",),
    comment="`created_position` orders runs by their creation: unique, and steady while a reader pages through them.",
    options="fillfactor = 90",
    index_comment="Every listing goes through one of these, state by state, newest first. That of all runs is of an expression: listings\n"
    "of a flow, a project or a queue do not use it. Where few of these have a state, the planner would walk through all that do.",
    indexes=(
        "runs_by_state ON runs ((state || ''), created_position)",
        "runs_by_flow ON runs (flow_group_id, state, created_position)",
        "runs_by_version ON runs (flow_id, state, created_position)",
        "runs_by_project ON runs (project_id, state, created_position)",
        "runs_by_queue ON runs (queue_id, state, created_position)",
        "runs_by_name ON runs (name, created_position)",
        "runs_by_scheduled_start ON runs (scheduled_start_time)",
        "runs_by_due_time ON runs (scheduled_start_time, created_position) WHERE state = 'Scheduled'",
        "runs_by_start ON runs (start_time) WHERE start_time IS NOT NULL",
        "runs_by_creation ON runs (created, state)",
        "runs_by_agent ON runs (agent_id, created_position) WHERE agent_id IS NOT NULL",
        "runs_by_schedule ON runs (schedule_id, created_position) WHERE schedule_id IS NOT NULL",
        "runs_by_holder ON runs (agent_id) WHERE held",
    ),
)


class RunName(msgspec.Struct, frozen=True, gc=False):
    """A name that runs have, and where the newest of them was created."""

    name: str
    newest_position: Position


RUN_NAMES: View[RunName] = View(
    "run_names",
    (
        Column("name", "text", lambda named: text(named.name)),
        Column("newest_position", "bigint", lambda named: named.newest_position, changes=True),
    ),
    key=("name",),
    comment="The names that runs have, each with the `created_position` of its newest run. Texts are looked for here.",
    indexes=("run_names_by_newest ON run_names (newest_position)", "run_names_by_gram ON run_names USING gin (grams(name))"),
)


class RunCount(msgspec.Struct, frozen=True, gc=False):
    """By how much the number of runs changed: of a flow, in a state, of those created in an hour."""

    hour: datetime
    flow_group_id: str
    state: str
    project_id: str
    change: int


RUN_COUNTS: View[RunCount] = View(
    "run_counts",
    (
        Column("hour", "timestamptz", lambda count: count.hour),
        Column("flow_group_id", "uuid", lambda count: count.flow_group_id),
        Column("state", "text", lambda count: count.state),
        Column("project_id", "uuid", lambda count: count.project_id),
        Column("count", "bigint", lambda count: count.change),
    ),
    key=("hour", "flow_group_id", "state"),
    comment="How many runs are in a state: of all time (`hour` is -infinity), and by the hour of their creation.",
)


class RunStateEntry(msgspec.Struct, frozen=True, gc=False):
    """A state that a run came into, by one event of a commit: what happened, and what the run is after it."""

    run_id: str
    position: Position
    seq: int
    event: Any
    after: RunHead
    commit: Commit


RUN_STATES: View[RunStateEntry] = View(
    "run_states",
    (
        Column("run_id", "uuid", lambda entry: entry.run_id),
        Column("position", "bigint", lambda entry: entry.position),
        Column("seq", "integer", lambda entry: entry.seq, shown=False),
        Column("state", "text", lambda entry: entry.after.state),
        Column("message", "text", lambda entry: text(entry.after.message)),
        Column("at", "timestamptz", lambda entry: getattr(entry.event, "at", entry.commit.at)),
        Column("attempt", "integer", lambda entry: entry.after.attempt),
        Column("actor", "text", lambda entry: text(entry.commit.actor)),
        Column("scheduled_start_time", "timestamptz", lambda entry: getattr(entry.event, "due_at", None), null=True),
        Column("failure", "json", lambda entry: optional_json(getattr(entry.event, "failure", None)), null=True),
    ),
    key=("run_id", "position", "seq"),
    comment="`seq` is the event's place in its commit.",
)
