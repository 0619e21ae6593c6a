"""The rules of runs, as pure functions of states: whether a task starts, whether it is tried again, how a flow ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from headwater.core.text import shown
from headwater.engine.interrupts import is_interrupt
from headwater.engine.signals import StateSignal
from headwater.engine.state import (
    Cancelled,
    Failed,
    Mapped,
    Retrying,
    Running,
    Skipped,
    State,
    Success,
    TriggerFailed,
    ValidationFailed,
)
from headwater.graph.edge import Edge
from headwater.graph.task import Task


class _ChildEdge(Edge):
    """The edge from one child of a mapped task to a task that takes them all: distinct for each child."""

    __slots__ = ("map_index",)

    def __init__(self, edge: Edge, map_index: int) -> None:
        super().__init__(edge.upstream_task, edge.downstream_task, edge.key, edge.mapped, edge.flattened)
        self.map_index = map_index

    __hash__ = Edge.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ChildEdge) and self.map_index == other.map_index and super().__eq__(other)


def states_before(edges: Sequence[Edge], states: Sequence[State]) -> dict[Edge, State]:
    """Return the states that triggers see. A mapped task counts as its children where it is taken whole."""
    seen: dict[Edge, State] = {}
    for edge, state in zip(edges, states, strict=True):
        if isinstance(state, Mapped) and not edge.mapped:
            for index, child in enumerate(state.map_states):
                seen[_ChildEdge(edge, index)] = child
        else:
            seen[edge] = state
    return seen


def refusal(task: Task, edges: Sequence[Edge], states: Sequence[State]) -> State | None:
    """Return the state that `task` enters without running, given the states of the tasks before it; None if it runs."""
    before = states_before(edges, states)
    if task.skip_on_upstream_skip and any(isinstance(state, Skipped) for state in before.values()):
        return Skipped("Upstream task was skipped; set skip_on_upstream_skip=False if this task should run all the same.")
    try:
        allowed = bool(task.trigger(before))
    except StateSignal as signal:
        return signal.state
    except BaseException as error:  # a trigger may be the user's code
        if is_interrupt(error):
            raise
        return TriggerFailed(f"Unexpected error while checking the trigger: {shown(error)}", result=error)
    return None if allowed else TriggerFailed("Trigger failed")


def retry(task: Task, state: State, run_count: int, now: datetime) -> Retrying | None:
    """Return how a task that failed for the `run_count`-th time is tried again, or None if that was the last time."""
    if not isinstance(state, Failed) or isinstance(state, TriggerFailed | ValidationFailed) or run_count > task.max_retries:
        return None
    if task.retry_on is not None and not isinstance(state.result, task.retry_on):
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
