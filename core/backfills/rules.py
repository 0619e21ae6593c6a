"""The rules of a backfill: its times have runs in their order, no more than its limit at once, until all ended or it is cancelled."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.core.backfills.commands import BackfillCommand, CancelBackfill, FinishBackfill, NoteRunEnded, RequestBackfill, StartRuns
from headwater.core.backfills.state import Backfill, evolve
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.events import (
    AnyEvent,
    BackfillCancelRequested,
    BackfillEnded,
    BackfillRequested,
    BackfillRunEnded,
    BackfillRunsStarted,
)
from headwater.core.rules import Rules

TIMES_MAX = 3_000
"""So many times one backfill may have: all of them are named in one message."""
LIMIT_MAX = 1_000


def decide(backfill: Backfill, command: BackfillCommand) -> Sequence[AnyEvent]:
    if isinstance(command, RequestBackfill):
        return [] if backfill.exists else [_request(command)]
    if not backfill.exists:
        raise NotFound("backfill", "")
    if backfill.over:
        return []
    match command:
        case StartRuns():
            free = backfill.requested.limit - len(backfill.unfinished)
            left = len(backfill.requested.times) - backfill.started
            number = 0 if backfill.cancel_requested is not None else min(command.number, free, left)
            return [BackfillRunsStarted(backfill.started + number)] if number > 0 else []
        case NoteRunEnded():
            return [BackfillRunEnded(command.run_id, command.state, command.detail)] if command.run_id in backfill.unfinished else []
        case CancelBackfill():
            return [] if backfill.cancel_requested is not None else [BackfillCancelRequested(command.reason)]
        case FinishBackfill():
            all_started = backfill.started == len(backfill.requested.times)
            if backfill.unfinished or not (all_started or backfill.cancel_requested is not None):
                return []
            return [BackfillEnded(cancelled=backfill.cancel_requested is not None)]


def _request(command: RequestBackfill) -> BackfillRequested:
    if not command.times:
        raise InvalidArgument("There is nothing to backfill: no time of the span is to have a run.")
    if len(command.times) > TIMES_MAX:
        raise InvalidArgument(
            f"The span has {len(command.times):,} times that are to have runs; one backfill may have {TIMES_MAX:,}.",
            hint="Choose a shorter span, and backfill the rest after it.",
        )
    if not 1 <= command.limit <= LIMIT_MAX:
        raise InvalidArgument(f"The limit must be between 1 and {LIMIT_MAX:,}, not {command.limit}.")
    return BackfillRequested(
        backfill_id=command.backfill_id,
        schedule_id=command.schedule_id,
        flow_group_id=command.flow_group_id,
        project_id=command.project_id,
        name=command.name,
        since=command.since,
        until=command.until,
        choice=command.choice,
        times=command.times,
        limit=command.limit,
        parameters=dict(command.parameters),
    )


RULES = Rules(Backfill(), evolve, decide)
