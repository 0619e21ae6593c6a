"""`apply_map`: a part of a flow, written as a function of single elements, whose tasks are all mapped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from headwater.sdk.context.context import context
from headwater.sdk.language.annotations import check_elements, unwrapped
from headwater.sdk.language.edge import Edge
from headwater.sdk.language.errors import InvalidFlow
from headwater.sdk.language.flow import Flow
from headwater.sdk.language.inputs import as_task, holds_tasks
from headwater.sdk.language.parameter import Parameter
from headwater.sdk.language.resource_manager import ResourceSetupTask
from headwater.sdk.language.task import Task


class _Input(NamedTuple):
    is_mapped: bool
    is_flattened: bool


class _Part(Flow):
    """What the function builds: a flow of its own, whose tasks then become mapped tasks of the flow around it."""

    def __init__(self, around: Flow) -> None:
        super().__init__("part of a flow")
        self.around = around
        self.inputs: dict[Task, _Input] = {}
        self.made_for_inputs: frozenset[Task] = frozenset()

    def add_input(self, given: Any) -> Task:
        """Add what `apply_map` was given, and return the task that the function gets for it.

        Raises:
            WrongArguments: it has no elements.
            InvalidFlow: it was given before, in another way.

        """
        value, is_mapped, is_flattened = unwrapped(given, is_mapped=True)
        if is_mapped and not is_flattened and not holds_tasks(value):
            check_elements(value, purpose="The function given to apply_map")
        # A collection of tasks has the elements of their results: it is mapped as they are. A whole one is made once, outside.
        task = as_task(value, flow=self if is_mapped else self.around)
        new = _Input(is_mapped, is_flattened)
        if self.inputs.setdefault(task, new) != new:
            raise InvalidFlow(f"{task.name!r} is given to apply_map twice, mapped and unmapped.", hint="Give it in one way.")
        return self.add_task(task)

    def build(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, pass_flow: bool) -> Any:
        """Call the function with the inputs, and return what it returns."""
        # They are there before it is called: what it uses first inside a `case` is not a task of this case.
        positional = [self.add_input(each) for each in args]
        by_name = {name: self.add_input(each) for name, each in kwargs.items()}
        self.made_for_inputs = frozenset(self.tasks)
        with self:
            return function(*positional, **by_name, **({"flow": self} if pass_flow else {}))

    def add_task(self, task: Task) -> Task:
        if task in self.around:
            with context(blocks=()):
                return super().add_task(task)
        return super().add_task(task)

    def add_edge(  # noqa: PLR0917 - that of all flows
        self,
        upstream_task: Any,
        downstream_task: Any,
        key: str | None = None,
        mapped: bool = False,
        flattened: bool = False,
        validate: bool | None = None,
    ) -> Edge:
        if mapped or flattened:
            raise InvalidFlow(
                f"The function given to apply_map maps task {downstream_task.name!r} itself; maps in maps are not possible.",
                hint="Call the task without .map, or flatten the elements first.",
            )
        return super().add_edge(upstream_task, downstream_task, key, validate=validate)

    def stands_for_its_value(self, task: Task) -> bool:
        return task not in self.inputs and super().stands_for_its_value(task)

    def edge_around(self, edge: Edge) -> _Input:
        """Return how the flow around feeds the edge's downstream task."""
        task = edge.upstream_task
        if task in self.inputs:
            return self.inputs[task]
        # What the whole flow has one of is the same for all elements, unless it was given to be mapped over.
        is_one_for_all = isinstance(task, Parameter) or (isinstance(task, ResourceSetupTask) and task in self.around)
        return _Input(not is_one_for_all or edge.downstream_task in self.made_for_inputs, False)

    def new_tasks(self) -> list[Task]:
        """Return what the function made."""
        return [task for task in self.tasks if task not in self.made_for_inputs and task not in self.around]


def build_mapped_pipeline(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], flow: Flow, *, pass_flow: bool = False
) -> Any:
    """Call the function on a flow of its own, and add what it built to `flow`, mapped over the inputs that are not `unmapped`.

    With `pass_flow`, the function gets that flow of its own as its argument `flow`.

    Raises:
        WrongArguments: one of the inputs has no elements.
        InvalidFlow: the function maps itself.

    """
    part = _Part(flow)
    # A `case` that is open around takes the tasks when they are added to the flow that it is in.
    with context(blocks=(), flow=None):
        built = part.build(function, args, kwargs, pass_flow=pass_flow)
    new, edges = part.new_tasks(), [(edge, part.edge_around(edge)) for edge in part.edges]
    for task in part.tasks:
        is_mapped_input = task in part.inputs and part.inputs[task].is_mapped
        if is_mapped_input or not part.stands_for_its_value(task):
            flow.add_task(task)
    for edge, (is_mapped, is_flattened) in edges:
        flow.add_edge(edge.upstream_task, edge.downstream_task, edge.key, is_mapped, is_flattened)
    for task, constants in part.constants.items():
        for key, value in constants.items():
            flow.set_constant(task, key, value)
    _let_wait_for_inputs(new, part.inputs, flow)
    return built


def _let_wait_for_inputs(new: Sequence[Task], inputs: Mapping[Task, _Input], flow: Flow) -> None:
    """Let the first of the new tasks wait for each input, so that all of them have as many children as the shortest input has elements."""
    inside = set(new)
    for task in new:
        before = flow.upstream_tasks(task)
        if isinstance(task, Parameter) or not inside.isdisjoint(before):
            continue
        for given, (is_mapped, is_flattened) in inputs.items():
            if given not in before and (is_mapped or not flow.stands_for_its_value(given)):
                flow.add_edge(given, task, None, is_mapped, is_flattened)
