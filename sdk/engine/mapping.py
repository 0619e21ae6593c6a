"""Mapped tasks: into which task runs they fall, and what each of these takes."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from headwater.core.text import shown
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.context.logging import get_logger
from headwater.sdk.language.edge import Edge
from headwater.sdk.states.state import Failed, Mapped, Skipped, State, Success

CHILDREN_MAX = 1_000_000


def states_of_children(edges: Sequence[Edge], states: Sequence[State], known: int | None = None) -> list[list[State]] | Failed:
    """Return, for each child of a mapped task, the states before it, one for each edge; or why there cannot be any.

    There are as many children as the shortest of the inputs has elements. An input that is not mapped over goes to
    each child whole, and so does the failure of one that is. `known` is how many there were before, where that is known: there are no
    more of them now, and no fewer where only their number is left of an input.
    """
    if not any(edge.mapped and state.is_successful() for edge, state in zip(edges, states, strict=True)):
        return Failed("None of the results before this task can be mapped over: the tasks failed.")
    columns: list[list[State] | None] = []
    for edge, state in zip(edges, states, strict=True):
        if not edge.mapped or not state.is_successful() or (known is not None and not state.is_mapped() and state.result is None):
            columns.append(None)
            continue
        elements = _elements(edge, state)
        if isinstance(elements, Failed):
            return elements
        columns.append(elements)
    counts = [len(column) for column in columns if column is not None]
    if known is not None:
        counts.append(known)
    whole = [_for_all_children(edge, state) for edge, state in zip(edges, states, strict=True)]
    return [
        [state if column is None else column[index] for column, state in zip(columns, whole, strict=True)] for index in range(min(counts))
    ]


def flattened_value(edge: Edge, state: State) -> Any:
    """Return what a task takes of `flatten(...)` without being mapped: the elements of the elements.

    What has no elements is passed on as it is: a child of a mapped task, or else the whole.
    """
    if isinstance(state, Mapped):
        return [child.result for child in _flattened_children(edge, state.map_states)]
    return _flattened(state.result, None)


def _for_all_children(edge: Edge, state: State) -> State:
    if not edge.mapped or state.is_successful():
        return state
    # Each child hears of the failure; what it would have taken is not there.
    failed = copy.copy(state)
    failed.result = None
    return failed


def _elements(edge: Edge, state: State) -> list[State] | Failed:
    if isinstance(state, Mapped):
        return _flattened_children(edge, state.map_states) if edge.flattened else state.map_states
    before = f"The task cannot be mapped over the result of {edge.upstream_task.name!r}"
    try:
        value = _flattened(state.result, CHILDREN_MAX + 1) if edge.flattened else state.result
        values = _taken_apart(value)
        if values is None:
            return Failed(
                f"{before}: a value of type {type(value).__name__} has no elements. Wrap inputs that are the same for all in unmapped(...)."
            )
        elements = list(islice(values, CHILDREN_MAX + 1))
    except BaseException as error:  # looking for elements runs the code of what there is
        if is_interrupt(error):
            raise
        return Failed(f"{before}: taking it apart raised {shown(error)}.", result=error)
    if len(elements) > CHILDREN_MAX:
        return Failed(f"{before}: it has more than {CHILDREN_MAX:,} elements, if it ends at all.")
    return [Success(result=element) for element in elements]


def _taken_apart(value: Any) -> Iterator[Any] | None:
    try:
        iterator: Iterator[Any] = iter(value)
    except TypeError:
        return None
    return iterator


def _flattened(value: Any, at_most: int | None) -> Any:
    """Return the elements of the elements of a value; the value itself, where it or one of them has none."""
    try:
        return list(islice((inner for outer in value for inner in outer), at_most))
    except TypeError:
        return value


def _flattened_children(edge: Edge, children: Sequence[State]) -> list[State]:
    flat: list[State] = []
    whole = 0
    for child in children:
        if not child.is_successful() or isinstance(child, Skipped):
            # It has no elements; what comes after it hears of the failure, or of the skip, once.
            flat.append(child)
        elif hasattr(child.result, "__len__") and hasattr(child.result, "__getitem__"):
            flat.extend(Success(result=value) for value in child.result)
        else:
            flat.append(child)
            whole += 1
    if whole:
        get_logger("FlowRunner").warning(
            "flatten(...) passes %d of %d results of task '%s' on as they are: they have no elements.",
            whole,
            len(children),
            edge.upstream_task.name,
        )
    return flat
