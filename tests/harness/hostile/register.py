"""Where hostile tasks are listed. In a flow of its own, each must leave a run that ends, as `ENDS` says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.sdk.language.decorators import task
from headwater.sdk.language.task import Task

TASKS: dict[str, Task] = {}
ENDS: dict[str, str] = {}
"""Task → how its run ends."""

HARMFUL: set[str] = set()
"""Those that only a process of their own stands."""

GOOD, BAD, LOST = "Success", "Failed", "Lost"


def hostile(ends: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the function as a task whose run ends so; LOST where its process dies, each time."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        TASKS[function.__name__] = task(**settings)(function)
        ENDS[function.__name__] = ends
        return function

    return add


def harmful(ends: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """As `hostile`, for a task whose process is not what it was afterwards."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        HARMFUL.add(function.__name__)
        return hostile(ends, **settings)(function)

    return add
