"""Tasks that are made in a `with Flow(...)` block and never added to the flow: a call was forgotten, most often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.context.values import current_values
from headwater.sdk.language.users_line import UsersLine, users_line, warn_at

if TYPE_CHECKING:
    from headwater.sdk.language.task import Task

_SHOWN_TASKS = 5


class MadeTasks:
    """The tasks that were made while a block was open, each with the line where it was. Blocks may be open around it."""

    def __init__(self, around: MadeTasks | None) -> None:
        self._around = around
        self._lines: dict[Task, UsersLine] = {}

    def add(self, task: Task) -> None:
        self._lines[task] = users_line()

    def discard(self, task: Task) -> None:
        """Forget a task that was added to a flow, or served as the model of another."""
        self._lines.pop(task, None)
        if self._around is not None:
            self._around.discard(task)

    def warn_of_unused(self, flow_name: str) -> None:
        """Warn of those that were not used when the block of this flow ends, if there are any."""
        if not self._lines:
            return
        listed = [f"{task!r} ({line})" for task, line in list(self._lines.items())[:_SHOWN_TASKS]]
        if len(self._lines) > _SHOWN_TASKS:
            listed.append(f"{len(self._lines) - _SHOWN_TASKS} more")
        warn_at(
            next(iter(self._lines.values())),
            f"Tasks were made in the block of flow {flow_name!r} and not added to the flow, so they do not run: {', '.join(listed)}. "
            "Call them, use them as inputs, or add them with flow.add_task(...).",
        )


def made_tasks() -> MadeTasks | None:
    """Return the tasks made in the innermost open block, if there is one."""
    made: MadeTasks | None = current_values.get().get("made_tasks")
    return made
