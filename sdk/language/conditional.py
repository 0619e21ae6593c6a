"""Branches written as calls: `switch`, `ifelse`, and `merge`, which joins branches again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headwater.core.errors import InvalidArgument
from headwater.sdk.language.active_flow import active_flow
from headwater.sdk.language.case import CompareValue
from headwater.sdk.language.constants import Constant
from headwater.sdk.language.decorators import tags
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.inputs import as_task, holds_tasks
from headwater.sdk.language.task import Task
from headwater.sdk.language.triggers import all_successful, not_all_skipped

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class Merge(Task):
    """The first result of its inputs that is not None. Inputs that were skipped have none."""

    def __init__(self, **settings: Any) -> None:
        if settings.get("skip_on_upstream_skip"):
            raise InvalidTask(
                "merge joins branches of which all but one are skipped, so skip_on_upstream_skip=True would skip it always.",
                hint="Leave skip_on_upstream_skip out.",
            )
        settings["skip_on_upstream_skip"] = False
        settings.setdefault("trigger", not_all_skipped)
        super().__init__(**settings)

    def run(self, **task_results: Any) -> Any:
        # Constants are given before what tasks feed, and a flow may name the inputs as it likes.
        in_order = sorted(task_results.items(), key=lambda each: (len(each[0]), each[0]))
        return next((value for _, value in in_order if value is not None), None)


class AsBool(Task):
    """Whether its input counts as true."""

    def run(self, value: Any) -> bool:
        return bool(value)


def switch(condition: Any, cases: Mapping[Any, Any], mapped: bool = False) -> None:
    """Run of the tasks in `cases`, {value: task}, the one whose value is the result of `condition`; skip the others.

    With `mapped`, `condition` is mapped over, and the tasks are mapped ones: each child is decided on its own.

    Raises:
        InvalidArgument: there are no cases.
        NoActiveFlow: no flow is being built.

    """
    if not isinstance(cases, Mapping):
        raise InvalidArgument(f"The cases of a switch are a dict, not {cases!r}.", hint="Write switch(condition, {value: task}).")
    if not cases:
        raise InvalidArgument("A switch needs at least one case.", hint="Write switch(condition, {value: task}).")
    flow = active_flow("switch", instead="an if in a task")
    with tags("switch"):
        for value, branch in cases.items():
            task = as_task(branch, flow=flow)
            chosen = CompareValue(value).bind(value=condition, mapped=mapped, flow=flow)
            task.set_dependencies(upstream_tasks=[chosen], mapped=mapped, flow=flow)


def ifelse(condition: Any, true_task: Any, false_task: Any, mapped: bool = False) -> None:
    """Run `true_task` where the result of `condition` counts as true, else `false_task`; skip the other. Either may be None.

    Raises:
        InvalidArgument: both are None.
        NoActiveFlow: no flow is being built.

    """
    cases = {value: task for value, task in ((True, true_task), (False, false_task)) if task is not None}
    if not cases:
        raise InvalidArgument("ifelse decides between two tasks, and both are None.", hint="Write ifelse(condition, task, None).")
    decided = AsBool(checkpoint=False).bind(value=condition, mapped=mapped)
    switch(decided, cases, mapped=mapped)


def merge(*tasks: Any, flow: Flow | None = None, mapped: bool = False, **settings: Any) -> Task:
    """Return a task with the first result of `tasks` that is not None: what comes after branches, whichever of them ran.

    It is skipped only where all of them were; a value is not. `settings` are those of the task.

    Raises:
        InvalidArgument: there are no tasks.
        NoActiveFlow: no flow is being built.

    """
    if not tasks:
        raise InvalidArgument("merge joins branches, and none was given.", hint="Write merge(first, second).")
    inputs = {f"task_{number}": task for number, task in enumerate(tasks, start=1)}
    if any(isinstance(each, Constant) or not holds_tasks(each) for each in tasks):
        # A value is never skipped, so that not all of them are.
        settings.setdefault("trigger", all_successful)
    return Merge(**settings).bind(mapped=mapped, flow=flow, **inputs)
