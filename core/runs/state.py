"""A run as its events leave it, and what each event makes of it."""

from __future__ import annotations

from datetime import datetime

import immutables
import msgspec
from msgspec.structs import replace

from headwater.core.events import (
    AnyEvent,
    Failure,
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
    TaskRunArtifactEvent,
    TaskRunEvent,
)
from headwater.core.runs import artifact, restart, task_run
from headwater.core.runs.artifact import Artifacts
from headwater.core.runs.task_run import TaskRun, TaskRunKey
from headwater.core.states import FINAL, StateName

ATTEMPTS_MAX = 3
"""So many attempts may be lost where nobody says otherwise."""

NO_TASK_RUN = TaskRun()
NOT_BEGUN_OR_FINAL = FINAL | {StateName.PENDING}
UNAFFECTED_BY_LOSS = NOT_BEGUN_OR_FINAL | {StateName.PAUSED, StateName.RESUME}
"""States of task runs to which the loss of an attempt does nothing: no code of theirs was being executed."""


class Run(msgspec.Struct, frozen=True):
    """A run as its events leave it. `attempt` is the number of the last claim; `held` tells whether it is still somebody's."""

    created: RunCreated | None = None
    name: str = ""
    state: StateName = StateName.PENDING
    message: str = ""
    start_time: datetime | None = None
    generation: int = 0
    attempt: int = 0
    held: bool = False
    attempts_lost: int = 0
    attempts_max: int = ATTEMPTS_MAX
    agent_id: str = ""
    agent_name: str = ""
    cancel_request: RunCancelRequested | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure: Failure | None = None
    deleted: bool = False
    task_runs: immutables.Map[TaskRunKey, TaskRun] = immutables.Map()
    artifacts: Artifacts = immutables.Map()

    @property
    def ended(self) -> bool:
        return self.state in FINAL

    @property
    def cancel_requested(self) -> bool:
        """Whether the run is to end, or ended, because somebody asked for it."""
        return self.cancel_request is not None


def evolve(run: Run, event: AnyEvent) -> Run:  # noqa: C901, PLR0912 - one arm per event
    match event:
        case TaskRunArtifactEvent():
            return replace(run, artifacts=artifact.evolve(run.artifacts, event))
        case TaskRunEvent():
            key = (event.slug, event.map_index)
            changed = task_run.evolve(run.task_runs.get(key, NO_TASK_RUN), event)
            return replace(run, task_runs=run.task_runs.set(key, changed))
        case RunCreated():
            return replace(run, created=event, name=event.name)
        case RunScheduled():
            return replace(
                run,
                state=StateName.SCHEDULED,
                message=event.message,
                start_time=event.start_time,
                generation=event.generation,
                held=False,
            )
        case RunSubmitted():
            return replace(
                run,
                state=StateName.SUBMITTED,
                message=event.message,
                attempt=event.attempt,
                held=True,
                agent_id=event.agent_id,
                agent_name=event.agent_name,
            )
        case RunStarted():
            state = StateName.CANCELLING if run.cancel_requested else StateName.RUNNING
            return replace(run, state=state, message=event.message, started_at=run.started_at or event.at)
        case RunSucceeded():
            return replace(run, state=StateName.SUCCESS, message=event.message, held=False, ended_at=run.ended_at or event.at)
        case RunFailed():
            ended_at = run.ended_at or event.at
            return replace(run, state=StateName.FAILED, message=event.message, held=False, ended_at=ended_at, failure=event.failure)
        case RunCancelRequested():
            state = StateName.CANCELLING if run.held else run.state
            return replace(run, state=state, message=event.reason or "Cancellation requested.", cancel_request=event)
        case RunCancelled():
            return replace(run, state=StateName.CANCELLED, message=event.message, held=False, ended_at=run.ended_at or event.at)
        case RunAttemptLost():
            return replace(
                run,
                state=StateName.SCHEDULED,
                message=event.reason,
                held=False,
                attempts_lost=run.attempts_lost + (not event.released),
                task_runs=_interrupted(run.task_runs),
            )
        case RunAttemptsLimited():
            return replace(run, attempts_max=event.attempts_max)
        case RunRestarted():
            return replace(
                run,
                state=StateName.PENDING,
                message=event.reason,
                attempts_lost=0,
                cancel_request=None,
                ended_at=None,
                failure=None,
                task_runs=restart.reset_task_runs(run.task_runs, event),
            )
        case RunPaused():
            return replace(run, state=StateName.PAUSED, message=event.message, held=False)
        case RunStateSet():
            # When it ended stays so: the state that follows is another word for it.
            return replace(run, state=StateName.PENDING, message=event.reason, cancel_request=None, failure=None)
        case RunRenamed():
            return replace(run, name=event.name)
        case RunDeleted():
            return replace(run, deleted=True)
        case _:
            return run


def _interrupted(task_runs: immutables.Map[TaskRunKey, TaskRun]) -> immutables.Map[TaskRunKey, TaskRun]:
    """Return the task runs as the next attempt finds them: what had not ended waits to be started again."""
    return task_runs.update(
        {key: replace(found, state=StateName.PENDING) for key, found in task_runs.items() if found.state not in UNAFFECTED_BY_LOSS}
    )
