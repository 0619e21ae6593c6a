"""Collections of tasks as inputs: `load([a, b])` needs a task that makes a list of the results of `a` and `b`."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from headwater.sdk.language.containers import Make
from headwater.sdk.language.task import Task

if TYPE_CHECKING:
    from headwater.sdk.language.flow_graph import FlowGraph


class _Collection(Task):
    """Takes its elements as the arguments `arg_1`, `arg_2`, ...; they are distinguished by number."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("checkpoint", False)
        super().__init__(**settings)

    def bind(
        self,
        *args: Any,
        mapped: bool = False,
        upstream_tasks: Iterable[Any] | None = None,
        flow: FlowGraph | None = None,
        **kwargs: Any,
    ) -> Self:
        """Give this task its elements, one by one, in the flow being built, and return it."""
        numbered = {f"arg_{number}": element for number, element in enumerate(args, start=1)}
        return super().bind(mapped=mapped, upstream_tasks=upstream_tasks, flow=flow, **numbered, **kwargs)

    def _elements(self, arguments: dict[str, Any]) -> builtins.list[Any]:
        return [arguments[f"arg_{number}"] for number in range(1, len(arguments) + 1)]


class List(_Collection):
    """A list of the results of other tasks."""

    def run(self, **task_results: Any) -> builtins.list[Any]:
        return self._elements(task_results)


class Tuple(_Collection):
    """A tuple of the results of other tasks."""

    def run(self, **task_results: Any) -> tuple[Any, ...]:
        return tuple(self._elements(task_results))


class Set(_Collection):
    """A set of the results of other tasks."""

    def run(self, **task_results: Any) -> set[Any]:
        return set(self._elements(task_results))


class Container(_Collection):
    """A named tuple, a dataclass, a slice or another container, made again of the results of the tasks in it."""

    def __init__(self, make: Make, **settings: Any) -> None:
        self.make = make
        super().__init__(**settings)

    def run(self, **task_results: Any) -> Any:
        return self.make(self._elements(task_results))


class Dict(Task):
    """A dict of the results of other tasks; keys are constants or results too."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("checkpoint", False)
        super().__init__(**settings)

    def run(self, keys: builtins.list[Any], values: builtins.list[Any]) -> dict[Any, Any]:
        return dict(zip(keys, values, strict=True))
