"""What becomes of the task runs of a run when something happens to the run itself: its attempt is lost, or it is restarted."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import immutables
from msgspec.structs import replace

from headwater.core.events import AnyEvent, RunAttemptLost, RunRestarted
from headwater.core.runs.task_run import TaskRun, TaskRunKey
from headwater.core.states import FINAL, StateName

TaskRuns = immutables.Map[TaskRunKey, TaskRun]

NOT_BEGUN_OR_FINAL = FINAL | {StateName.PENDING}
UNAFFECTED_BY_LOSS = NOT_BEGUN_OR_FINAL | {StateName.PAUSED, StateName.RESUME}
"""States of task runs to which the loss of an attempt does nothing: no code of theirs was being executed."""

INTERRUPTED_MESSAGE = "Interrupted; waits for the next attempt."
RESTARTED_MESSAGE = "Waits to be executed again."


def changed_with_run(task_runs: Mapping[TaskRunKey, TaskRun], event: AnyEvent) -> dict[TaskRunKey, TaskRun]:
    """Return those of the task runs that an event of their run changes, as they are after it."""
    match event:
        case RunAttemptLost():
            return interrupted(task_runs)
        case RunRestarted():
            return reset(task_runs, frozenset(event.tasks), frozenset(event.task_runs))
        case _:
            return {}


def interrupted(task_runs: Mapping[TaskRunKey, TaskRun]) -> dict[TaskRunKey, TaskRun]:
    """Return those that the loss of their attempt changes: what had not ended waits to be started again."""
    return {
        key: replace(found, state=StateName.PENDING, message=INTERRUPTED_MESSAGE, due_at=None)
        for key, found in task_runs.items()
        if found.state not in UNAFFECTED_BY_LOSS
    }


def reset(task_runs: Mapping[TaskRunKey, TaskRun], tasks: Collection[str], single: Collection[TaskRunKey]) -> dict[TaskRunKey, TaskRun]:
    """Return those that wait to be executed again: all of these tasks, and each that is named alone."""
    return {
        key: replace(
            found,
            state=StateName.PENDING,
            message=RESTARTED_MESSAGE,
            ended_at=None,
            result=None,
            failure=None,
            due_at=None,
            resumed=False,
            set_manually=False,
            loop_count=0,
            loop_result=None,
        )
        for key, found in task_runs.items()
        if key[0] in tasks or key in single
    }
