"""What attempts do to their run, and those who watch over them: claim it, start it, record, park and end it, lose it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from headwater.core.errors import IllegalTransition
from headwater.core.events import (
    AnyEvent,
    RunAttemptLost,
    RunCancelled,
    RunFailed,
    RunPaused,
    RunScheduled,
    RunStarted,
    RunSubmitted,
    RunSucceeded,
    TaskRunArtifactEvent,
    TaskRunCancelled,
    TaskRunResumed,
)
from headwater.core.runs import artifact, resume, task_run
from headwater.core.runs.commands import (
    ClaimRun,
    ConfirmCancelled,
    FailUnstartedRun,
    FinishRun,
    MarkAttemptLost,
    RecordTaskRuns,
    StartRun,
    SuspendRun,
)
from headwater.core.runs.state import NO_TASK_RUN, Run
from headwater.core.runs.task_run import TaskRun, TaskRunKey
from headwater.core.runs.task_runs import NOT_BEGUN_OR_FINAL, UNAFFECTED_BY_LOSS
from headwater.core.states import StateName


def claim(run: Run, command: ClaimRun) -> Sequence[AnyEvent]:
    if not run.waits or run.cancel_requested:
        raise IllegalTransition(f"The run is {run.state}; it cannot be claimed.")
    if command.generation != run.generation:
        raise IllegalTransition(f"The wake-up is of generation {command.generation}; the run is at {run.generation}.")
    return [RunSubmitted(run.attempt + 1, command.agent_id, command.agent_name)]


def start(run: Run, command: StartRun) -> Sequence[AnyEvent]:
    _require_attempt(run, command.attempt)
    return [RunStarted(command.attempt, command.at)] if run.state is StateName.SUBMITTED else []


def lose(run: Run, command: MarkAttemptLost) -> Sequence[AnyEvent]:
    if not run.held or command.attempt != run.attempt:
        return []
    lost = RunAttemptLost(command.attempt, command.reason, command.released)
    if run.cancel_requested:
        return [lost, *cancelled(run, command.at)]
    limit = run.attempts_max if command.attempts_max is None else command.attempts_max
    if run.attempts_lost + 1 >= limit and not command.released:
        message = f"Attempt {command.attempt} was lost ({command.reason}); no more than {limit} attempts are made."
        return [lost, RunFailed(at=command.at, attempt=command.attempt, message=message)]
    events: list[AnyEvent] = [lost, *_resumed_before(run, command.at)]
    if command.retry_at is not None:
        events.append(RunScheduled(command.retry_at, generation=run.generation + 1, message=command.reason))
    return events


def _resumed_before(run: Run, at: datetime) -> list[TaskRunResumed]:
    """Let those task runs pass their pause in the next attempt that a user had resumed in the one that is lost."""
    again = sorted(key for key, found in run.task_runs.items() if found.resumed and found.state not in UNAFFECTED_BY_LOSS)
    return [TaskRunResumed(slug=slug, map_index=index, at=at, message=resume.RESUMED_BEFORE) for slug, index in again]


def suspend(run: Run, command: SuspendRun) -> Sequence[AnyEvent]:
    _require_attempt(run, command.attempt)
    if run.state is not StateName.RUNNING:
        raise IllegalTransition(f"The run is {run.state}; it cannot wait for a later time.")
    if resume.has_new_resume(run.task_runs, command.resumed):
        return [RunScheduled(command.at, generation=run.generation + 1, message="A task run was resumed.")]
    if command.due_at is not None:
        return [RunScheduled(command.due_at, generation=run.generation + 1, message=command.message)]
    if not resume.waits_for_approval(run.task_runs.values()):
        raise IllegalTransition("No task run of the run waits to be resumed.")
    return [RunPaused(command.attempt, command.at, command.message)]


def record(run: Run, command: RecordTaskRuns) -> Sequence[AnyEvent]:
    _require_attempt(run, command.attempt)
    if run.state not in {StateName.RUNNING, StateName.CANCELLING}:
        raise IllegalTransition(f"The run is {run.state}; its tasks cannot change.")
    seen: dict[TaskRunKey, TaskRun] = {}
    artifacts = run.artifacts
    recorded: list[AnyEvent] = []
    for event in command.events:
        if isinstance(event, TaskRunArtifactEvent):
            if artifact.holds(artifacts, event):
                artifacts = artifact.evolve(artifacts, event)
                recorded.append(event)  # type: ignore[arg-type]
            continue
        key = (event.slug, event.map_index)
        found = seen[key] if key in seen else run.task_runs.get(key, NO_TASK_RUN)
        task_run.check(found, event)
        seen[key] = task_run.evolve(found, event)
        recorded.append(event)  # type: ignore[arg-type]
    return recorded


def finish(run: Run, command: FinishRun) -> Sequence[AnyEvent]:
    if run.ended and command.attempt == run.attempt:
        return []
    _require_attempt(run, command.attempt)
    if run.state is StateName.SUBMITTED:
        raise IllegalTransition("The run is Submitted; it cannot end before it is started.")
    last = record(run, RecordTaskRuns(command.attempt, command.events)) if command.events else []
    if command.failed:
        return [*last, RunFailed(at=command.at, attempt=command.attempt, message=command.message, failure=command.failure)]
    return [*last, RunSucceeded(command.attempt, command.at, command.message)]


def fail_unstarted(run: Run, command: FailUnstartedRun) -> Sequence[AnyEvent]:
    if run.ended:
        return []
    if run.held:
        _require_attempt(run, command.attempt)
    return [RunFailed(at=command.at, attempt=command.attempt, message=command.message, failure=command.failure)]


def confirm_cancelled(run: Run, command: ConfirmCancelled) -> Sequence[AnyEvent]:
    if run.ended:
        return []
    _require_attempt(run, command.attempt)
    if not run.cancel_requested:
        raise IllegalTransition("No cancellation of the run was requested.")
    return cancelled(run, command.at)


def cancelled(run: Run, at: datetime, reason: str = "") -> list[AnyEvent]:
    """End the run and those of its task runs that had begun."""
    return [*cancelled_task_runs(run, at, "Cancelled with its run."), RunCancelled(at=at, message=reason or "Cancelled.")]


def cancelled_task_runs(run: Run, at: datetime, message: str) -> list[AnyEvent]:
    begun = sorted(key for key, found in run.task_runs.items() if found.state not in NOT_BEGUN_OR_FINAL)
    return [TaskRunCancelled(slug=slug, map_index=index, at=at, message=message) for slug, index in begun]


def _require_attempt(run: Run, attempt: int) -> None:
    if not run.held or run.attempt != attempt:
        raise IllegalTransition(f"Attempt {attempt} does not hold the run: it is {run.state}, and its last attempt is {run.attempt}.")
