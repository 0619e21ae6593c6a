"""The fold over what happened to a run and its task runs. It agrees with the rules of `headwater.core.runs.rules`; a test compares them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.core.events import (
    AnyEvent,
    RunAttemptLost,
    RunAttemptsLimited,
    RunCancelled,
    RunCancelRequested,
    RunCreated,
    RunDeleted,
    RunFailed,
    RunPaused,
    RunRenamed,
    RunRestarted,
    RunScheduled,
    RunStarted,
    RunStateSet,
    RunSubmitted,
    RunSucceeded,
    TaskRunCached,
)
from headwater.core.log.commit import Commit, Position
from headwater.core.states import FINAL
from headwater.projections.copied_table import CopiedTable
from headwater.projections.fold.artifacts import ARTIFACT_FOLDS
from headwater.projections.fold.changes import CannotApply, Changes, optional_json, text
from headwater.projections.fold.run_record import RunRecord
from headwater.projections.fold.task_runs import TASK_RUN_FOLDS, Place, cached_result

UNAFFECTED_BY_LOSS = (*sorted(str(state) for state in FINAL), "Pending", "Paused", "Resume")
"""States of task runs to which the loss of an attempt does nothing."""
RESTARTED_MESSAGE = "Waits to be executed again."
INTERRUPTED_MESSAGE = "Interrupted; waits for the next attempt."


def fold_run_commit(changes: Changes, known: dict[str, RunRecord], run_id: str, position: Position, commit: Commit) -> list[AnyEvent]:
    """Fold one commit on a run and return the events of types we do not know. `known` holds the run if it exists.

    Raises:
        CannotApply: the run does not exist, or exists already; nothing was folded.

    """
    record = known.get(run_id)
    _refuse_contradictions(record, commit)
    place = Place(run_id, position, 0 if record is None else record.attempt)
    unknown: list[AnyEvent] = []
    for seq, event in enumerate(commit.events):
        kind = type(event)
        if kind is RunCreated:
            record = known[run_id] = _created(place, commit, event)
            changes.created_runs.append(run_id)
        elif (fold_task_run := TASK_RUN_FOLDS.get(kind)) is not None:
            patches = changes.task_runs.get(run_id)
            if patches is None:
                patches = changes.task_runs[run_id] = {}
            fold_task_run(event, patches, changes.task_run_states, place, seq)
            if isinstance(event, TaskRunCached) and event.cache:
                changes.cached_results.append(cached_result(event, place, seq))
        elif (fold_artifact := ARTIFACT_FOLDS.get(kind)) is not None:
            fold_artifact(changes, event, place)
        elif record is not None and (fold_run := RUN_FOLDS.get(kind)) is not None:
            state = fold_run(changes, record, event)
            place.attempt = record.attempt
            if state is not None:
                changes.run_states.append(_state_row(record, place, seq, event, commit))
        else:
            unknown.append(event)
    if record is not None:
        record.position = position
        changes.runs[run_id] = record
    return unknown


def _refuse_contradictions(record: RunRecord | None, commit: Commit) -> None:
    created, deleted = record is not None, record is not None and record.deleted
    for event in commit.events:
        kind = type(event)
        if kind is RunCreated:
            if created:
                raise CannotApply("The run was created before.")
            created = True
        elif not created or deleted:
            raise CannotApply("The run was never created, or it was deleted.")
        elif kind is RunDeleted:
            deleted = True


def _created(place: Place, commit: Commit, event: Any) -> RunRecord:
    record = RunRecord(place.run_id, event.flow_group_id, event.project_id, commit.at)
    record.created = event
    record.created_by = text(commit.actor)
    record.created_position = place.position
    record.name = text(event.name)
    return record


RUN_STATES = CopiedTable(
    "run_states",
    ("run_id", "position", "seq", "state", "message", "at", "attempt", "actor", "scheduled_start_time", "failure"),
)


def _state_row(run: RunRecord, place: Place, seq: int, event: Any, commit: Commit) -> tuple[Any, ...]:
    start = event.start_time if type(event) is RunScheduled else None
    at = getattr(event, "at", commit.at)
    failure = optional_json(getattr(event, "failure", None))
    return (place.run_id, place.position, seq, run.state, run.message, at, run.attempt, text(commit.actor), start, failure)


def _scheduled(_: Changes, run: RunRecord, event: RunScheduled) -> str:
    run.state, run.message, run.scheduled_start_time = "Scheduled", text(event.message), event.start_time
    run.held = False
    return run.state


def _submitted(_: Changes, run: RunRecord, event: RunSubmitted) -> str:
    run.state, run.message = "Submitted", text(event.message)
    run.attempt, run.held = event.attempt, True
    run.agent_id, run.agent_name = text(event.agent_id), text(event.agent_name)
    return run.state


def _started(_: Changes, run: RunRecord, event: RunStarted) -> str:
    run.state, run.message = "Cancelling" if run.cancel_requested else "Running", text(event.message)
    run.start_time = run.start_time or event.at
    return run.state


def _succeeded(_: Changes, run: RunRecord, event: RunSucceeded) -> str:
    run.state, run.message, run.held, run.end_time = "Success", text(event.message), False, run.end_time or event.at
    return run.state


def _failed(_: Changes, run: RunRecord, event: RunFailed) -> str:
    run.state, run.message, run.held, run.end_time = "Failed", text(event.message), False, run.end_time or event.at
    run.failure = optional_json(event.failure)
    return run.state


def _cancel_requested(_: Changes, run: RunRecord, event: RunCancelRequested) -> str | None:
    run.message, run.cancel_requested = text(event.reason) or "Cancellation requested.", True
    if not run.held:
        return None
    run.state = "Cancelling"
    return run.state


def _cancelled(_: Changes, run: RunRecord, event: RunCancelled) -> str:
    run.state, run.message, run.held, run.end_time = "Cancelled", text(event.message), False, run.end_time or event.at
    return run.state


def _attempt_lost(changes: Changes, run: RunRecord, event: RunAttemptLost) -> str:
    """The run waits again, and so does what of its task runs had not ended: those changed in this batch here, the others by a step."""
    run.state, run.message, run.held = "Scheduled", text(event.reason), False
    changes.interrupted_runs.add(run.run_id)
    for patch in changes.task_runs.get(run.run_id, {}).values():
        if patch.state is not None and patch.state not in UNAFFECTED_BY_LOSS:
            patch.state, patch.message, patch.retry_at = "Pending", INTERRUPTED_MESSAGE, None
    return run.state


def _paused(_: Changes, run: RunRecord, event: RunPaused) -> str:
    run.state, run.message, run.held = "Paused", text(event.message), False
    return run.state


def _state_set(_: Changes, run: RunRecord, event: RunStateSet) -> None:
    """The state that people see is that of the event behind it; when a run ended stays so."""
    run.state, run.message = "Pending", text(event.reason)
    run.failure, run.cancel_requested = None, False


def _restarted(changes: Changes, run: RunRecord, event: RunRestarted) -> None:
    """The run is as before its first attempt, but for what its task runs keep; the `run.scheduled` behind it is the state people see."""
    run.state, run.message = "Pending", text(event.reason)
    run.end_time, run.failure, run.cancel_requested = None, None, False
    whole, single = frozenset(event.tasks), frozenset(event.task_runs)
    slugs, indexes = [text(slug) for slug, _ in event.task_runs], [index for _, index in event.task_runs]
    changes.restarts.append((run.run_id, [text(slug) for slug in event.tasks], slugs, indexes))
    for key, patch in changes.task_runs.get(run.run_id, {}).items():
        if patch.state is not None and (key[0] in whole or key in single):
            patch.state, patch.message = "Pending", RESTARTED_MESSAGE
            patch.end_time = patch.retry_at = patch.result = patch.failure = None


def _nothing_shown(_: Changes, __: RunRecord, ___: RunAttemptsLimited) -> None:
    """What decides about later attempts is read from the log."""


def _renamed(_: Changes, run: RunRecord, event: RunRenamed) -> None:
    run.name = text(event.name)


def _deleted(changes: Changes, run: RunRecord, _: RunDeleted) -> None:
    """Have all rows of the run go; what is cached of its results stays, since it serves other runs."""
    run.deleted = True
    changes.deleted_runs.add(run.run_id)


RUN_FOLDS: dict[type, Callable[[Changes, RunRecord, Any], str | None]] = {
    RunScheduled: _scheduled,
    RunSubmitted: _submitted,
    RunStarted: _started,
    RunSucceeded: _succeeded,
    RunFailed: _failed,
    RunCancelRequested: _cancel_requested,
    RunCancelled: _cancelled,
    RunAttemptLost: _attempt_lost,
    RunAttemptsLimited: _nothing_shown,
    RunRestarted: _restarted,
    RunPaused: _paused,
    RunStateSet: _state_set,
    RunRenamed: _renamed,
    RunDeleted: _deleted,
}
"""Event class → what it changes; each returns the state that the history shows, or None."""
