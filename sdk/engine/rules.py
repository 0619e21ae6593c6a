"""The rules of runs, as pure functions of states: whether a task starts, whether it is tried again, how a flow ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from headwater.core.text import shown
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.context.values import current_values
from headwater.sdk.language.constants import Constant
from headwater.sdk.language.edge import Edge
from headwater.sdk.language.task import Task
from headwater.sdk.language.triggers import all_successful, manual_only
from headwater.sdk.states.signals import StateSignal
from headwater.sdk.states.state import Cancelled, Failed, Mapped, Retrying, Running, Skipped, State, Success, TriggerFailed

NO_CONSTANTS: Mapping[str, Any] = MappingProxyType({})


def refusal(task: Task, edges: Sequence[Edge], states: Sequence[State], constants: Mapping[str, Any] = NO_CONSTANTS) -> State | None:
    """Return the state that `task` enters without running, given the states of the tasks before it; None if it runs.

    `constants` are the arguments that are values: its trigger gets them as tasks that succeeded.
    """
    return _skip(task, edges, states) or _trigger_refusal(task, edges, states, constants)


def refusal_of_parent(task: Task, edges: Sequence[Edge], states: Sequence[State]) -> State | None:
    """Return the state that a mapped task enters without children; None if it has some, each of which asks its trigger itself.

    Only a trigger that waits for a person is asked once, before there are children: who resumes the task means all of it.
    """
    skipped = _skip(task, edges, states)
    return skipped if skipped is not None or task.trigger is not manual_only else _trigger_refusal(task, edges, states)


def _skip(task: Task, edges: Sequence[Edge], states: Sequence[State]) -> Skipped | None:
    if task.skip_on_upstream_skip:
        for edge, state in zip(edges, states, strict=True):
            # Each child of a mapped task looks at the one child that it takes; the task itself does not ask.
            seen = state.map_states if isinstance(state, Mapped) and not edge.mapped else (state,)
            if any(isinstance(each, Skipped) for each in seen):
                return Skipped("Upstream task was skipped; set skip_on_upstream_skip=False if this task should run all the same.")
    return None


def _trigger_refusal(
    task: Task, edges: Sequence[Edge], states: Sequence[State], constants: Mapping[str, Any] = NO_CONSTANTS
) -> State | None:
    upstream_states = dict(zip(edges, states, strict=True))
    if task.trigger is not all_successful:
        for argument, value in constants.items():
            upstream_states[Edge(Constant(value), task, argument)] = Success("A constant.", result=value)
    try:
        allowed = bool(task.trigger(upstream_states))
    except StateSignal as signal:
        return signal.state
    except BaseException as error:  # a trigger may be the user's code
        if is_interrupt(error) or current_values.get().get("raise_on_exception"):
            raise
        return TriggerFailed(f"Unexpected error while checking the trigger: {shown(error)}", result=error)
    return None if allowed else TriggerFailed("Trigger failed")


def retry(task: Task, state: State, run_count: int, now: datetime) -> Retrying | None:
    """Return how a task that failed for the `run_count`-th time is tried again, or None if that was the last time."""
    if not isinstance(state, Failed) or run_count > task.max_retries:
        return None
    if task.retry_on is not None and state.result is not None and not isinstance(state.result, tuple(task.retry_on)):
        return None
    return Retrying(
        f"Retrying Task (after attempt {run_count} of {task.max_retries + 1})",
        result=state.result,
        start_time=now + (task.retry_delay or timedelta(0)),
        run_count=run_count,
    )


def flow_outcome(reference_states: Iterable[State], last_states: Iterable[State]) -> State:
    """Return the state of a flow whose reference tasks and last tasks are in these states.

    While one of them is not over, the flow stays Running.
    """
    references = list(_with_children(reference_states))
    if not all(state.is_finished() for state in (*references, *_with_children(last_states))):
        return Running("Terminal tasks are incomplete.")
    if any(isinstance(state, Failed) for state in references):
        return Failed("Some reference tasks failed.")
    if all(isinstance(state, Success) for state in references):
        return Success("All reference tasks succeeded.")
    if any(isinstance(state, Cancelled) for state in references):
        return Cancelled("Some reference tasks were cancelled.")
    return Success("No reference tasks failed.")


def _with_children(states: Iterable[State]) -> Iterable[State]:
    for state in states:
        if isinstance(state, Mapped) and state.map_states:
            yield from state.map_states
        else:
            yield state
