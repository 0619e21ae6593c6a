"""The graph of tasks and edges under a flow: what is connected to what, under which slugs, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, ClassVar

from headwater.sdk.language.edge import Edge
from headwater.sdk.language.errors import InvalidFlow, NotATask
from headwater.sdk.language.parameter import Parameter
from headwater.sdk.language.set_view import SetView
from headwater.sdk.language.sorting import in_order
from headwater.sdk.language.task import Task


class TaskGraph:
    """Tasks and edges in the order in which they were added. Adding is cheap; cycles are looked for when it is sorted.

    `constants` holds the inputs that are plain values: task → argument → value.
    """

    told_by_name: ClassVar[bool] = True
    """A fingerprint of code that uses a flow has the flow's name alone: what is in it has fingerprints of its own."""

    def __init__(self) -> None:
        self._tasks: dict[Task, None] = {}
        self._edges: dict[Edge, None] = {}
        self._edges_to: dict[Task, dict[Edge, None]] = {}
        self._edges_from: dict[Task, dict[Edge, None]] = {}
        self.slugs: dict[Task, str] = {}
        self._taken_slugs: dict[str, Task] = {}
        self._slug_counters: Counter[str] = Counter()
        self.constants: dict[Task, dict[str, Any]] = {}
        self._fed_arguments: dict[Task, set[str]] = {}
        self._sorted: tuple[Task, ...] | None = None
        self._derived: dict[str, Any] = {}

    @property
    def tasks(self) -> SetView[Task]:
        """All tasks, in the order in which they were added; a live view that compares like a set."""
        return SetView(self._tasks, self._remove)

    @property
    def edges(self) -> SetView[Edge]:
        """All edges, in the order in which they were added; a live view that compares like a set."""
        return SetView(self._edges, self._remove_edge)

    def __iter__(self) -> Iterator[Task]:
        """Go through the tasks so that each comes after all that are before it."""
        return iter(self.sorted_tasks())

    def __contains__(self, task: object) -> bool:
        return task in self._tasks

    def connects(self, task: Task) -> bool:
        """Tell whether something comes before or after `task` here."""
        return bool(self._edges_to.get(task) or self._edges_from.get(task))

    def add_task(self, task: Task) -> Task:
        """Add a task, give it its slug, and return it. Adding it again changes nothing.

        Raises:
            InvalidFlow: another task of the flow has this slug.

        """
        if not isinstance(task, Task):
            raise NotATask(
                f"Only tasks can be added to a flow, and {task!r} is a {type(task).__name__}.",
                hint="Did you forget @task, or to make an instance of the class?",
            )
        if task in self._tasks:
            return task
        slug = task.slug or self._next_slug(task)
        taken_by = self._taken_slugs.get(slug)
        if taken_by is not None:
            what = "parameter" if isinstance(task, Parameter) else "task"
            raise InvalidFlow(
                f"The flow has a {what} {slug!r} already.",
                hint="Use the same Parameter object twice, or give the second another name."
                if what == "parameter"
                else "Give one of the two another slug.",
            )
        self._tasks[task] = None
        self.slugs[task] = slug
        self._taken_slugs[slug] = task
        self._edges_to[task] = {}
        self._edges_from[task] = {}
        self._changed()
        return task

    def _next_slug(self, task: Task) -> str:
        stem = "-".join([task.name, *sorted(task.tags)])
        while True:
            self._slug_counters[stem] += 1
            slug = f"{stem}-{self._slug_counters[stem]}"
            if slug not in self._taken_slugs:
                return slug

    def add_edge(
        self,
        upstream_task: Task,
        downstream_task: Task,
        key: str | None = None,
        mapped: bool = False,
        flattened: bool = False,
    ) -> Edge:
        """Connect two tasks, adding those the flow does not have, and return the edge.

        Raises:
            InvalidFlow: the argument `key` is fed by something else already, a task would feed itself, or a parameter be fed.
            InvalidTask: `key` is not a Python identifier.

        """
        edge = Edge(upstream_task, downstream_task, key, mapped, flattened)
        if isinstance(downstream_task, Parameter):
            raise InvalidFlow(
                f"Parameter {downstream_task.name!r} is given to the whole flow, so that nothing can come before it: "
                f"{upstream_task.name!r} cannot.",
                hint="Let the tasks that use the parameter run after it instead.",
            )
        self.add_task(upstream_task)
        self.add_task(downstream_task)
        if edge in self._edges:
            return edge
        if key is not None:
            self._feed(downstream_task, key)
        self._edges[edge] = None
        self._edges_to[downstream_task][edge] = None
        self._edges_from[upstream_task][edge] = None
        self._changed()
        return edge

    def set_constant(self, task: Task, key: str, value: Any) -> None:
        """Feed a plain value to an argument of a task of the flow.

        Raises:
            InvalidFlow: the argument is fed by something else already.

        """
        self._feed(self._known(task), key)
        self.constants.setdefault(task, {})[key] = value
        self._changed()

    def _feed(self, task: Task, key: str) -> None:
        fed = self._fed_arguments.setdefault(task, set())
        if key in fed:
            raise InvalidFlow(
                f"Argument {key!r} of task {self.slugs[task]!r} is fed by something else already.",
                hint="To use the task twice with different inputs, call it twice or use task.copy().",
            )
        fed.add(key)

    def replace(self, old: Task, new: Task) -> None:
        """Put `new` in the place of `old`, with all of its edges and constants.

        Raises:
            InvalidFlow: `old` is not in the flow.

        """
        before, after = list(self._edges_to[self._known(old)]), list(self._edges_from[old])
        constants = self.constants.get(old, {})
        self._remove(old)
        self.add_task(new)
        for edge in before:
            self.add_edge(edge.upstream_task, new, edge.key, edge.mapped, edge.flattened)
        for edge in after:
            self.add_edge(new, edge.downstream_task, edge.key, edge.mapped, edge.flattened)
        for key, value in constants.items():
            self.set_constant(new, key, value)

    def _remove(self, task: Task) -> None:
        for edge in {*self._edges_to[task], *self._edges_from[task]}:
            self._remove_edge(edge)
        tables: tuple[dict[Task, Any], ...] = (self._tasks, self._edges_to, self._edges_from, self.constants, self._fed_arguments)
        for table in tables:
            table.pop(task, None)
        del self._taken_slugs[self.slugs.pop(task)]
        self._changed()

    def _remove_edge(self, edge: Edge) -> None:
        del self._edges[edge]
        self._edges_to[edge.downstream_task].pop(edge, None)
        self._edges_from[edge.upstream_task].pop(edge, None)
        if edge.key is not None:
            self._fed_arguments[edge.downstream_task].discard(edge.key)
        self._changed()

    def chain(self, *tasks: Task, validate: bool | None = None) -> list[Edge]:
        """Let each of the tasks run after the one before it. With `validate`, a circle is refused here.

        Raises:
            InvalidFlow: they run in a circle.

        """
        edges = [self.add_edge(before, after) for before, after in pairwise(tasks)]
        if validate:
            self.sorted_tasks()
        return edges

    def all_upstream_edges(self) -> dict[Task, set[Edge]]:
        """Return for each task the edges that end at it."""
        return {task: set(edges) for task, edges in self._edges_to.items()}

    def all_downstream_edges(self) -> dict[Task, set[Edge]]:
        """Return for each task the edges that start at it."""
        return {task: set(edges) for task, edges in self._edges_from.items()}

    def edges_to(self, task: Task) -> set[Edge]:
        """Return the edges that end at `task`."""
        return set(self._edges_to[self._known(task)])

    def edges_from(self, task: Task) -> set[Edge]:
        """Return the edges that start at `task`."""
        return set(self._edges_from[self._known(task)])

    def upstream_tasks(self, task: Task) -> set[Task]:
        """Return the tasks directly before `task`."""
        return {edge.upstream_task for edge in self._edges_to[self._known(task)]}

    def downstream_tasks(self, task: Task) -> set[Task]:
        """Return the tasks directly after `task`."""
        return {edge.downstream_task for edge in self._edges_from[self._known(task)]}

    def root_tasks(self) -> set[Task]:
        """Return the tasks with nothing before them."""
        return {task for task, edges in self._edges_to.items() if not edges}

    def terminal_tasks(self) -> set[Task]:
        """Return the tasks with nothing after them."""
        return {task for task, edges in self._edges_from.items() if not edges}

    def get_tasks(
        self,
        name: str | None = None,
        slug: str | None = None,
        tags: Iterable[str] | None = None,
        task_type: type[Task] = Task,
    ) -> list[Task]:
        """Return the tasks with this name, this slug, all of these tags, and of this type."""
        wanted = set(tags or ())
        return [
            task
            for task in self._tasks
            if (name is None or task.name == name)
            and (slug is None or self.slugs[task] == slug)
            and wanted <= task.tags
            and isinstance(task, task_type)
        ]

    def sorted_tasks(self, root_tasks: Iterable[Task] | None = None) -> tuple[Task, ...]:
        """Return the tasks so that each comes after all that are before it; otherwise as they were added.

        With `root_tasks`, only those and what comes after them.

        Raises:
            InvalidFlow: the graph has a cycle, which is named, or one of the root tasks is not in the flow.

        """
        if self._sorted is None:
            self._sorted = in_order(self._tasks, self._edges_to, self._edges_from, self.slugs)
        reached = {self._known(task) for task in root_tasks or ()}
        if not reached:
            return self._sorted
        for task in self._sorted:
            if task in reached:
                reached |= self.downstream_tasks(task)
        return tuple(task for task in self._sorted if task in reached)

    def _known(self, task: Task) -> Task:
        if task not in self._tasks:
            raise InvalidFlow(f"Task {getattr(task, 'name', task)!r} is not in the flow.")
        return task

    def _changed(self) -> None:
        self._sorted = None
        self._derived.clear()
