"""Writing a batch's changes: rows that are new by COPY, rows that change by one statement over arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from headwater.projections.copied_table import CopiedTable
from headwater.projections.fold.batch import SET_ASIDE
from headwater.projections.fold.changes import Changes, json, optional_text, text
from headwater.projections.fold.run_record import RunRecord
from headwater.projections.fold.runs import INTERRUPTED_MESSAGE, RESTARTED_MESSAGE, RUN_STATES, UNAFFECTED_BY_LOSS
from headwater.projections.fold.task_run_patch import TaskRunPatch
from headwater.projections.fold.task_runs import CACHED_RESULTS, TASK_RUN_STATES
from headwater.projections.write_artifacts import write_artifacts
from headwater.projections.write_key_values import write_key_values

ALL_TIME = datetime.min.replace(tzinfo=UTC)
"""The driver writes this as -infinity: the hour under which runs of all time are counted."""


async def write(db: Any, changes: Changes) -> None:
    """Write the changes on this connection, in the transaction that is open there.

    Raises:
        CannotApply: one of the steps found that its commit cannot be applied.

    """
    for step in changes.steps:
        await step(db)
    await write_key_values(db, changes)
    if changes.interrupted_runs:
        await db.execute(_INTERRUPT, list(changes.interrupted_runs), list(UNAFFECTED_BY_LOSS), INTERRUPTED_MESSAGE)
    for restart in changes.restarts:
        await db.execute(_RESTART, *restart, RESTARTED_MESSAGE)
    await _write_runs(db, changes.runs.values())
    if changes.run_states:
        await RUN_STATES.copy(db, changes.run_states)
    await _write_task_runs(db, changes.task_runs)
    if changes.task_run_states:
        await TASK_RUN_STATES.copy(db, changes.task_run_states)
    if changes.cached_results:
        await CACHED_RESULTS.copy(db, changes.cached_results)
    await write_artifacts(db, changes)
    for statement in _DELETE_RUNS if changes.deleted_runs else ():
        await db.execute(statement, list(changes.deleted_runs))
    if changes.set_aside:
        await SET_ASIDE.copy(db, changes.set_aside)


_DELETE_RUNS = (
    "DELETE FROM runs WHERE id = ANY($1::uuid[])",
    "DELETE FROM run_states WHERE run_id = ANY($1::uuid[])",
    "DELETE FROM task_runs WHERE run_id = ANY($1::uuid[])",
    "DELETE FROM task_run_states WHERE run_id = ANY($1::uuid[])",
    "DELETE FROM artifacts WHERE run_id = ANY($1::uuid[])",
)

_INTERRUPT = """
UPDATE task_runs SET state = 'Pending', state_message = $3, retry_at = NULL
WHERE run_id = ANY($1::uuid[]) AND state <> ALL($2::text[])
"""
_RESTART = """
UPDATE task_runs SET state = 'Pending', state_message = $5, end_time = NULL, retry_at = NULL, result = NULL, failure = NULL
WHERE run_id = $1 AND (slug = ANY($2::text[]) OR (slug, map_index) IN (SELECT * FROM unnest($3::text[], $4::integer[])))
"""

_CHANGE_RUNS = """
UPDATE runs SET
    name = n.name, state = n.state, state_message = n.state_message, scheduled_start_time = n.scheduled_start_time,
    start_time = n.start_time, end_time = n.end_time, attempt = n.attempt, held = n.held, agent_id = n.agent_id,
    agent_name = n.agent_name, cancel_requested = n.cancel_requested, failure = n.failure, position = n.position
FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::integer[],
    $9::boolean[], $10::text[], $11::text[], $12::boolean[], $13::json[], $14::bigint[]
) AS n (
    id, name, state, state_message, scheduled_start_time, start_time, end_time, attempt, held, agent_id, agent_name,
    cancel_requested, failure, position
)
WHERE runs.id = n.id
"""


async def _write_runs(db: Any, records: Iterable[RunRecord]) -> None:
    new = []
    changed = []
    counts: Counter[tuple[datetime, str, str, str]] = Counter()
    for record in records:
        if record.created is not None:
            new.append((*_created_columns(record), *_changing_columns(record)))
        else:
            changed.append((record.run_id, *_changing_columns(record)))
        if record.deleted or record.counted_state != record.state:
            _count(counts, record)
    if new:
        await _RUNS.copy(db, new)
    if changed:
        await db.execute(_CHANGE_RUNS, *zip(*changed, strict=True))
    await _write_counts(db, counts)


def written(changes: Changes) -> None:
    """Note on the runs in memory that their rows are committed."""
    for record in changes.runs.values():
        record.created = None
        record.counted_state = record.state


_CREATED = (
    "id",
    "created_position",
    "flow_id",
    "flow_group_id",
    "flow_name",
    "project_id",
    "project_name",
    "version",
    "queue_id",
    "labels",
    "parameters",
    "context",
    "run_config",
    "idempotency_key",
    "created",
    "created_by",
)
_CHANGING = (
    "name",
    "state",
    "state_message",
    "scheduled_start_time",
    "start_time",
    "end_time",
    "attempt",
    "held",
    "agent_id",
    "agent_name",
    "cancel_requested",
    "failure",
    "position",
)
_RUNS = CopiedTable("runs", (*_CREATED, *_CHANGING))


def _created_columns(record: RunRecord) -> tuple[Any, ...]:
    created = record.created
    assert created is not None
    return (
        record.run_id,
        record.created_position,
        created.flow_id,
        created.flow_group_id,
        text(created.flow_name),
        created.project_id,
        text(created.project_name),
        created.version,
        text(created.queue_id),
        [text(label) for label in created.labels],
        json(created.parameters),
        json(created.context),
        json(created.run_config),
        optional_text(created.idempotency_key),
        record.created_at,
        record.created_by,
    )


def _changing_columns(record: RunRecord) -> tuple[Any, ...]:
    return (
        record.name,
        record.state,
        record.message,
        record.scheduled_start_time,
        record.start_time,
        record.end_time,
        record.attempt,
        record.held,
        record.agent_id,
        record.agent_name,
        record.cancel_requested,
        record.failure,
        record.position,
    )


def _count(counts: Counter[tuple[datetime, str, str, str]], record: RunRecord) -> None:
    for hour in (ALL_TIME, record.created_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)):
        if not record.deleted:
            counts[hour, record.flow_group_id, record.state, record.project_id] += 1
        if record.counted_state is not None:
            counts[hour, record.flow_group_id, record.counted_state, record.project_id] -= 1


_ADD_COUNTS = """
INSERT INTO run_counts AS c (hour, flow_group_id, state, project_id, count)
SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[])
ON CONFLICT (hour, flow_group_id, state) DO UPDATE SET count = c.count + excluded.count
"""
_DROP_EMPTY_COUNTS = """
DELETE FROM run_counts c USING unnest($1::timestamptz[], $2::uuid[], $3::text[]) AS n (hour, flow_group_id, state)
WHERE c.hour = n.hour AND c.flow_group_id = n.flow_group_id AND c.state = n.state AND c.count = 0
"""


async def _write_counts(db: Any, counts: Counter[tuple[datetime, str, str, str]]) -> None:
    rows = [(*key, change) for key, change in counts.items() if change]
    if rows:
        columns = list(zip(*rows, strict=True))
        await db.execute(_ADD_COUNTS, *columns)
        if any(change < 0 for change in columns[4]):
            # What counts nothing must not show that something was counted once: a rebuild in larger batches would not know.
            await db.execute(_DROP_EMPTY_COUNTS, *columns[:3])


_UPSERT_TASK_RUNS = """
INSERT INTO task_runs AS t (
    run_id, slug, map_index, name, state, state_message, run_count, start_time, end_time, retry_at, child_count, result, failure,
    attempt, position
)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::integer[], $8::timestamptz[], $9::timestamptz[],
    $10::timestamptz[], $11::integer[], $12::json[], $13::json[], $14::integer[], $15::bigint[]
)
ON CONFLICT (run_id, slug, map_index) DO UPDATE SET
    name = coalesce(excluded.name, t.name), state = excluded.state, state_message = excluded.state_message,
    run_count = coalesce(excluded.run_count, t.run_count), start_time = coalesce(t.start_time, excluded.start_time),
    end_time = excluded.end_time, retry_at = excluded.retry_at, child_count = coalesce(excluded.child_count, t.child_count),
    result = excluded.result, failure = excluded.failure, attempt = excluded.attempt, position = excluded.position
"""
_NAME_TASK_RUNS = """
INSERT INTO task_runs AS t (run_id, slug, map_index, name, state, state_message, attempt, position)
SELECT run_id, slug, map_index, name, 'Pending', '', 0, position
FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::bigint[]) AS n (run_id, slug, map_index, name, position)
ON CONFLICT (run_id, slug, map_index) DO UPDATE SET name = excluded.name, position = excluded.position
"""


async def _write_task_runs(db: Any, task_runs: dict[str, dict[tuple[str, int], TaskRunPatch]]) -> None:
    changed: list[tuple[Any, ...]] = []
    named: list[tuple[Any, ...]] = []
    for run_id, patches in task_runs.items():
        for (slug, map_index), patch in patches.items():
            if patch.state is None:
                named.append((run_id, text(slug), map_index, patch.name, patch.position))
            else:
                changed.append((run_id, text(slug), map_index, *_columns(patch)))
    if changed:
        await db.execute(_UPSERT_TASK_RUNS, *zip(*changed, strict=True))
    if named:
        await db.execute(_NAME_TASK_RUNS, *zip(*named, strict=True))


def _columns(patch: TaskRunPatch) -> tuple[Any, ...]:
    return (
        patch.name,
        patch.state,
        patch.message,
        patch.run_count,
        patch.start_time,
        patch.end_time,
        patch.retry_at,
        patch.child_count,
        patch.result,
        patch.failure,
        patch.attempt,
        patch.position,
    )
