"""What a run keeps by itself of its tasks' values, so that its next attempt need not execute them again."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from headwater.engine.results import LocalResult, Result, default_location
from headwater.engine.serializers import PickleSerializer
from headwater.utilities.files import write_whole

CONTEXT_KEY = "_checkpoints"

_log = logging.getLogger(__name__)


class Checkpoints:
    """Keeps values of the tasks with these slugs as files below `results` in Headwater's home directory.

    It does what it can: a value that cannot be pickled, or finds no room, is not kept, and its task is executed again if need be.
    """

    def __init__(self, slugs: Collection[str]) -> None:
        self._slugs = frozenset(slugs)
        self._place = LocalResult()

    def keep(self, value: Any, context: dict[str, Any]) -> Result:
        """Return the value as a result, with its location if it is kept."""
        if context.get("task_slug") not in self._slugs:
            return Result(value)
        try:
            path = self._place.folder / default_location(context)
            write_whole(path, PickleSerializer().serialize(value), durable=False)
        except Exception as error:  # noqa: BLE001 - whatever pickling the user's values comes to, the task has succeeded
            _log.debug("The value of %s is not kept: %r", context.get("task_slug"), error)
            return Result(value)
        return self._place.at(str(path), value)
