"""A task that stands for a value."""

from __future__ import annotations

from typing import Any, ClassVar

from headwater.graph.task import Task


class Constant(Task):
    """A task whose result is `value`; it is made where a value has to be a task, as for mapping over a list."""

    belongs_to_blocks: ClassVar[bool] = False
    must_be_used: ClassVar[bool] = False

    def __init__(self, value: Any, name: str | None = None, **settings: Any) -> None:
        self.value = value
        super().__init__(name=name or "Constant", **settings)

    def run(self) -> Any:
        return self.value
