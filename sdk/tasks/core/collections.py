"""Collections of tasks as inputs: `load([a, b])` needs a task that makes a list of the results of `a` and `b`."""

from __future__ import annotations

import builtins
from typing import Any

from headwater.graph.task import Task


class _Collection(Task):
    """Takes its elements as the arguments `arg_1`, `arg_2`, ...; they are told apart by number."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("checkpoint", False)
        super().__init__(**settings)

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


class Dict(_Collection):
    """A dict of the results of other tasks; keys are constants or results too."""

    def run(self, keys: builtins.list[Any], values: builtins.list[Any]) -> dict[Any, Any]:
        return dict(zip(keys, values, strict=True))
