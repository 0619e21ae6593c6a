"""`apply_map`: a part of a flow, written as a function of single elements, whose tasks are all mapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headwater.graph.errors import InvalidFlow
from headwater.graph.flow import Flow
from headwater.graph.task import Task
from headwater.tasks.core.constants import Constant
from headwater.utilities.edges import unwrapped
from headwater.utilities.tasks import as_task, holds_tasks


@dataclass
class _Input:
    task: Task
    is_mapped: bool
    is_flattened: bool


def build_mapped_part(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], flow: Flow) -> Any:
    """Call the function on a flow of its own, and add what it built to `flow`, mapped over the inputs that are not `unmapped`.

    Raises:
        InvalidFlow: the function maps itself.

    """
    part = Flow("part of a flow")
    inputs: dict[Task, _Input] = {}

    def as_input(given: Any) -> Any:
        value, is_mapped, is_flattened = unwrapped(given, is_mapped=True)
        if not is_mapped and not is_flattened and not holds_tasks(value):
            return value
        task = as_task(value, flow=flow) if holds_tasks(value) else Constant(value)
        if task in inputs and inputs[task].is_mapped != is_mapped:
            raise InvalidFlow(f"{task.name!r} is given to apply_map twice, mapped and unmapped.", hint="Give it in one way.")
        inputs[task] = _Input(task, is_mapped, is_flattened)
        return task

    with part:
        built = function(*(as_input(each) for each in args), **{name: as_input(each) for name, each in kwargs.items()})
    _add(part, flow, inputs)
    return built


def _add(part: Flow, flow: Flow, inputs: Mapping[Task, _Input]) -> None:
    mapped: set[Task] = {each.task for each in inputs.values() if each.is_mapped}
    for task in part.sorted_tasks():
        # What depends on no element is there once for all of them.
        if task not in inputs and any(before in mapped for before in part.upstream_tasks(task)):
            mapped.add(task)
    for task in part.tasks:
        if task not in inputs:
            task_in_flow = flow.add_task(task)
            for key, value in part.constants.get(task, {}).items():
                flow.set_constant(task_in_flow, key, value)
    for edge in part.edges:
        if edge.mapped or edge.flattened:
            raise InvalidFlow(
                f"The function given to apply_map maps task {edge.downstream_task.name!r} itself; maps in maps are not possible.",
                hint="Call the task without .map, or flatten the elements first.",
            )
        before = inputs.get(edge.upstream_task)
        flow.add_edge(
            edge.upstream_task,
            edge.downstream_task,
            edge.key,
            mapped=edge.upstream_task in mapped,
            flattened=before is not None and before.is_flattened,
        )
