"""A task made of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.graph.errors import InvalidTask
from headwater.graph.task import Task


class FunctionTask(Task):
    """A task whose `run` is a function; it bears the function's name unless it is given another."""

    def __init__(self, function: Callable[..., Any], name: str | None = None, **settings: Any) -> None:
        if not callable(function):
            raise InvalidTask(f"@task takes a function, and {function!r} is none.")
        self.run = function  # type: ignore[method-assign]
        self.__doc__ = function.__doc__
        super().__init__(name=name or getattr(function, "__name__", type(self).__name__), **settings)
