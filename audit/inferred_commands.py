"""Which command a commit on a run tells of: each kind of first event has few that lead to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from headwater.core.events import (
    AnyEvent,
    RunAttemptLost,
    RunCancelled,
    RunCancelRequested,
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
    TaskRunArtifactCreated,
    TaskRunArtifactDeleted,
    TaskRunArtifactUpdated,
    TaskRunCancelled,
    TaskRunEvent,
    TaskRunResumed,
    TaskRunStateSet,
)
from headwater.core.runs import commands
from headwater.core.runs.artifact_commands import CreateArtifact, DeleteArtifact, UpdateArtifact
from headwater.core.runs.state import Run
from headwater.core.runs.task_run import TaskRunKey
from headwater.core.states import StateName

_MANY = 10**9


def infer_commands(state: Run, events: Sequence[AnyEvent], at: datetime) -> list[commands.RunCommand]:  # noqa: C901, PLR0912 - one arm per event
    """Return the commands, one of which must have led to these events together, given the run's state before."""
    first, last = events[0], events[-1]
    match first:
        case RunScheduled():
            return [
                commands.RescheduleRun(first.due_at, first.message),
                *(
                    commands.SuspendRun(state.attempt, at, first.due_at, first.message, known)
                    for known in (frozenset[TaskRunKey](), _resumed(state))
                ),
            ]
        case RunPaused():
            return [commands.SuspendRun(first.attempt, at, None, first.message, _resumed(state))]
        case RunSubmitted():
            return [commands.ClaimRun(state.generation, first.agent_id, first.agent_name)]
        case RunStarted():
            return [commands.StartRun(first.attempt, first.at)]
        case RunAttemptLost():
            retry_at = last.due_at if isinstance(last, RunScheduled) else None
            limit = 1 if isinstance(last, RunFailed) else _MANY
            return [commands.MarkAttemptLost(first.attempt, first.reason, at, limit, retry_at, first.released)]
        case RunCancelRequested():
            return [commands.CancelRun(at, first.reason, first.cause)]
        case RunSucceeded():
            return [commands.FinishRun(first.attempt, first.at, failed=False, message=first.message)]
        case RunFailed():
            return [
                commands.FinishRun(first.attempt, first.at, failed=True, message=first.message),
                commands.FailUnstartedRun(first.at, first.message, first.attempt),
            ]
        case RunRenamed():
            return [commands.RenameRun(first.name)]
        case RunDeleted():
            return [commands.DeleteRun(first.reason)]
        case RunRestarted():
            tasks = (first.from_task, *first.tasks)
            return [commands.RestartRun(at, tasks, (), first.from_task)]
        case RunStateSet():
            due_at = last.due_at if isinstance(last, RunScheduled) else None
            tasks = next((event.tasks for event in events if isinstance(event, RunRestarted)), ())
            return [commands.SetRunState(at, StateName(first.state), first.reason, due_at, tasks)]
        case TaskRunStateSet():
            wanted = StateName(first.state)
            return [commands.SetTaskRunState(at, first.slug, first.map_index, wanted, first.message, (first.slug,), first.result)]
        case TaskRunEvent() if isinstance(last, RunSucceeded | RunFailed):
            recorded = tuple(event for event in events if isinstance(event, TaskRunEvent))
            return [commands.FinishRun(last.attempt, last.at, failed=isinstance(last, RunFailed), message=last.message, events=recorded)]
        case TaskRunResumed() if all(isinstance(event, TaskRunResumed | RunScheduled) for event in events):
            keys = tuple((event.slug, event.map_index) for event in events if isinstance(event, TaskRunResumed))
            task_events = tuple(event for event in events if isinstance(event, TaskRunEvent))
            return [commands.ResumeTaskRuns(first.at, keys, first.message), commands.RecordTaskRuns(state.attempt, task_events)]
        case RunCancelled() | TaskRunCancelled() if isinstance(last, RunCancelled):
            return [commands.ConfirmCancelled(state.attempt, last.at)]
        case TaskRunEvent():
            task_events = tuple(event for event in events if isinstance(event, TaskRunEvent))
            return [*_artifact_commands(events), commands.RecordTaskRuns(state.attempt, task_events)]
        case _:
            return []


def _artifact_commands(events: Sequence[AnyEvent]) -> list[commands.RunCommand]:
    """Return the command of a user who changed an artifact, while an attempt was at it or not."""
    match events:
        case [TaskRunArtifactCreated() as made]:
            return [CreateArtifact(made.at, made.slug, made.map_index, made.artifact_id, made.kind, made.data, (made.slug,))]
        case [TaskRunArtifactUpdated() as changed]:
            return [UpdateArtifact(changed.at, changed.artifact_id, changed.data)]
        case [TaskRunArtifactDeleted() as deleted]:
            return [DeleteArtifact(deleted.at, deleted.artifact_id)]
        case _:
            return []


def _resumed(state: Run) -> frozenset[TaskRunKey]:
    return frozenset(key for key, found in state.task_runs.items() if found.state is StateName.RESUME)
