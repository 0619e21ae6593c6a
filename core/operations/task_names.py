"""Finds the task of a flow, or the task run, that a user's text names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from headwater.core.errors import Ambiguous
from headwater.core.runs.task_run import TaskRunKey


class NamedTask(Protocol):
    """A task of a flow, in its registration or in the views."""

    @property
    def slug(self) -> str: ...
    @property
    def name(self) -> str: ...


def slug_of(task: str, tasks: Sequence[NamedTask]) -> str:
    """Return the slug of the task that is meant by a slug, or by the name of the only task called so. Raises Ambiguous."""
    if any(each.slug == task for each in tasks):
        return task
    named = [each.slug for each in tasks if each.name == task]
    if len(named) > 1:
        raise Ambiguous(f"Several tasks are called {task!r}.", hint=f"Say which by its slug: {', '.join(named)}.")
    return named[0] if named else task


def task_run_key(name: str, tasks: Sequence[NamedTask]) -> TaskRunKey:
    """Return which task run is meant by `load`, `load-1` or `load[3]`. Raises Ambiguous."""
    head, bracket, tail = name.rpartition("[")
    index = tail.removesuffix("]")
    if bracket and tail.endswith("]") and index.isascii() and index.isdecimal() and not any(task.name == name for task in tasks):
        return slug_of(head, tasks), int(index[:9])
    return slug_of(name, tasks), -1
