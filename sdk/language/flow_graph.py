"""What is in a flow, and how it is put together: tasks, edges, constants, and which of the tasks decide how a run ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from headwater.sdk.context.configuration import config
from headwater.sdk.context.values import current_values
from headwater.sdk.language import flow_settings as settings
from headwater.sdk.language.annotations import check_elements, unwrapped
from headwater.sdk.language.constants import Constant
from headwater.sdk.language.edge import Edge
from headwater.sdk.language.errors import InvalidFlow
from headwater.sdk.language.inputs import as_task, holds_tasks
from headwater.sdk.language.parameter import Parameter
from headwater.sdk.language.run_signature import check_takes
from headwater.sdk.language.structure import TaskGraph
from headwater.sdk.language.task import Task

if TYPE_CHECKING:
    from headwater.core.calendar import Schedule


class FlowGraph(TaskGraph):
    """The graph of a flow: as `TaskGraph`, with values and annotated tasks wherever a task is taken, and with reference tasks."""

    name: str
    schedule: Schedule | None
    _reference_tasks: tuple[Task, ...] | None

    def add_task(self, task: Task) -> Task:
        """Add a task, give it its slug, and return it. Adding it again changes nothing.

        Raises:
            InvalidFlow: another task of the flow has this slug.

        """
        if task in self._tasks:
            return task
        super().add_task(task)
        values = current_values.get()
        if (made := values.get("made_tasks")) is not None:
            made.discard(task)
        blocks = values.get("blocks")
        if blocks and task.belongs_to_blocks:
            for block in blocks:
                block.add_task(task, self)
        return task

    def add_edge(  # noqa: PLR0917 - the signature people know
        self,
        upstream_task: Any,
        downstream_task: Any,
        key: str | None = None,
        mapped: bool = False,
        flattened: bool = False,
        validate: bool | None = None,
    ) -> Edge:
        """Connect two tasks, adding those the flow does not have, and return the edge.

        Either may be annotated, as in `flow.add_edge(mapped(a), b, key="x")`, and the first may be a value or a collection of tasks.
        With `validate`, or where `flows.eager_edge_validation` is configured, a circle, and an argument that the task does not take, are
        refused here and not when the flow runs; and so is the same edge twice, where it feeds an argument.

        Raises:
            WrongArguments: the downstream task does not take the argument `key`, and the edge is to be validated.
            InvalidFlow: the argument `key` is fed by something else already, a task would feed itself, or a parameter be fed.
            InvalidTask: `key` is not a Python identifier.

        """
        if not (isinstance(upstream_task, Task) and isinstance(downstream_task, Task)):
            given = Edge(upstream_task, downstream_task, key, mapped, flattened, flow=self)
            return self.add_edge(given.upstream_task, given.downstream_task, key, given.mapped, given.flattened, validate)
        if key is not None and not (mapped or flattened) and self.stands_for_its_value(upstream_task):
            assert isinstance(upstream_task, Constant)
            self.add_task(downstream_task)
            self.set_constant(downstream_task, key, upstream_task.value)
            return Edge(upstream_task, downstream_task, key)
        is_validated = config["flows"]["eager_edge_validation"] if validate is None else validate
        if is_validated and key is not None and key in self._fed_arguments.get(downstream_task, ()):
            raise InvalidFlow(f"The argument {key!r} of task {downstream_task.name!r} is fed already.")
        edge = super().add_edge(upstream_task, downstream_task, key, mapped, flattened)
        if is_validated:
            check_takes(downstream_task, key)
            self.sorted_tasks()
        return edge

    def stands_for_its_value(self, task: Task) -> bool:
        """Tell whether a task that feeds an argument need not run: the argument is a constant of the flow."""
        return isinstance(task, Constant)

    def operator_task(self, operation: str) -> type[Task]:
        """Return the kind of tasks that an operator between two tasks adds, such as `Add`."""
        # Tasks do not know these, since they are tasks; most flows have none.
        from headwater.sdk.language import operator_tasks

        kind: type[Task] = getattr(operator_tasks, operation)
        return kind

    def set_dependencies(  # noqa: PLR0917 - the signature people know
        self,
        task: Any,
        upstream_tasks: Iterable[Any] | None = None,
        downstream_tasks: Iterable[Any] | None = None,
        keyword_tasks: Mapping[str, Any] | None = None,
        mapped: bool = False,
        validate: bool | None = None,
    ) -> None:
        """Add a task and say what runs before it, what runs after it, and what feeds its arguments.

        Values that are not tasks become constants; lists, tuples, sets and dicts may hold tasks at any depth. With
        `mapped`, each input is mapped over unless it is wrapped in `unmapped`.

        Raises:
            InvalidFlow: an argument is fed twice.

        """
        task = as_task(task, flow=self)
        self.add_task(task)
        for before in settings.several("upstream_tasks", upstream_tasks):
            value, is_mapped, is_flattened = unwrapped(before, is_mapped=mapped)
            self.add_edge(as_task(value, flow=self), task, None, is_mapped, is_flattened)
        for after in settings.several("downstream_tasks", downstream_tasks):
            self.add_edge(task, as_task(after, flow=self), None, mapped)
        for key, given in (keyword_tasks or {}).items():
            value, is_mapped, is_flattened = unwrapped(given, is_mapped=mapped)
            if is_mapped and not is_flattened and not holds_tasks(value):
                check_elements(value, purpose=f"Task {task.name!r}")
            if is_mapped or is_flattened or holds_tasks(value):
                self.add_edge(as_task(value, flow=self), task, key, is_mapped, is_flattened)
            else:
                self.set_constant(task, key, value)
        if validate:
            self.validate()

    def parameters(self) -> set[Parameter]:
        """Return the parameters of the flow."""
        return {task for task in self._tasks if isinstance(task, Parameter)}

    def reference_tasks(self) -> set[Task]:
        """Return the tasks whose states decide whether a run succeeded."""
        if self._reference_tasks is not None:
            return set(self._reference_tasks)
        # What matters is what was done with a resource, not that it was cleaned up, whatever comes after that.
        return {
            task
            for task, edges in self._edges_from.items()
            if task.decides_outcome and not any(edge.downstream_task.decides_outcome for edge in edges)
        }

    def set_reference_tasks(self, tasks: Iterable[Task]) -> None:
        """Choose the tasks whose states decide whether a run succeeded; an empty list chooses the last ones again.

        Raises:
            InvalidFlow: one of them is not in the flow.

        """
        self._reference_tasks = tuple(self._known(task) for task in dict.fromkeys(tasks)) or None
        self._changed()

    def replace(self, old: Task, new: Task, validate: bool | None = None) -> None:
        """Put `new` in the place of `old`, with all of its edges and constants."""
        references = self._reference_tasks
        super().replace(old, as_task(new, flow=self))
        if references is not None:
            self._reference_tasks = tuple(new if task is old else task for task in references)
        if validate:
            self.validate()

    def update(
        self,
        flow: FlowGraph,
        merge_parameters: bool = False,
        validate: bool | None = None,
        merge_reference_tasks: bool = False,
    ) -> None:
        """Add the tasks, edges and constants of another flow.

        With `merge_parameters`, a parameter of the other flow takes the place of one of the same name here, with its default.
        """
        if merge_parameters:
            theirs = {parameter.name: parameter for parameter in flow.parameters()}
            for mine in self.parameters():
                if mine.name in theirs and mine is not theirs[mine.name]:
                    self.replace(mine, theirs[mine.name])
        for task in flow.tasks:
            self.add_task(task)
        for edge in flow.edges:
            self.add_edge(edge.upstream_task, edge.downstream_task, edge.key, edge.mapped, edge.flattened)
        for task, constants in flow.constants.items():
            for key, value in constants.items():
                self.set_constant(task, key, value)
        if merge_reference_tasks:
            self.set_reference_tasks([*self.reference_tasks(), *flow.reference_tasks()])
        if validate:
            self.validate()

    def validate(self) -> None:
        """Check that the flow can run.

        Raises:
            InvalidFlow: it cannot; `problems` holds a sentence for each reason.

        """
        if "valid" not in self._derived:
            from headwater.sdk.language.validation import problems_of

            problems = problems_of(self)
            if problems:
                listed = problems[0] if len(problems) == 1 else "".join(f"\n  - {problem}" for problem in problems)
                raise InvalidFlow(f"Flow {self.name!r} cannot run: {listed}", problems=problems)
            self._derived["valid"] = True
