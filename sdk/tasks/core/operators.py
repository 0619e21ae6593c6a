"""The tasks that operators between tasks make."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar

from headwater.graph.task import Task


class GetItem(Task):
    """`task_result[key]`."""

    def run(self, task_result: Any, key: Any) -> Any:
        return task_result[key]


class Not(Task):
    """`not x`."""

    def run(self, x: Any) -> bool:
        return not x


class _Binary(Task):
    operation: ClassVar[Callable[[Any, Any], Any]]

    def run(self, x: Any, y: Any) -> Any:
        return type(self).operation(x, y)


class Add(_Binary):
    operation = operator.add


class Sub(_Binary):
    operation = operator.sub


class Mul(_Binary):
    operation = operator.mul


class Div(_Binary):
    operation = operator.truediv


class FloorDiv(_Binary):
    operation = operator.floordiv


class Mod(_Binary):
    operation = operator.mod


class Pow(_Binary):
    operation = operator.pow


class Equal(_Binary):
    operation = operator.eq


class NotEqual(_Binary):
    operation = operator.ne


class GreaterThan(_Binary):
    operation = operator.gt


class GreaterThanOrEqual(_Binary):
    operation = operator.ge


class LessThan(_Binary):
    operation = operator.lt


class LessThanOrEqual(_Binary):
    operation = operator.le


class And(Task):
    """`bool(x and y)`."""

    def run(self, x: Any, y: Any) -> bool:
        return bool(x and y)


class Or(Task):
    """`bool(x or y)`."""

    def run(self, x: Any, y: Any) -> bool:
        return bool(x or y)
