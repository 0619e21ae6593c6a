"""A task that leaves out elements of a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.sdk.context.context import context
from headwater.sdk.language.task import Task
from headwater.sdk.language.triggers import all_finished


class FilterTask(Task):
    """Keeps the elements of a list for which `filter_func` is true: those that are neither None nor exceptions, by default.

    It runs whatever became of the tasks before it, so that it takes the failed children of a mapped task out. With
    `log_func`, a function of the list that is kept which returns a text, this text is logged.
    """

    def __init__(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        log_func: Callable[[list[Any]], Any] | None = None,
        **settings: Any,
    ) -> None:
        settings.setdefault("skip_on_upstream_skip", False)
        settings.setdefault("trigger", all_finished)
        self.filter_func = filter_func or _is_a_value
        self.log_func = log_func
        super().__init__(**settings)

    def run(self, task_results: list[Any]) -> list[Any]:
        kept = [element for element in task_results if self.filter_func(element)]
        left_out = len(task_results) - len(kept)
        if left_out:
            context.logger.info("Filtered results: kept %d, left out %d.", len(kept), left_out)
        if self.log_func is not None:
            context.logger.info("%s", self.log_func(kept))
        return kept


def _is_a_value(element: Any) -> bool:
    return element is not None and not isinstance(element, BaseException)
