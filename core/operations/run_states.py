"""What people do to the states of runs: resume what is paused, and set states by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.errors import Conflict, InvalidArgument, VersionConflict
from headwater.core.events import EdgeSpec, ResultReference, TaskSpec
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog, RunQueues
from headwater.core.operations.flows import registration, tasks_and_edges
from headwater.core.operations.runs import NamedTask, load_run, schedule_wake_up, slug_of
from headwater.core.runs import set_state
from headwater.core.runs.commands import ResumeTaskRuns, RunCommand, SetRunState, SetTaskRunState
from headwater.core.runs.state import Run
from headwater.core.runs.task_run import TaskRunKey
from headwater.core.states import StateName
from headwater.core.values.json_values import json_problem
from headwater.core.values.moments import instant

INLINE_BYTES_MAX = 64 * 1024
"""How large a result may be that lies in an event."""


async def resume_run(
    log: EventLog, queues: RunQueues, run_id: str, actor: Actor, *, tasks: Iterable[str] = (), reason: str = ""
) -> CommandResult[Run]:
    """Let paused task runs go on: those named (`load`, `load-1`, or `load[3]` for a mapped child), or all that are paused.

    Where no attempt has the run, its next one is scheduled at once. What goes on already stays as it is; the outcome tells.

    Raises:
        InvalidArgument, NotFound, Ambiguous: there is no such run, or no such task run in it.
        IllegalTransition: it is not paused.

    """
    loaded = await load_run(log, run_id)
    named = tuple(tasks)
    keys: tuple[TaskRunKey, ...] = ()
    if named:
        specs, _ = await _tasks_and_edges(log, loaded.state)
        keys = tuple(task_run_key(each, specs) for each in named)
    outcome = await loaded.execute(ResumeTaskRuns(actor.clock(), keys, reason), actor, refresh=False)
    await schedule_wake_up(queues, outcome.state, now=actor.clock())
    return outcome


async def set_run_state(
    log: EventLog,
    queues: RunQueues,
    run_id: str,
    state: str,
    actor: Actor,
    *,
    reason: str = "",
    start_time: datetime | None = None,
    version: Position | None = None,
) -> CommandResult[Run]:
    """Set the state of a run: Success, Failed, Cancelled, or Scheduled to have it executed (at `start_time`).

    A run that an attempt executes can be cancelled this way, as `cancel_run` does it, and nothing else. With `version` the command
    is refused unless that is the run's version: the position of the last commit on it.

    Raises:
        InvalidArgument, NotFound: there is no such run, or no such state.
        IllegalTransition: an attempt executes the run, or it is paused and is to be scheduled.
        VersionConflict: the run has another version.

    """
    wanted = set_state.run_state(state)
    loaded = await load_run(log, run_id)
    specs: Sequence[TaskSpec] = ()
    edges: tuple[EdgeSpec, ...] = ()
    if wanted is StateName.SCHEDULED:
        specs, edges = await _tasks_and_edges(log, loaded.state)
    elif start_time is not None:
        raise InvalidArgument(f"A run that is set to {wanted} has no start time.")
    at = actor.clock()
    due = None if start_time is None else max(instant(start_time), at)
    command = SetRunState(at, wanted, reason, due, tuple(task.slug for task in specs), edges)
    outcome = await _execute(loaded, command, actor, version)
    if outcome.state.ended:
        await queues.cancel_timer(run_id)
    else:
        await schedule_wake_up(queues, outcome.state, now=actor.clock())
    return outcome


async def set_task_run_state(  # noqa: PLR0917 - as those beside it
    log: EventLog,
    queues: RunQueues,
    run_id: str,
    task: str,
    state: str,
    actor: Actor,
    *,
    map_index: int | None = None,
    reason: str = "",
    result: ResultReference | None = None,
    version: Position | None = None,
) -> CommandResult[Run]:
    """Set the state of a task run: Success (with an inline result, if any), Skipped, Failed, TimedOut, Cancelled, Pending, or Resume.

    The run's own state stays: restart it, or set its state. Where it waits for this task run, it goes on at once. `task` names the task
    run as in `resume_run`; `version` is as in `set_run_state`.

    Raises:
        InvalidArgument, NotFound, Ambiguous: there is no such run, task run or state.
        IllegalTransition: an attempt executes the run, or the task was mapped.
        VersionConflict: the run has another version.

    """
    wanted = set_state.task_run_state(state)
    loaded = await load_run(log, run_id)
    specs, _ = await _tasks_and_edges(log, loaded.state)
    slug, index = task_run_key(task, specs) if map_index is None else (slug_of(task, specs), map_index)
    slugs = tuple(spec.slug for spec in specs)
    command = SetTaskRunState(actor.clock(), slug, index, wanted, reason, slugs, result)
    outcome = await _execute(loaded, command, actor, version)
    await schedule_wake_up(queues, outcome.state, now=actor.clock())
    return outcome


def inline_result(value: object) -> ResultReference:
    """Return the reference that holds a value itself.

    Raises:
        InvalidArgument: it is not JSON, or larger than 64 KB.

    """
    problem = json_problem(value)
    if problem is not None:
        raise InvalidArgument(f"The result is not JSON: {problem}.")
    size = len(msgspec.json.encode(value))
    if size > INLINE_BYTES_MAX:
        raise InvalidArgument(
            f"The result has {size} bytes; {INLINE_BYTES_MAX} may be given this way.", hint="Let the task run, or give a place to look at."
        )
    return ResultReference(type="InlineResult", value=value)


def task_run_key(name: str, tasks: Sequence[NamedTask]) -> TaskRunKey:
    """Return which task run is meant by `load`, `load-1` or `load[3]`. Raises Ambiguous."""
    head, bracket, tail = name.rpartition("[")
    index = tail.removesuffix("]")
    if bracket and tail.endswith("]") and index.isascii() and index.isdecimal() and not any(task.name == name for task in tasks):
        return slug_of(head, tasks), int(index[:9])
    return slug_of(name, tasks), -1


async def _execute(run: Aggregate[Run, RunCommand], command: RunCommand, actor: Actor, version: Position | None) -> CommandResult[Run]:
    """Execute the command; with a version only on that one. Raises VersionConflict."""
    try:
        return await run.execute(command, actor, refresh=False, expected_position=version)
    except Conflict as conflict:
        if version is None:
            raise
        assert run.state.created is not None
        raise VersionConflict(run.state.created.run_id, expected=version, found=conflict.found or run.position) from conflict


async def _tasks_and_edges(log: EventLog, run: Run) -> tuple[Sequence[TaskSpec], tuple[EdgeSpec, ...]]:
    assert run.created is not None
    return await tasks_and_edges(log, await registration(log, run.created.flow_id))
