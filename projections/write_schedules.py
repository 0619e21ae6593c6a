"""Writing what a batch changes of schedules."""

from __future__ import annotations

from typing import Any

from headwater.projections.fold.changes import Changes
from headwater.projections.stored_values import text
from headwater.projections.tables import SCHEDULE_OUTCOMES

_PROGRESS = """
UPDATE schedules AS s SET active = n.pause_cause IS NULL, decided = n.decided, pause_cause = n.pause_cause, pause_note = n.pause_note,
    paused_since = n.paused_since, paused_until = n.paused_until, failures = n.failures, runs_made = n.runs_made,
    last_nominal = coalesce(n.last_nominal, s.last_nominal), last_run_id = coalesce(n.last_run_id, s.last_run_id), position = n.position
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::integer[], $8::bigint[],
    $9::timestamptz[], $10::uuid[], $11::bigint[])
    AS n (id, decided, pause_cause, pause_note, paused_since, paused_until, failures, runs_made, last_nominal, last_run_id, position)
WHERE s.id = n.id
"""


async def write_schedules(db: Any, changes: Changes) -> None:
    """Write how far each schedule is, and what became of its times."""
    rows = []
    for shown in changes.schedules.values():
        progress, pause = shown.progress, shown.progress.pause
        paused = (None, "", None, None) if pause is None else (str(pause.cause), text(pause.note), pause.since, pause.until)
        counts = (progress.failures, progress.runs_made)
        rows.append((shown.schedule_id, progress.decided, *paused, *counts, shown.last_nominal, shown.last_run_id, shown.position))
    if rows:
        await db.execute(_PROGRESS, *map(list, zip(*rows, strict=True)))
    await SCHEDULE_OUTCOMES.copy(db, changes.schedule_outcomes)
