"""Operators between tasks: `a + b` in a flow is a task that adds their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headwater.graph.task import Task


class TaskOperators:
    """The operators of tasks. `==` and `!=` compare the tasks themselves; use `is_equal` and `is_not_equal` for results."""

    def is_equal(self, other: Any) -> Task:
        return _binary("Equal", self, other)

    def is_not_equal(self, other: Any) -> Task:
        return _binary("NotEqual", self, other)

    def not_(self) -> Task:
        from headwater.tasks.core.operators import Not

        return Not()(self)

    def __getitem__(self, key: Any) -> Task:
        from headwater.tasks.core.operators import GetItem

        return GetItem(checkpoint=False)(self, key)

    def __add__(self, other: Any) -> Task:
        return _binary("Add", self, other)

    def __sub__(self, other: Any) -> Task:
        return _binary("Sub", self, other)

    def __mul__(self, other: Any) -> Task:
        return _binary("Mul", self, other)

    def __truediv__(self, other: Any) -> Task:
        return _binary("Div", self, other)

    def __floordiv__(self, other: Any) -> Task:
        return _binary("FloorDiv", self, other)

    def __mod__(self, other: Any) -> Task:
        return _binary("Mod", self, other)

    def __pow__(self, other: Any) -> Task:
        return _binary("Pow", self, other)

    def __and__(self, other: Any) -> Task:
        return _binary("And", self, other)

    def __or__(self, other: Any) -> Task:
        return _binary("Or", self, other)

    def __gt__(self, other: Any) -> Task:
        return _binary("GreaterThan", self, other)

    def __ge__(self, other: Any) -> Task:
        return _binary("GreaterThanOrEqual", self, other)

    def __lt__(self, other: Any) -> Task:
        return _binary("LessThan", self, other)

    def __le__(self, other: Any) -> Task:
        return _binary("LessThanOrEqual", self, other)

    def __radd__(self, other: Any) -> Task:
        return _binary("Add", other, self)

    def __rsub__(self, other: Any) -> Task:
        return _binary("Sub", other, self)

    def __rmul__(self, other: Any) -> Task:
        return _binary("Mul", other, self)

    def __rtruediv__(self, other: Any) -> Task:
        return _binary("Div", other, self)

    def __rfloordiv__(self, other: Any) -> Task:
        return _binary("FloorDiv", other, self)

    def __rmod__(self, other: Any) -> Task:
        return _binary("Mod", other, self)

    def __rpow__(self, other: Any) -> Task:
        return _binary("Pow", other, self)

    def __rand__(self, other: Any) -> Task:
        return _binary("And", other, self)

    def __ror__(self, other: Any) -> Task:
        return _binary("Or", other, self)


def _binary(operation: str, left: Any, right: Any) -> Task:
    from headwater.tasks.core import operators

    made: Task = getattr(operators, operation)()(left, right)
    return made
