"""A task made of a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from headwater.sdk.language.errors import WrongTaskType
from headwater.sdk.language.setting_changes import unknown_setting
from headwater.sdk.language.task import Task


class FunctionTask(Task):
    """A task whose `run` is a function; it has the function's name unless it is given another."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, **settings: Any) -> None:
        if not callable(fn):
            raise WrongTaskType(f"@task takes a function, and {fn!r} is none.")
        self.run = fn  # type: ignore[method-assign]
        self.__doc__ = fn.__doc__
        name = name or getattr(fn, "__name__", type(self).__name__)
        for setting in settings:
            if setting not in _SETTINGS:
                raise unknown_setting(setting, _SETTINGS, task=str(name))
        super().__init__(name=name, **settings)

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        """The function itself, as for other decorators."""
        return self.run


_SETTINGS = frozenset(inspect.signature(Task).parameters)
