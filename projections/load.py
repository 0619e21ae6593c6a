"""Loads what a batch needs to know of runs from the rows that earlier batches wrote."""

from __future__ import annotations

from typing import Any

from headwater.projections.fold.batch import ToLoad
from headwater.projections.fold.known_run import KnownRun
from headwater.projections.tables import RUNS, TASK_RUNS

_RUNS = f"SELECT flow_group_id, project_id, created, created_position, {RUNS.changing} FROM runs WHERE id = ANY($1::uuid[])"
_ALL_TASK_RUNS = f"SELECT {TASK_RUNS.changing} FROM task_runs WHERE run_id = ANY($1::uuid[])"
# By index, one by one: right after a large run there are no statistics, and a join was planned as 10,000 x 10,000.
_TASK_RUNS = f"""
SELECT {TASK_RUNS.select("t")} FROM unnest($1::uuid[], $2::text[], $3::integer[]) AS n (run_id, slug, map_index)
CROSS JOIN LATERAL (SELECT * FROM task_runs WHERE run_id = n.run_id AND slug = n.slug AND map_index = n.map_index LIMIT 1) AS t
"""


async def load(db: Any, needed: ToLoad, known: dict[str, KnownRun]) -> None:
    """Add the runs that exist to those that are known, and to these the task runs that exist."""
    if needed.runs:
        for row in await db.fetch(_RUNS, list(needed.runs)):
            run = KnownRun.loaded(row)
            known[run.run_id] = run
    if single := [key for key in needed.task_runs if key[0] not in needed.with_all_task_runs]:
        _take_in(await db.fetch(_TASK_RUNS, *zip(*single, strict=True)), known)
    if needed.with_all_task_runs:
        _take_in(await db.fetch(_ALL_TASK_RUNS, list(needed.with_all_task_runs)), known)
        for run_id in needed.with_all_task_runs & known.keys():
            known[run_id].has_all_task_runs = True


def _take_in(rows: Any, known: dict[str, KnownRun]) -> None:
    for row in rows:
        if (run := known.get(str(row["run_id"]))) is not None:
            run.load_task_run(row)
