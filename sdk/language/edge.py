"""The arrow between two tasks."""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from headwater.sdk.language.annotations import unwrapped
from headwater.sdk.language.errors import InvalidFlow, InvalidTask

if TYPE_CHECKING:
    from headwater.sdk.language.flow_graph import FlowGraph
    from headwater.sdk.language.task import Task


class Edge:
    """`downstream_task` runs after `upstream_task`; with a `key`, it takes that task's result as this argument.

    With `mapped`, the downstream task runs once for each element of the result; with `flattened`, the elements are
    those of the result's elements. Edges are values: two with the same five attributes are equal. Either task may be annotated, as in
    `Edge(mapped(a), b, key="x")`; where the first is a value, a constant takes its place.

    Raises:
        InvalidTask: `key` is not a Python identifier.
        InvalidFlow: a task would feed itself.

    """

    __slots__ = ("_hash", "downstream_task", "flattened", "key", "mapped", "upstream_task")

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        upstream_task: Any,
        downstream_task: Any,
        key: str | None = None,
        mapped: bool = False,
        flattened: bool = False,
        flow: FlowGraph | None = None,
    ) -> None:
        from headwater.sdk.language.task import Task

        is_circle = upstream_task is downstream_task
        if not isinstance(upstream_task, Task):
            upstream_task, mapped, flattened = _task_of(upstream_task, mapped, flattened, flow)
        if not isinstance(downstream_task, Task):
            downstream_task, mapped, flattened = _task_of(downstream_task, mapped, flattened, flow)
        if is_circle or upstream_task is downstream_task:
            raise InvalidFlow(f"Task {upstream_task.name!r} cannot be upstream of itself.")
        if key is not None and not (isinstance(key, str) and key.isidentifier() and not iskeyword(key)):
            raise InvalidTask(f"An edge to task {downstream_task.name!r} has the key {key!r}, which cannot name an argument.")
        self.upstream_task: Task = upstream_task
        self.downstream_task: Task = downstream_task
        self.key = key
        self.mapped = mapped
        self.flattened = flattened
        self._hash = hash((upstream_task, downstream_task, key, mapped, flattened))

    @property
    def tasks(self) -> set[Task]:
        return {self.upstream_task, self.downstream_task}

    def serialize(self) -> dict[str, Any]:
        """Return the edge as JSON values; its tasks are named by their slugs, which are None where they were not given one."""
        ends = {"upstream_task": {"slug": self.upstream_task.slug}, "downstream_task": {"slug": self.downstream_task.slug}}
        return {**ends, "key": self.key, "mapped": self.mapped, "flattened": self.flattened}

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Edge)
            and self.upstream_task is other.upstream_task
            and self.downstream_task is other.downstream_task
            and (self.key, self.mapped, self.flattened) == (other.key, other.mapped, other.flattened)
        )

    def __reduce__(self) -> tuple[object, ...]:
        # The hash is made of identities, so it has to be made again where the edge is loaded.
        return Edge, (self.upstream_task, self.downstream_task, self.key, self.mapped, self.flattened)

    def __repr__(self) -> str:
        key = f" as {self.key}" if self.key else ""
        kind = " (mapped)" if self.mapped else ""
        return f"<Edge: {self.upstream_task.name} → {self.downstream_task.name}{key}{kind}>"


def _task_of(given: Any, mapped: bool, flattened: bool, flow: FlowGraph | None) -> tuple[Task, bool, bool]:
    from headwater.sdk.language.inputs import as_task

    value, is_mapped, is_flattened = unwrapped(given, is_mapped=mapped)
    return as_task(value, flow=flow), is_mapped, is_flattened or flattened
