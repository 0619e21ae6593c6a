"""Operators between tasks: `a + b` in a flow is a task that adds their results; `a | b` is an order without data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from headwater.core.text import escaped
from headwater.sdk.context.values import current_values
from headwater.sdk.language.active_flow import active_flow
from headwater.sdk.language.task_settings import TEXT_CHARACTERS_MAX
from headwater.sdk.language.users_line import users_line, warn_at

if TYPE_CHECKING:
    from headwater.sdk.language.task import Task


class TaskOperators:
    """The operators of tasks, most of which add a task to the flow that is being built.

    `a | b` only lets `b` run after `a`. `==` and `!=` compare the tasks themselves, and `and`, `or`, `not` and `if` find every task true:
    for results there are `is_equal`, `is_not_equal`, `&`, `or_`, `not_` and `case`.
    """

    name: str
    set_dependencies: Callable[..., Any]

    def __bool__(self) -> bool:
        """Return True, and warn where a flow is being built: people who write `if task:` there mean its result."""
        if current_values.get().get("flow") is not None:
            warn_at(
                users_line(),
                f"Task {self.name!r} counts as true here, whatever its result will be: `if`, `while`, `not`, `and` and `or` ask the task "
                "itself while the flow is built. Write `with case(task, True):`, task.not_(), task & other or task.or_(other) for "
                "its result, and `task is not None` for the task.",
            )
        return True

    def is_equal(self, other: Any) -> Task:
        return _binary("Equal", self, other)

    def is_not_equal(self, other: Any) -> Task:
        return _binary("NotEqual", self, other)

    def not_(self) -> Task:
        return _task_of("Not").bind(self)

    def or_(self, other: Any) -> Task:
        """Add a task whose result is that of `self or other`."""
        return _binary("Or", self, other)

    def __getitem__(self, key: Any) -> Task:
        name = f"{self.name}[{key.name if isinstance(key, TaskOperators) else repr(key)}]"
        # A key may be any text; a name is one that everything can hold.
        return _task_of("GetItem", name=escaped(name)[:TEXT_CHARACTERS_MAX], checkpoint=False).bind(self, key)

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

    def __or__(self, other: Any) -> Any:
        """Let `other` run after this task, without taking its result, and return `other`."""
        self.set_dependencies(downstream_tasks=[other])
        return other

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

    def __ror__(self, other: Any) -> Self:
        """Let this task run after `other`, without taking its result, and return this task."""
        self.set_dependencies(upstream_tasks=[other])
        return self


def _binary(operation: str, left: Any, right: Any) -> Task:
    return _task_of(operation).bind(left, right)


def _task_of(operation: str, **settings: Any) -> Task:
    name = settings.get("name", operation)
    flow = active_flow(f"call task {name!r}", instead=f"{name}.run(...)")
    return flow.operator_task(operation)(**settings)
