"""The fold over backfills: what was asked for, and how many of its runs ended how."""

from __future__ import annotations

from headwater.core.events import (
    BackfillCancelRequested,
    BackfillEnded,
    BackfillEvent,
    BackfillRequested,
    BackfillRunEnded,
    BackfillRunsStarted,
)
from headwater.core.log.commit import Commit, Position
from headwater.core.states import FAILED, SUCCESSFUL
from headwater.projections.fold.changes import Changes
from headwater.projections.tables import BACKFILLS, Told

_STARTED = "UPDATE backfills SET started = $2, position = $3 WHERE id = $1"
_ENDED = (
    """UPDATE backfills SET succeeded = succeeded + $2, failed = failed + $3, cancelled = cancelled + $4, position = $5 WHERE id = $1"""
)
_STATE = "UPDATE backfills SET state = $2, ended = $3, position = $4 WHERE id = $1"


def fold_backfill(changes: Changes, backfill_id: str, position: Position, commit: Commit, event: BackfillEvent) -> None:
    match event:
        case BackfillRequested():
            changes.execute(BACKFILLS.insert_statement, *BACKFILLS.row(Told(backfill_id, event, commit, position)))
        case BackfillRunsStarted():
            changes.update(_STARTED, backfill_id, event.count, position)
        case BackfillRunEnded():
            counts = (int(event.state in SUCCESSFUL), int(event.state in FAILED), int(event.state not in SUCCESSFUL | FAILED))
            changes.update(_ENDED, backfill_id, *counts, position)
        case BackfillCancelRequested():
            changes.update(_STATE, backfill_id, "cancelling", None, position)
        case BackfillEnded():
            changes.update(_STATE, backfill_id, "cancelled" if event.cancelled else "completed", commit.at, position)
