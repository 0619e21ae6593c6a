"""The task of a constant: a value among the inputs of other tasks."""

from __future__ import annotations

from typing import Any, ClassVar

from headwater.core.text import escaped, name_of, shown
from headwater.sdk.language.task import Task

_SHOWN_CHARACTERS = 8


def _name_of(value: Any) -> str:
    text = escaped(shown(value))
    return text if len(text) <= _SHOWN_CHARACTERS else f"Constant[{name_of(type(value))}]"


class Constant(Task):
    """A task whose result is `value`; it is made where a value has to be a task, as for mapping over a list.

    It is named after the value, or its type where that is long. The value is part of the flow, so that no result of it is written.
    """

    belongs_to_blocks: ClassVar[bool] = False
    must_be_used: ClassVar[bool] = False

    def __init__(self, value: Any, name: str | None = None, **settings: Any) -> None:
        self.value = value
        super().__init__(name=name or _name_of(value), **{"checkpoint": False, **settings})

    def run(self) -> Any:
        return self.value
