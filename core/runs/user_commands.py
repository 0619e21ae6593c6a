"""What people do to a run: create, cancel, reschedule, resume, restart and delete it, and set the states in it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from headwater.core import hints
from headwater.core.errors import IllegalTransition, InvalidArgument
from headwater.core.events import (
    AnyEvent,
    RunAttemptsLimited,
    RunCancelled,
    RunCancelRequested,
    RunDeleted,
    RunFailed,
    RunScheduled,
    RunStateSet,
    RunSucceeded,
)
from headwater.core.hints import hint
from headwater.core.runs import restart, resume, set_state
from headwater.core.runs.attempt_commands import cancelled, cancelled_task_runs
from headwater.core.runs.commands import (
    CancelRun,
    CreateRun,
    DeleteRun,
    RescheduleRun,
    RestartRun,
    ResumeTaskRuns,
    SetRunState,
    SetTaskRunState,
)
from headwater.core.runs.state import Run
from headwater.core.states import SUCCESSFUL, StateName
from headwater.core.values.names import valid_name


def create(command: CreateRun) -> Sequence[AnyEvent]:
    created = replace(command.created, name=valid_name(command.created.name, kind="run"))
    scheduled = RunScheduled(command.due_at, generation=1)
    if command.attempts_max is None:
        return [created, scheduled]
    if command.attempts_max < 1:
        raise InvalidArgument(f"At least 1 attempt must be made, not {command.attempts_max}.")
    return [created, RunAttemptsLimited(command.attempts_max), scheduled]


def cancel(run: Run, command: CancelRun) -> Sequence[AnyEvent]:
    if run.ended or run.cancel_requested:
        return []
    requested = RunCancelRequested(command.reason, str(command.cause))
    if run.held:
        return [requested]
    return [requested, *cancelled(run, command.at, command.reason)]


def reschedule(run: Run, command: RescheduleRun) -> Sequence[AnyEvent]:
    if not run.waits or run.cancel_requested:
        raise IllegalTransition(f"The run is {run.state}; only a run that waits can be rescheduled.")
    return [RunScheduled(command.due_at, generation=run.generation + 1, message=command.message)]


def resume_task_runs(run: Run, command: ResumeTaskRuns) -> Sequence[AnyEvent]:
    if run.ended:
        raise IllegalTransition(
            f"The run is {run.state}: nothing of it waits to be resumed.",
            hint=hint("{} executes it once more.", hints.RestartRunAction(run.created.run_id)),
        )
    if run.cancel_requested:
        raise IllegalTransition("The run is being cancelled: nothing of it goes on.")
    events: list[AnyEvent] = [*resume.resumed(run.task_runs, command)]
    if not events or run.held:
        return events  # its attempt takes notice, at the latest when it would park the run
    if run.waits and run.due_at is not None and run.due_at <= command.at:
        return events
    return [*events, RunScheduled(command.at, generation=run.generation + 1, message=command.reason or resume.RESUMED)]


def restart_run(run: Run, command: RestartRun) -> Sequence[AnyEvent]:
    if not run.ended:
        raise IllegalTransition(f"The run is {run.state}; only a run that has ended can be restarted.")
    sent_back = any(found.set_manually and found.state not in SUCCESSFUL for found in run.task_runs.values())
    if run.state is StateName.SUCCESS and not command.from_task and not sent_back:
        raise IllegalTransition("The run succeeded: nothing of it failed or was cancelled.", hint="--from TASK says where to begin again.")
    restarted = restart.restarted(run.task_runs, command)
    return [restarted, RunScheduled(command.at, generation=run.generation + 1, message="Flow run restarted.")]


def set_run_state(run: Run, command: SetRunState) -> Sequence[AnyEvent]:
    state = set_state.run_state(command.state)
    if state is StateName.CANCELLED and not run.ended:
        return cancel(run, CancelRun(command.at, command.reason))
    if state is run.state and run.ended:
        return []
    _require_no_attempt(run)
    marker = RunStateSet(state.value, run.state.value, command.reason)
    if state is StateName.SCHEDULED:
        return [marker, *_schedule(run, command)]
    message = command.reason or f"Set to {state}."
    events: list[AnyEvent] = [marker]
    if not run.ended:
        events += cancelled_task_runs(run, command.at, f"Its run was set to {state}.")
    if state is StateName.SUCCESS:
        return [*events, RunSucceeded(run.attempt, command.at, message)]
    if state is StateName.FAILED:
        return [*events, RunFailed(at=command.at, attempt=run.attempt, message=message)]
    return [*events, RunCancelled(at=command.at, message=message)]


def _schedule(run: Run, command: SetRunState) -> list[AnyEvent]:
    """Have the run executed: again, as after a restart, where it has ended."""
    scheduled = RunScheduled(command.due_at or command.at, generation=run.generation + 1, message=command.reason or "Flow run scheduled.")
    if run.state is StateName.PAUSED:
        raise IllegalTransition(
            "The run is Paused: it goes on when its paused task runs do.",
            hint=hint("Resume them: {}, or set their states.", hints.ResumeRunAction(run.created.run_id)),
        )
    if not run.ended:
        return [scheduled]
    again = RestartRun(command.at, command.tasks, command.edges, reason=command.reason)
    return [restart.restarted(run.task_runs, again), scheduled]


def set_task_run_state(run: Run, command: SetTaskRunState) -> Sequence[AnyEvent]:
    state = set_state.task_run_state(command.state)
    if state is StateName.RESUME:
        return resume_task_runs(run, ResumeTaskRuns(command.at, ((command.slug, command.map_index),), command.reason))
    _require_no_attempt(run)
    event = set_state.task_run_set(run.task_runs, command)
    if event is None:
        return []
    if run.ended or not set_state.waited(event):
        return [event]
    message = f"Task run {resume.format_task_run_key((event.slug, event.map_index))} was set to {event.state}."
    return [event, RunScheduled(command.at, generation=run.generation + 1, message=message)]


def _require_no_attempt(run: Run) -> None:
    if run.held:
        raise IllegalTransition(
            f"Attempt {run.attempt} executes the run, on agent {run.agent_name or run.agent_id!r}: no state of it can be set meanwhile.",
            hint=hint("Wait for its end, or cancel it first: {}.", hints.CancelRunAction(run.created.run_id)),
        )


def delete(run: Run, command: DeleteRun) -> Sequence[AnyEvent]:
    if not run.ended:
        raise IllegalTransition(f"The run is {run.state}; only a run that has ended can be deleted.", hint="Cancel it first.")
    return [] if run.deleted else [RunDeleted(command.reason)]
