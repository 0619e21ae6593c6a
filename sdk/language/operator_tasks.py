"""The tasks that operators between tasks make."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar

from headwater.sdk.language.no_default import no_default
from headwater.sdk.language.task import Task


class GetItem(Task):
    """`task_result[key]`, or the default where the result has no such key."""

    def __init__(self, default: Any = no_default, **settings: Any) -> None:
        self.default = default
        super().__init__(**settings)

    def run(self, task_result: Any, key: Any, default: Any = no_default) -> Any:
        try:
            return task_result[key]
        except KeyError:
            if (fallback := _fallback(self, default)) is no_default:
                raise
            return fallback


class GetAttr(Task):
    """An attribute of a result, `task_result.attr`, or the default where the result has none; `"a.b"` is the attribute of an attribute."""

    def __init__(self, default: Any = no_default, **settings: Any) -> None:
        self.default = default
        super().__init__(**settings)

    def run(self, task_result: Any, attr: str, default: Any = no_default) -> Any:
        try:
            return operator.attrgetter(attr)(task_result)
        except AttributeError:
            if (fallback := _fallback(self, default)) is no_default:
                raise
            return fallback


def _fallback(task: GetItem | GetAttr, given: Any) -> Any:
    # Tasks that were stored by an earlier version have no attribute `default`.
    return getattr(task, "default", no_default) if given is no_default else given


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
    """`x and y`."""

    def run(self, x: Any, y: Any) -> Any:
        return x and y


class Or(Task):
    """`x or y`."""

    def run(self, x: Any, y: Any) -> Any:
        return x or y
