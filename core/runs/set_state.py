"""Which states a person may set, and what setting a task run's state makes of it."""

from __future__ import annotations

from headwater.core.errors import IllegalTransition, InvalidArgument, NotFound
from headwater.core.events import TaskRunStateSet
from headwater.core.runs.commands import SetTaskRunState
from headwater.core.runs.resume import format_task_run_key
from headwater.core.runs.task_run import TaskRun
from headwater.core.runs.task_runs import TaskRuns
from headwater.core.states import FINAL, StateName

RUN_STATES = (StateName.SUCCESS, StateName.FAILED, StateName.CANCELLED, StateName.SCHEDULED)
"""States that a run can be set to. Scheduled: it is executed again, as after a restart."""
TASK_RUN_STATES = (
    StateName.SUCCESS,
    StateName.SKIPPED,
    StateName.FAILED,
    StateName.TIMED_OUT,
    StateName.CANCELLED,
    StateName.PENDING,
    StateName.RESUME,
)
"""States that a task run can be set to. Pending: it is executed again. Resume: it goes on, where it is paused."""

_WAITING = frozenset({StateName.PAUSED, StateName.RETRYING})


def run_state(name: str) -> StateName:
    """Return the state of this name, however its letters are written.

    Raises:
        InvalidArgument: a run cannot be set to it.

    """
    return _one_of(RUN_STATES, name, "run")


def task_run_state(name: str) -> StateName:
    """Return the state of this name, as `run_state` does."""
    return _one_of(TASK_RUN_STATES, name, "task run")


def _one_of(states: tuple[StateName, ...], name: str, kind: str) -> StateName:
    wanted = name.replace("_", "").replace("-", "").lower()
    for state in states:
        if state.lower() == wanted:
            return state
    raise InvalidArgument(f"A {kind} cannot be set to {name!r}.", hint=f"It can be set to {', '.join(states)}.")


def task_run_set(task_runs: TaskRuns, command: SetTaskRunState) -> TaskRunStateSet | None:
    """Return what setting the state of a task run leads to; None where it is in this state already.

    Raises:
        NotFound: the flow has no such task, or nothing is recorded of this child of it.
        IllegalTransition: it became several task runs, which have states of their own.
        InvalidArgument: a result was given for a state that has none.

    """
    key = (command.slug, command.map_index)
    if command.slug not in command.tasks:
        raise NotFound("task", command.slug, hint=f"The flow's tasks are {', '.join(command.tasks)}.")
    if command.map_index >= 0 and key not in task_runs:
        raise NotFound(
            "task run", format_task_run_key(key), hint="Only children that are recorded can be set: the run has to map the task first."
        )
    if command.result is not None and command.state is not StateName.SUCCESS:
        raise InvalidArgument(f"A task run that is set to {command.state} has no result.", hint="Give one with Success only.")
    found = task_runs.get(key, TaskRun())
    if found.state is StateName.MAPPED:
        raise IllegalTransition(f"Task {command.slug} became several task runs.", hint=f"Set the state of these: {command.slug}[0] ...")
    if found.state is command.state and command.result is None:
        return None
    return TaskRunStateSet(
        slug=command.slug,
        map_index=command.map_index,
        at=command.at,
        message=command.reason or f"Set to {command.state}.",
        state=command.state.value,
        before=found.state.value,
        ended_at=(found.ended_at or command.at) if command.state in FINAL else None,
        result=command.result,
    )


def waited(event: TaskRunStateSet) -> bool:
    """Tell whether the run may have waited for the task run whose state was set."""
    return StateName(event.before) in _WAITING
