"""`with case(task, value):` — the tasks of the block run only where the task's result is the value."""

from __future__ import annotations

from typing import Any, ClassVar

from headwater.sdk.language.block import Block
from headwater.sdk.language.errors import WrongTaskType
from headwater.sdk.language.inputs import as_task
from headwater.sdk.language.task import Task
from headwater.sdk.states.signals import SKIP


class CompareValue(Task):
    """Ends Skipped, and with it what comes after, unless its input equals `value`."""

    def __init__(self, value: Any, **settings: Any) -> None:
        self.value = value
        settings.setdefault("name", f'CompareValue: "{value}"')
        settings.setdefault("checkpoint", False)
        super().__init__(**settings)

    def run(self, value: Any) -> None:
        if value != self.value:
            raise SKIP(f'Provided value "{value}" did not match "{self.value}"')


class case(Block):  # noqa: N801 - read as a word, as in `with case(kind, "csv"):`
    """A branch of a flow.

        with case(is_large, True):
            archive(rows)

    Tasks called in the block end Skipped where the result of `task` does not equal `value`. Tasks outside of it that
    take their results are skipped too, unless they are made by `merge` or have `skip_on_upstream_skip=False`.

    Raises:
        WrongTaskType: `value` is a task; cases are known when the flow is written.

    """

    key_in_context: ClassVar[str] = "case"

    def __init__(self, task: Any, value: Any) -> None:
        if isinstance(value, Task):
            raise WrongTaskType(
                f"The value of a case is a constant, and {value!r} is a task.",
                hint="Compare the two in a task: with case(first.is_equal(second), True): ...",
            )
        super().__init__()
        self.task = task
        self.value = value

    def enclose(self, first: list[Task], last: list[Task]) -> None:  # noqa: ARG002 - nothing waits for the end of a branch
        condition = CompareValue(self.value).bind(value=as_task(self.task, flow=self.flow), flow=self.flow)
        for task in first:
            self.flow.add_edge(condition, task)
