"""Writing a batch's changes: rows that are new by COPY, rows that change by one statement over arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from headwater.projections.fold.changes import Changes
from headwater.projections.fold.known_run import KnownRun
from headwater.projections.tables import (
    CACHED_RESULTS,
    DEAD_LETTERS,
    RUN_COUNTS,
    RUN_STATES,
    RUNS,
    TASK_RUN_STATES,
    TASK_RUNS,
    RunCount,
)
from headwater.projections.write_artifacts import write_artifacts
from headwater.projections.write_key_values import write_key_values
from headwater.projections.write_run_names import names_before, write_run_names
from headwater.projections.write_schedules import write_schedules

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
    names = await names_before(db, changes)
    await _write_runs(db, changes.runs.values())
    await RUN_STATES.copy(db, changes.run_states)
    await TASK_RUNS.copy(db, list(changes.new_task_runs.values()))
    await TASK_RUNS.change(db, list(changes.changed_task_runs.values()))
    await TASK_RUN_STATES.copy(db, changes.task_run_states)
    await CACHED_RESULTS.copy(db, changes.cached_results)
    await write_artifacts(db, changes)
    await write_schedules(db, changes)
    for statement in _DELETE_RUNS if changes.deleted_runs else ():
        await db.execute(statement, list(changes.deleted_runs))
    await write_run_names(db, changes, names)
    await DEAD_LETTERS.copy(db, changes.dead_letters)


_DELETE_RUNS = (
    "DELETE FROM runs WHERE id = ANY($1::uuid[])",
    "DELETE FROM run_states WHERE run_id = ANY($1::uuid[])",
    "DELETE FROM task_runs WHERE run_id = ANY($1::uuid[])",
    "DELETE FROM task_run_states WHERE run_id = ANY($1::uuid[])",
    "DELETE FROM artifacts WHERE run_id = ANY($1::uuid[])",
)


async def _write_runs(db: Any, runs: Iterable[KnownRun]) -> None:
    new: list[KnownRun] = []
    changed: list[KnownRun] = []
    counts: Counter[tuple[datetime, str, str, str]] = Counter()
    for run in runs:
        (new if run.is_new else changed).append(run)
        if run.head.deleted or run.counted_state != run.head.state:
            _count(counts, run)
    await RUNS.copy(db, new)
    await RUNS.change(db, changed)
    await _write_counts(db, [RunCount(*key, change) for key, change in counts.items() if change])


def mark_committed(changes: Changes) -> None:
    """Note on the runs in memory that their rows are committed."""
    for run in changes.runs.values():
        run.mark_committed()


def _count(counts: Counter[tuple[datetime, str, str, str]], run: KnownRun) -> None:
    for hour in (ALL_TIME, run.created_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)):
        if not run.head.deleted:
            counts[hour, run.flow_group_id, run.head.state, run.project_id] += 1
        if run.counted_state is not None:
            counts[hour, run.flow_group_id, run.counted_state, run.project_id] -= 1


_ADD_COUNTS = f"""
{RUN_COUNTS.insert_many_statement}
ON CONFLICT (hour, flow_group_id, state) DO UPDATE SET count = run_counts.count + excluded.count
"""
_DROP_EMPTY_COUNTS = """
DELETE FROM run_counts c USING unnest($1::timestamptz[], $2::uuid[], $3::text[]) AS n (hour, flow_group_id, state)
WHERE c.hour = n.hour AND c.flow_group_id = n.flow_group_id AND c.state = n.state AND c.count = 0
"""


async def _write_counts(db: Any, counts: list[RunCount]) -> None:
    if counts:
        await db.execute(_ADD_COUNTS, *RUN_COUNTS.values(counts))
    if lowered := [count for count in counts if count.change < 0]:
        # What counts nothing must not show that something was counted once: a rebuild in larger batches would not know.
        keys = [(count.hour, count.flow_group_id, count.state) for count in lowered]
        await db.execute(_DROP_EMPTY_COUNTS, *zip(*keys, strict=True))
