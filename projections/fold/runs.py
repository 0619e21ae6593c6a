"""The fold over what happened to a run and its task runs: what each event means is said by the rules of the core, here what it shows."""

from __future__ import annotations

from typing import get_args

from headwater.core.events import (
    AnyEvent,
    RunAttemptLost,
    RunCancelled,
    RunCancelRequested,
    RunCreated,
    RunDeleted,
    RunEvent,
    RunFailed,
    RunPaused,
    RunRenamed,
    RunRestarted,
    RunScheduled,
    RunStarted,
    RunSubmitted,
    RunSucceeded,
)
from headwater.core.log.commit import Commit, Position
from headwater.core.runs import run_head
from headwater.projections.fold.artifacts import ARTIFACT_FOLDS
from headwater.projections.fold.changes import CannotApply, Changes
from headwater.projections.fold.known_run import KnownRun
from headwater.projections.fold.task_runs import TASK_RUN_EVENTS, fold_run_into_task_runs, fold_task_run
from headwater.projections.tables import RunStateEntry

RUN_EVENTS = frozenset(get_args(RunEvent)) - TASK_RUN_EVENTS - ARTIFACT_FOLDS.keys()
"""What can happen to a run itself."""

_IN_HISTORY = frozenset(
    {RunScheduled, RunSubmitted, RunStarted, RunSucceeded, RunFailed, RunCancelRequested, RunCancelled, RunAttemptLost, RunPaused}
)
"""Events that bring a run into the state that its history shows. The others come before one of these, or change no state."""


def fold_run_commit(changes: Changes, known: dict[str, KnownRun], run_id: str, position: Position, commit: Commit) -> list[AnyEvent]:
    """Fold one commit on a run and return the events of types we do not know. `known` holds the run if it exists.

    Raises:
        CannotApply: the run does not exist, or exists already; nothing was folded.

    """
    run = known.get(run_id)
    _refuse_contradictions(run, commit)
    unknown: list[AnyEvent] = []
    for seq, event in enumerate(commit.events):
        kind = type(event)
        if isinstance(event, RunCreated):
            run = known[run_id] = KnownRun.made_by(event, run_id, commit.at, commit.actor, position)
            changes.created_runs.append(run_id)
        elif run is None:
            unknown.append(event)  # never so: what is there before the creation was refused
        elif kind in TASK_RUN_EVENTS:
            fold_task_run(changes, run, position, seq, event)  # type: ignore[arg-type]
        elif (fold_artifact := ARTIFACT_FOLDS.get(kind)) is not None:
            fold_artifact(changes, event, run_id, position)
        elif kind in RUN_EVENTS:
            if _fold_run(changes, run, event):
                changes.run_states.append(RunStateEntry(run_id, position, seq, event, run.head, commit))
        else:
            unknown.append(event)
    if run is not None:
        run.position = position
        changes.runs[run_id] = run
    return unknown


def _refuse_contradictions(run: KnownRun | None, commit: Commit) -> None:
    created, deleted = run is not None, run is not None and run.head.deleted
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


def _fold_run(changes: Changes, run: KnownRun, event: AnyEvent) -> bool:
    """Fold an event of the run itself; tell whether the run's history shows it."""
    head = run.head = run_head.evolve(run.head, event)
    if isinstance(event, (RunAttemptLost, RunRestarted)):
        fold_run_into_task_runs(changes, run, event)
    if head.deleted:
        changes.deleted_runs.add(run.run_id)
    kind = type(event)
    if kind is RunRenamed:
        changes.renamed_runs.add(run.run_id)
    return kind in _IN_HISTORY and (head.held or kind is not RunCancelRequested)
