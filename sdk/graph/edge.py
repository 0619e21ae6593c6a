"""The arrow between two tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.graph.errors import InvalidTask

if TYPE_CHECKING:
    from headwater.graph.task import Task


class Edge:
    """`downstream_task` runs after `upstream_task`; with a `key`, it takes that task's result as this argument.

    With `mapped`, the downstream task runs once for each element of the result; with `flattened`, the elements are
    those of the result's elements. Edges are values: two with the same five attributes are equal.

    Raises:
        InvalidTask: `key` is not a Python identifier.

    """

    __slots__ = ("_hash", "downstream_task", "flattened", "key", "mapped", "upstream_task")

    def __init__(
        self,
        upstream_task: Task,
        downstream_task: Task,
        key: str | None = None,
        mapped: bool = False,
        flattened: bool = False,
    ) -> None:
        if key is not None and not (isinstance(key, str) and key.isidentifier()):
            raise InvalidTask(f"An edge to task {downstream_task.name!r} has the key {key!r}, which cannot name an argument.")
        self.upstream_task = upstream_task
        self.downstream_task = downstream_task
        self.key = key
        self.mapped = mapped
        self.flattened = flattened
        self._hash = hash((upstream_task, downstream_task, key, mapped, flattened))

    @property
    def tasks(self) -> set[Task]:
        return {self.upstream_task, self.downstream_task}

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
        # The hash is made of identities, so it has to be made anew where the edge is loaded.
        return Edge, (self.upstream_task, self.downstream_task, self.key, self.mapped, self.flattened)

    def __repr__(self) -> str:
        key = f" as {self.key}" if self.key else ""
        kind = " (mapped)" if self.mapped else ""
        return f"<Edge: {self.upstream_task.name} → {self.downstream_task.name}{key}{kind}>"
