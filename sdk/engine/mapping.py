"""Mapped tasks: into which task runs they fall, and what each of these takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from headwater.core.text import shown
from headwater.engine.interrupts import is_interrupt
from headwater.engine.state import Failed, Mapped, State, Success
from headwater.graph.edge import Edge

CHILDREN_MAX = 1_000_000


def states_of_children(edges: Sequence[Edge], states: Sequence[State]) -> list[list[State]] | Failed:
    """Return, for each child of a mapped task, the states before it, one for each edge; or why there cannot be any.

    There are as many children as the shortest of the inputs has elements. An input that is not mapped over goes to
    each child whole.
    """
    columns: list[list[State] | None] = []
    for edge, state in zip(edges, states, strict=True):
        if not edge.mapped:
            columns.append(None)
            continue
        try:
            columns.append(_elements(edge, state))
        except BaseException as error:  # looking for elements runs the code of what there is
            if is_interrupt(error):
                raise
            if not isinstance(error, TypeError):
                return Failed(
                    f"The task cannot be mapped over the result of {edge.upstream_task.name!r}: taking it apart raised {shown(error)}.",
                    result=error,
                )
            kind = type(state.result).__name__
            flattened = f"{shown(error, str)}. What is flattened is a list of lists"
            why = flattened if edge.flattened else f"a value of type {kind} has no elements"
            return Failed(
                f"The task cannot be mapped over the result of {edge.upstream_task.name!r}: {why}. "
                "Wrap inputs that are the same for all in unmapped(...).",
                result=error,
            )
    lengths = [len(column) for column in columns if column is not None]
    return [
        [state if column is None else column[index] for column, state in zip(columns, states, strict=True)]
        for index in range(min(lengths, default=0))
    ]


def _elements(edge: Edge, state: State) -> list[State] | None:
    if isinstance(state, Mapped):
        return _flattened(state.map_states) if edge.flattened else state.map_states
    if edge.key is None and not isinstance(state.result, Iterable):
        # An order without data: nothing to take apart.
        return None
    values = list(islice(iter(state.result), CHILDREN_MAX + 1))
    if edge.flattened:
        values = list(islice((value for inner in values for value in inner), CHILDREN_MAX + 1))
    if len(values) > CHILDREN_MAX:
        raise ValueError(f"it has more than {CHILDREN_MAX:,} elements, if it ends at all")
    return [Success(result=value) for value in values]


def _flattened(children: Sequence[State]) -> list[State]:
    flat: list[State] = []
    for child in children:
        if child.is_successful():
            flat.extend(Success(result=value) for value in child.result)
        else:
            # It has no elements; what comes after it hears of the failure once.
            flat.append(child)
    return flat
