"""The views of task runs: the task runs themselves, the states they were in, and results that serve later runs."""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.core.events import TaskRunCached, TaskRunEvent
from headwater.core.log.commit import Position
from headwater.core.runs.task_run import TaskRun
from headwater.projections.fold.known_run import ShownTaskRun
from headwater.projections.stored_values import json, optional_json, text
from headwater.projections.tables.view import Column, View

TASK_RUNS: View[ShownTaskRun] = View(
    "task_runs",
    (
        Column("run_id", "uuid", lambda shown: shown.run_id, findable=True),
        Column("slug", "text", lambda shown: shown.slug, findable=True),
        Column("map_index", "integer", lambda shown: shown.map_index, findable=True),
        Column("name", "text", lambda shown: text(shown.task_run.name) or None, null=True, changes=True, findable=True),
        Column("state", "text", lambda shown: shown.task_run.state, changes=True, findable=True),
        Column("state_message", "text", lambda shown: text(shown.task_run.message), changes=True, findable=True),
        Column("run_count", "integer", lambda shown: shown.task_run.run_count or None, null=True, changes=True, findable=True),
        Column("start_time", "timestamptz", lambda shown: shown.task_run.started_at, null=True, changes=True, findable=True),
        Column("end_time", "timestamptz", lambda shown: shown.task_run.ended_at, null=True, changes=True, findable=True),
        Column("retry_at", "timestamptz", lambda shown: shown.task_run.due_at, null=True, changes=True),
        Column("child_count", "integer", lambda shown: shown.task_run.child_count, null=True, changes=True),
        Column("result", "json", lambda shown: optional_json(shown.task_run.result), null=True, changes=True),
        Column("failure", "json", lambda shown: optional_json(shown.task_run.failure), null=True, changes=True),
        Column("attempt", "integer", lambda shown: shown.attempt, changes=True),
        Column("position", "bigint", lambda shown: shown.position, changes=True),
    ),
    key=("run_id", "slug", "map_index"),
    comment="Task runs that have events. Those that did not begin are read off the flow version's tasks.",
    options="fillfactor = 80",
)


class TaskRunStateEntry(msgspec.Struct, frozen=True, gc=False):
    """A state that a task run came into, by one event of a commit: what it was told, and what it is after it."""

    run_id: str
    position: Position
    seq: int
    slug: str
    event: TaskRunEvent
    after: TaskRun
    attempt: int


TASK_RUN_STATES: View[TaskRunStateEntry] = View(
    "task_run_states",
    (
        Column("run_id", "uuid", lambda entry: entry.run_id),
        Column("position", "bigint", lambda entry: entry.position),
        Column("seq", "integer", lambda entry: entry.seq, shown=False),
        Column("slug", "text", lambda entry: entry.slug),
        Column("map_index", "integer", lambda entry: entry.event.map_index),
        Column("state", "text", lambda entry: entry.after.state),
        Column("message", "text", lambda entry: text(entry.after.message)),
        Column("at", "timestamptz", lambda entry: entry.event.at),
        Column("attempt", "integer", lambda entry: entry.attempt),
        Column("run_count", "integer", lambda entry: getattr(entry.event, "run_count", None), null=True),
        Column("failure", "json", lambda entry: optional_json(entry.after.failure), null=True),
    ),
    key=("run_id", "position", "seq"),
)


class CachedResult(msgspec.Struct, frozen=True, gc=False):
    """A result that serves later runs, as an event tells of it."""

    run_id: str
    position: Position
    seq: int
    event: TaskRunCached

    @property
    def cache(self) -> dict[str, Any]:
        return self.event.cache


CACHED_RESULTS: View[CachedResult] = View(
    "cached_results",
    (
        Column("key", "text", lambda result: text(str(result.cache.get("key", "")))),
        Column("position", "bigint", lambda result: result.position),
        Column("seq", "integer", lambda result: result.seq, shown=False),
        Column("run_id", "uuid", lambda result: result.run_id),
        Column("slug", "text", lambda result: text(result.event.slug)),
        Column("map_index", "integer", lambda result: result.event.map_index),
        Column("at", "timestamptz", lambda result: result.event.at),
        Column("expires_at", "timestamptz", lambda result: result.event.expires_at, null=True),
        Column("result", "json", lambda result: optional_json(result.event.result), null=True),
        Column("parameters", "json", lambda result: json(result.cache.get("parameters", {}))),
        Column("hashed_inputs", "json", lambda result: json(result.cache.get("hashed_inputs", {}))),
    ),
    key=("key", "position", "seq"),
    comment="Results of tasks that serve later runs, under the keys by which these look for them.",
)
