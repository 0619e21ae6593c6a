"""The fold over schedules. Of those that fire often, only how far they are after the batch is written, and each outcome."""

from __future__ import annotations

from headwater.core.events import (
    Origin,
    ScheduleCaughtUp,
    ScheduleDeleted,
    ScheduleEvent,
    ScheduleFired,
    SchedulePaused,
    ScheduleResumed,
    ScheduleSet,
    ScheduleSkipped,
)
from headwater.core.log.commit import Commit, Position
from headwater.projections.fold.changes import Changes
from headwater.projections.stored_values import text
from headwater.projections.tables import SCHEDULES, ScheduleOutcome, ShownProgress, Told

_SET = f"""
{SCHEDULES.insert_statement}
ON CONFLICT (id) DO UPDATE SET {{column}} = excluded.{{column}}, updated = excluded.updated, updated_by = excluded.updated_by,
    position = excluded.position
"""
_DELETE = "UPDATE schedules SET {column} = NULL, updated = $2, updated_by = $3 WHERE id = $1"
_COLUMNS = {Origin.REGISTERED: "registered", Origin.USER: "set_by_user"}


def fold_schedule(changes: Changes, schedule_id: str, position: Position, commit: Commit, event: ScheduleEvent) -> None:
    outcome, nominal, since = "", commit.at, None
    run_id: str | None = None
    because: str | None = None
    detail = ""
    match event:
        case ScheduleSet():
            told = Told(schedule_id, event, commit, position)
            changes.execute(_SET.format(column=_COLUMNS[event.origin]), *SCHEDULES.row(told))
            outcome, nominal, since, because = "set", event.until, event.since, event.origin
        case ScheduleDeleted():
            changes.update(_DELETE.format(column=_COLUMNS[event.origin]), schedule_id, commit.at, text(commit.actor))
            outcome, nominal, since, because = "deleted", event.until, event.since, event.origin
        case SchedulePaused():
            _changed(changes, schedule_id, commit)
            outcome, nominal, because, detail = "paused", event.since, event.cause, event.note
        case ScheduleResumed():
            _changed(changes, schedule_id, commit)
            outcome, nominal, detail = "resumed", event.at, event.note
        case ScheduleFired():
            outcome, nominal, run_id = "fired", event.nominal, event.run_id
        case ScheduleSkipped():
            outcome, nominal, run_id, because, detail = "skipped", event.nominal, event.run_id, event.because, event.detail
        case ScheduleCaughtUp():
            outcome, nominal, since, because = "caught_up", event.until, event.since, event.policy
            left_out = "more than 10,000" if event.left_out is None else str(event.left_out)
            detail = f"runs made: {event.made}, left out: {left_out}"
    before = changes.schedule_outcomes[-1] if changes.schedule_outcomes else None
    ordinal = before.ordinal + 1 if before is not None and before.position == position else 0
    row = ScheduleOutcome(schedule_id, position, ordinal, outcome, nominal, since, run_id, because, detail, commit)
    changes.schedule_outcomes.append(row)
    _note_progress(changes, schedule_id, position, event)


def _changed(changes: Changes, schedule_id: str, commit: Commit) -> None:
    changes.update("UPDATE schedules SET updated = $2, updated_by = $3 WHERE id = $1", schedule_id, commit.at, text(commit.actor))


def _note_progress(changes: Changes, schedule_id: str, position: Position, event: ScheduleEvent) -> None:
    if isinstance(event, ScheduleFired):
        changes.last_fired[schedule_id] = (event.nominal, event.run_id)
    if event.after is not None:
        nominal, run_id = changes.last_fired.get(schedule_id, (None, None))
        changes.schedules[schedule_id] = ShownProgress(schedule_id, event.after, nominal, run_id, position)
