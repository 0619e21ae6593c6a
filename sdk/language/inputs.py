"""What tasks are given as inputs: values and collections of tasks become tasks themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from headwater.sdk.language.active_flow import active_flow
from headwater.sdk.language.annotations import EdgeAnnotation
from headwater.sdk.language.collections import Container, Dict, List, Set, Tuple
from headwater.sdk.language.constants import Constant
from headwater.sdk.language.containers import elements_of, maker_for
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.task import Task

if TYPE_CHECKING:
    from headwater.sdk.language.flow_graph import FlowGraph


def as_task(value: Any, flow: FlowGraph | None = None) -> Task:
    """Return a task for `value`: itself if it is one, a task that makes a container of the same kind, or a constant.

    Raises:
        InvalidTask: the value holds itself.
        NoActiveFlow: it holds tasks, and no flow is being built.

    """
    if isinstance(value, EdgeAnnotation):
        return as_task(value.value, flow)
    if isinstance(value, Task):
        return value
    if not holds_tasks(value):
        return Constant(value)
    flow = flow or active_flow(f"use {value!r} as a task", instead="the tasks one by one")
    _refuse_cycle(value)
    if type(value) is dict:
        return Dict().bind(keys=list(value), values=list(value.values()), flow=flow)
    if isinstance(value, set | frozenset):
        # A set has no order of its own, but slugs and hashes of flows need one that is the same in every process.
        elements: Iterable[Any] = sorted(value, key=lambda element: _sort_key(element, flow))
    else:
        elements = elements_of(value) or ()
    kind = _COLLECTIONS.get(type(value))
    made: Task = Container(maker_for(value), name=type(value).__name__) if kind is None else kind()
    return made.bind(*elements, flow=flow)


_COLLECTIONS: dict[type, type[Task]] = {list: List, tuple: Tuple, set: Set}


def _sort_key(element: Any, flow: FlowGraph) -> str:
    return f"task {flow.slugs.get(element) or element.name}" if isinstance(element, Task) else f"constant {element!r}"


def holds_tasks(value: Any) -> bool:
    """Tell whether `value` is a task, or a container with a task somewhere in it."""
    if isinstance(value, Task | EdgeAnnotation):
        return True
    elements = elements_of(value)
    return elements is not None and _any_task(elements, {id(value)})


def _any_task(elements: Iterable[Any], seen: set[int]) -> bool:
    waiting = [elements]
    while waiting:
        for element in waiting.pop():
            if isinstance(element, Task | EdgeAnnotation):
                return True
            inner = elements_of(element)
            # Objects may hold each other in a circle, as parents and children do.
            if inner is not None and id(element) not in seen:
                seen.add(id(element))
                waiting.append(inner)
    return False


def _refuse_cycle(value: Any, around: tuple[int, ...] = ()) -> None:
    elements = elements_of(value)
    if elements is None or isinstance(value, Task | EdgeAnnotation) or not holds_tasks(value):
        return
    if id(value) in around:
        raise InvalidTask(
            f"A {type(value).__name__} that holds a task holds itself too, so it cannot be made of results.",
            hint="Give the tasks in a list of their own.",
        )
    for element in elements:
        _refuse_cycle(element, (*around, id(value)))
