"""The rules of a run: it is scheduled, claimed by an agent as attempt n, executed, and ends; it may be cancelled at any time.

    (none) ── created, scheduled ──▶ Scheduled ── submitted ──▶ Submitted ── started ──▶ Running ──▶ Success | Failed
                                        ▲  │                        │                      │
                                        │  └── cancel requested ────┼──▶ Cancelled         │
                                        ├─ attempt lost, or parked ─┴──────────────────────┤
                                        │                                  cancel requested ─┼──▶ Cancelling ──▶ Cancelled
                                        └── resumed ── Paused ◀── parked, waits for people ──┘

Only the current attempt may record anything; a person may resume task runs meanwhile. A run that lost its attempt too often fails. One that
has ended may be restarted: it is Scheduled again, and keeps of its task runs what need not be done again. While no attempt has it, a person
may set its state, and those of its task runs. One that has ended may be deleted: nothing of it changes any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import immutables
import msgspec
from msgspec.structs import replace

from headwater.core.commands import (
    CancelRun,
    ClaimRun,
    ConfirmCancelled,
    CreateRun,
    DeleteRun,
    FailUnstartedRun,
    FinishRun,
    LoseAttempt,
    ParkRun,
    RecordTaskRuns,
    RenameRun,
    RescheduleRun,
    RestartRun,
    ResumeTaskRuns,
    RunCommand,
    SetRunState,
    SetTaskRunState,
    StartRun,
)
from headwater.core.errors import IllegalTransition, InvalidArgument, NotFound
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
    TaskRunCancelled,
    TaskRunEvent,
    TaskRunResumed,
)
from headwater.core.names import valid_name
from headwater.core.rules import restart, resume, set_state, task_run
from headwater.core.rules.aggregate import Rules
from headwater.core.rules.task_run import TaskRun, TaskRunKey
from headwater.core.states import FINAL, SUCCESSFUL, StateName

ATTEMPTS_MAX = 3
"""So many attempts may be lost where nobody says otherwise."""

_NO_TASK_RUN = TaskRun()
_RESTED = FINAL | {StateName.PENDING}
_UNHURT = _RESTED | {StateName.PAUSED, StateName.RESUME}
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
    cancel_requested: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure: Failure | None = None
    deleted: bool = False
    task_runs: immutables.Map[TaskRunKey, TaskRun] = immutables.Map()

    @property
    def ended(self) -> bool:
        return self.state in FINAL


def evolve(run: Run, event: AnyEvent) -> Run:  # noqa: C901, PLR0912 - one arm per event
    match event:
        case TaskRunEvent():
            key = (event.slug, event.map_index)
            changed = task_run.evolve(run.task_runs.get(key, _NO_TASK_RUN), event)
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
            return replace(run, state=state, message=event.reason or "Cancellation requested.", cancel_requested=True)
        case RunCancelled():
            return replace(run, state=StateName.CANCELLED, message=event.message, held=False, ended_at=run.ended_at or event.at)
        case RunAttemptLost():
            return replace(
                run,
                state=StateName.SCHEDULED,
                message=event.reason,
                held=False,
                attempts_lost=run.attempts_lost + (not event.handed_back),
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
                cancel_requested=False,
                ended_at=None,
                failure=None,
                task_runs=restart.without(run.task_runs, event),
            )
        case RunPaused():
            return replace(run, state=StateName.PAUSED, message=event.message, held=False)
        case RunStateSet():
            # When it ended stays so: the state that follows is another word for it.
            return replace(run, state=StateName.PENDING, message=event.reason, cancel_requested=False, failure=None)
        case RunRenamed():
            return replace(run, name=event.name)
        case RunDeleted():
            return replace(run, deleted=True)
        case _:
            return run


def _interrupted(task_runs: immutables.Map[TaskRunKey, TaskRun]) -> immutables.Map[TaskRunKey, TaskRun]:
    """Return the task runs as the next attempt finds them: what had not ended waits to be started again."""
    return task_runs.update(
        {key: replace(found, state=StateName.PENDING) for key, found in task_runs.items() if found.state not in _UNHURT}
    )


def decide(run: Run, command: RunCommand) -> Sequence[AnyEvent]:  # noqa: C901, PLR0912 - one arm per command
    if isinstance(command, CreateRun):
        return [] if run.created else _create(command)
    if run.created is None:
        raise NotFound("run", "")
    match command:
        case RestartRun() | RenameRun() | SetRunState() | SetTaskRunState() if run.deleted:
            raise IllegalTransition("The run was deleted; nothing of it changes any more.")
        case ClaimRun():
            return _claim(run, command)
        case LoseAttempt():
            return _lose(run, command)
        case ParkRun():
            return _park(run, command)
        case ResumeTaskRuns():
            return _resume(run, command)
        case StartRun():
            _require_attempt(run, command.attempt)
            return [RunStarted(command.attempt, command.at)] if run.state is StateName.SUBMITTED else []
        case RecordTaskRuns():
            return _record(run, command)
        case FinishRun():
            return _finish(run, command)
        case FailUnstartedRun():
            return _fail_unstarted(run, command)
        case CancelRun():
            return _cancel(run, command)
        case ConfirmCancelled():
            return _confirm_cancelled(run, command)
        case RescheduleRun():
            return _reschedule(run, command)
        case RestartRun():
            return _restart(run, command)
        case SetRunState():
            return _set_state(run, command)
        case SetTaskRunState():
            return _set_task_run_state(run, command)
        case RenameRun():
            name = valid_name(command.name, kind="run")
            return [] if name == run.name else [RunRenamed(name)]
        case DeleteRun():
            return _delete(run, command)


def _create(command: CreateRun) -> Sequence[AnyEvent]:
    created = RunCreated(
        run_id=command.run_id,
        flow_id=command.flow_id,
        flow_group_id=command.flow_group_id,
        project_id=command.project_id,
        project_name=command.project_name,
        flow_name=command.flow_name,
        version=command.version,
        name=valid_name(command.name, kind="run"),
        queue_id=command.queue_id,
        storage=command.storage,
        labels=command.labels,
        parameters=dict(command.parameters),
        context=dict(command.context),
        run_config=dict(command.run_config),
        idempotency_key=command.idempotency_key,
    )
    scheduled = RunScheduled(command.start_time, generation=1)
    if command.attempts_max is None:
        return [created, scheduled]
    if command.attempts_max < 1:
        raise InvalidArgument(f"At least 1 attempt must be made, not {command.attempts_max}.")
    return [created, RunAttemptsLimited(command.attempts_max), scheduled]


def _claim(run: Run, command: ClaimRun) -> Sequence[AnyEvent]:
    if run.state is not StateName.SCHEDULED or run.held or run.cancel_requested:
        raise IllegalTransition(f"The run is {run.state}; it cannot be claimed.")
    if command.generation != run.generation:
        raise IllegalTransition(f"The wake-up is of generation {command.generation}; the run is at {run.generation}.")
    return [RunSubmitted(run.attempt + 1, command.agent_id, command.agent_name)]


def _lose(run: Run, command: LoseAttempt) -> Sequence[AnyEvent]:
    if not run.held or command.attempt != run.attempt:
        return []
    lost = RunAttemptLost(command.attempt, command.reason, command.handed_back)
    if run.cancel_requested:
        return [lost, *_cancelled(run, command.at)]
    limit = run.attempts_max if command.attempts_max is None else command.attempts_max
    if run.attempts_lost + 1 >= limit and not command.handed_back:
        message = f"Attempt {command.attempt} was lost ({command.reason}); no more than {limit} attempts are made."
        return [lost, RunFailed(at=command.at, attempt=command.attempt, message=message)]
    events: list[AnyEvent] = [lost, *_resumed_before(run, command.at)]
    if command.again_at is not None:
        events.append(RunScheduled(command.again_at, generation=run.generation + 1, message=command.reason))
    return events


def _resumed_before(run: Run, at: datetime) -> list[TaskRunResumed]:
    """Let those task runs pass their pause in the next attempt that somebody had resumed in the one that is lost."""
    again = sorted(key for key, found in run.task_runs.items() if found.resumed and found.state not in _UNHURT)
    return [TaskRunResumed(slug=slug, map_index=index, at=at, message=resume.RESUMED_BEFORE) for slug, index in again]


def _park(run: Run, command: ParkRun) -> Sequence[AnyEvent]:
    _require_attempt(run, command.attempt)
    if run.state is not StateName.RUNNING:
        raise IllegalTransition(f"The run is {run.state}; it cannot wait for a later time.")
    if resume.fresh(run.task_runs, command.resumed):
        return [RunScheduled(command.at, generation=run.generation + 1, message="A task run was resumed.")]
    if command.start_time is not None:
        return [RunScheduled(command.start_time, generation=run.generation + 1, message=command.message)]
    if not resume.waits_for_people(run.task_runs.values()):
        raise IllegalTransition("No task run of the run waits to be resumed.")
    return [RunPaused(command.attempt, command.at, command.message)]


def _resume(run: Run, command: ResumeTaskRuns) -> Sequence[AnyEvent]:
    if run.ended:
        raise IllegalTransition(
            f"The run is {run.state}: nothing of it waits to be resumed.", hint="`headwater restart RUN` executes it once more."
        )
    if run.cancel_requested:
        raise IllegalTransition("The run is being cancelled: nothing of it goes on.")
    events: list[AnyEvent] = [*resume.resumed(run.task_runs, command)]
    if not events or run.held:
        return events  # its attempt takes notice, at the latest when it would park the run
    if run.state is StateName.SCHEDULED and run.start_time is not None and run.start_time <= command.at:
        return events
    return [*events, RunScheduled(command.at, generation=run.generation + 1, message=command.reason or resume.RESUMED)]


def _record(run: Run, command: RecordTaskRuns) -> Sequence[AnyEvent]:
    _require_attempt(run, command.attempt)
    if run.state not in {StateName.RUNNING, StateName.CANCELLING}:
        raise IllegalTransition(f"The run is {run.state}; its tasks cannot change.")
    seen: dict[TaskRunKey, TaskRun] = {}
    for event in command.events:
        key = (event.slug, event.map_index)
        found = seen[key] if key in seen else run.task_runs.get(key, _NO_TASK_RUN)
        task_run.check(found, event)
        seen[key] = task_run.evolve(found, event)
    return list(command.events)  # type: ignore[arg-type]


def _finish(run: Run, command: FinishRun) -> Sequence[AnyEvent]:
    if run.ended and command.attempt == run.attempt:
        return []
    _require_attempt(run, command.attempt)
    if run.state is StateName.SUBMITTED:
        raise IllegalTransition("The run is Submitted; it cannot end before it is started.")
    if command.failed:
        return [RunFailed(at=command.at, attempt=command.attempt, message=command.message, failure=command.failure)]
    return [RunSucceeded(command.attempt, command.at, command.message)]


def _fail_unstarted(run: Run, command: FailUnstartedRun) -> Sequence[AnyEvent]:
    if run.ended:
        return []
    if run.held:
        _require_attempt(run, command.attempt)
    return [RunFailed(at=command.at, attempt=command.attempt, message=command.message, failure=command.failure)]


def _cancel(run: Run, command: CancelRun) -> Sequence[AnyEvent]:
    if run.ended or run.cancel_requested:
        return []
    requested = RunCancelRequested(command.reason)
    if run.held:
        return [requested]
    return [requested, *_cancelled(run, command.at, command.reason)]


def _confirm_cancelled(run: Run, command: ConfirmCancelled) -> Sequence[AnyEvent]:
    if run.ended:
        return []
    _require_attempt(run, command.attempt)
    if not run.cancel_requested:
        raise IllegalTransition("Nobody asked to cancel the run.")
    return _cancelled(run, command.at)


def _cancelled(run: Run, at: datetime, reason: str = "") -> list[AnyEvent]:
    """End the run and those of its task runs that had begun."""
    return [*_cancelled_task_runs(run, at, "Cancelled with its run."), RunCancelled(at=at, message=reason or "Cancelled.")]


def _cancelled_task_runs(run: Run, at: datetime, message: str) -> list[AnyEvent]:
    begun = sorted(key for key, found in run.task_runs.items() if found.state not in _RESTED)
    return [TaskRunCancelled(slug=slug, map_index=index, at=at, message=message) for slug, index in begun]


def _reschedule(run: Run, command: RescheduleRun) -> Sequence[AnyEvent]:
    if run.held or run.state is not StateName.SCHEDULED or run.cancel_requested:
        raise IllegalTransition(f"The run is {run.state}; only a run that waits can be rescheduled.")
    return [RunScheduled(command.start_time, generation=run.generation + 1, message=command.message)]


def _restart(run: Run, command: RestartRun) -> Sequence[AnyEvent]:
    if not run.ended:
        raise IllegalTransition(f"The run is {run.state}; only a run that has ended can be restarted.")
    sent_back = any(found.set_by_hand and found.state not in SUCCESSFUL for found in run.task_runs.values())
    if run.state is StateName.SUCCESS and not command.from_task and not sent_back:
        raise IllegalTransition("The run succeeded: nothing of it failed or was cancelled.", hint="--from TASK says where to begin again.")
    restarted = restart.restarted(run.task_runs, command)
    return [restarted, RunScheduled(command.at, generation=run.generation + 1, message="Flow run restarted.")]


def _set_state(run: Run, command: SetRunState) -> Sequence[AnyEvent]:
    state = set_state.run_state(command.state)
    if state is StateName.CANCELLED and not run.ended:
        return _cancel(run, CancelRun(command.at, command.reason))
    if state is run.state and run.ended:
        return []
    _require_nobody(run)
    marker = RunStateSet(state.value, run.state.value, command.reason)
    if state is StateName.SCHEDULED:
        return [marker, *_schedule(run, command)]
    message = command.reason or f"Set to {state}."
    events: list[AnyEvent] = [marker]
    if not run.ended:
        events += _cancelled_task_runs(run, command.at, f"Its run was set to {state}.")
    if state is StateName.SUCCESS:
        return [*events, RunSucceeded(run.attempt, command.at, message)]
    if state is StateName.FAILED:
        return [*events, RunFailed(at=command.at, attempt=run.attempt, message=message)]
    return [*events, RunCancelled(at=command.at, message=message)]


def _schedule(run: Run, command: SetRunState) -> list[AnyEvent]:
    """Have the run executed: again, as after a restart, where it has ended."""
    scheduled = RunScheduled(
        command.start_time or command.at, generation=run.generation + 1, message=command.reason or "Flow run scheduled."
    )
    if run.state is StateName.PAUSED:
        raise IllegalTransition(
            "The run is Paused: it goes on when its paused task runs do.", hint="Resume them: `headwater resume RUN`, or set their states."
        )
    if not run.ended:
        return [scheduled]
    again = RestartRun(command.at, command.tasks, command.edges, reason=command.reason)
    return [restart.restarted(run.task_runs, again), scheduled]


def _set_task_run_state(run: Run, command: SetTaskRunState) -> Sequence[AnyEvent]:
    state = set_state.task_run_state(command.state)
    if state is StateName.RESUME:
        return _resume(run, ResumeTaskRuns(command.at, ((command.slug, command.map_index),), command.reason))
    _require_nobody(run)
    event = set_state.task_run_set(run.task_runs, command)
    if event is None:
        return []
    if run.ended or not set_state.waited(event):
        return [event]
    message = f"Task run {resume.spoken((event.slug, event.map_index))} was set to {event.state}."
    return [event, RunScheduled(command.at, generation=run.generation + 1, message=message)]


def _require_nobody(run: Run) -> None:
    if run.held:
        raise IllegalTransition(
            f"Attempt {run.attempt} executes the run, on agent {run.agent_name or run.agent_id!r}: no state of it can be set meanwhile.",
            hint="Wait for its end, or cancel it first: `headwater cancel RUN`.",
        )


def _delete(run: Run, command: DeleteRun) -> Sequence[AnyEvent]:
    if not run.ended:
        raise IllegalTransition(f"The run is {run.state}; only a run that has ended can be deleted.", hint="Cancel it first.")
    return [] if run.deleted else [RunDeleted(command.reason)]


def _require_attempt(run: Run, attempt: int) -> None:
    if not run.held or run.attempt != attempt:
        raise IllegalTransition(f"Attempt {attempt} does not hold the run: it is {run.state}, and its last attempt is {run.attempt}.")


RULES = Rules(Run(), evolve, decide)
