"""Changing the settings of a task that is there, as `task_args` of a call does; each is checked as where the task is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from headwater.sdk.language import task_settings as settings
from headwater.sdk.language.errors import InvalidTask, UnknownSetting
from headwater.sdk.language.run_signature import number_of_outputs
from headwater.sdk.language.users_line import users_line, warn_at

if TYPE_CHECKING:
    from headwater.sdk.language.task import Task


def by_name(task_args: Mapping[str, Any] | None, *, task: str) -> Mapping[str, Any]:
    """Return what a call gave as `task_args`."""
    if task_args is not None and not isinstance(task_args, Mapping):
        raise InvalidTask(f"Task {task!r}: task_args takes a dict, not {task_args!r}.", hint="Write task_args={'name': 'load'}.")
    return task_args or {}


def change(task: Task, task_args: Mapping[str, Any], *, methods: type[Task]) -> None:
    """Set settings of an existing task, checked as at its creation. `methods` is the class whose attributes are not settings."""
    given = dict(task_args)
    for setting in given:
        if not _is_setting(setting, task, methods):
            raise unknown_setting(setting, _settings_of(task), task=task.name)
    if "name" in given:
        task.name = settings.task_name(given.pop("name"), default=task.name)
    if "max_retries" in given or "retry_delay" in given:
        # Each is right or wrong only beside the other.
        task.max_retries, task.retry_delay = _changed_retries(
            given.pop("max_retries", task.max_retries), given.pop("retry_delay", task.retry_delay), task=task.name
        )
    for setting in ("cache_for", "checkpoint", *given):
        # First those that others are checked against.
        if setting in given:
            value = given.pop(setting)
            setattr(task, setting, _CHECKS[setting](value, task) if setting in _CHECKS else value)
    task.result = settings.result_at_target(task.result, task.target)


def _changed_retries(max_retries: int | None, retry_delay: timedelta | float | None, *, task: str) -> tuple[int, timedelta | None]:
    """Return the retries of a copy. Of the two settings, one alone is not refused: flows of Prefect's run with it until a task fails."""
    if max_retries and retry_delay is None:
        warn_at(users_line(), f"Task {task!r} has max_retries={max_retries} but no retry_delay: it is tried again at once.")
        retry_delay = 0
    elif retry_delay is not None and not max_retries:
        warn_at(users_line(), f"Task {task!r} has a retry_delay but no max_retries, so it is never tried again.")
        return 0, settings.seconds(retry_delay, setting="retry_delay", task=task)
    return settings.retries(max_retries, retry_delay, task=task)


_CHECKS: dict[str, Callable[[Any, Task], Any]] = {
    "tags": lambda given, task: task.tags | settings.tag_set(given, task=task.name),
    "retry_on": lambda given, task: settings.exceptions_to_retry(given, max_retries=task.max_retries, task=task.name),
    "timeout": lambda given, task: settings.timeout_seconds(given, task=task.name),
    "trigger": lambda given, task: settings.trigger(given, task=task.name),
    "cache_for": lambda given, task: settings.positive_seconds(given, setting="cache_for", task=task.name),
    "cache_validator": lambda given, task: settings.cache_validator(given, cache_for=task.cache_for, task=task.name),
    "cache_key": lambda given, task: settings.cache_key(given, task=task.name),
    "state_handlers": lambda given, task: settings.handlers(given, None, owner=f"Task {task.name!r}"),
    "result": lambda given, task: settings.result(given, task=task.name),
    "target": lambda given, task: settings.target(given, checkpoint=task.checkpoint, task=task.name),
    "task_run_name": lambda given, task: settings.task_run_name(given, task=task.name),
    "nout": number_of_outputs,
}


def unknown_setting(setting: str, known: Iterable[str], *, task: str) -> UnknownSetting:
    """Return the error for a setting that there is not."""
    names = sorted(known)
    near = get_close_matches(setting, names, n=1)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    return UnknownSetting(f"Task {task!r}: tasks have no setting {setting!r}.", hint=f"{meant}Settings are {', '.join(names)}.")


def _is_setting(name: str, task: Task, methods: type[Task]) -> bool:
    # Those of a subclass may be attributes of the class; what all tasks have there are methods.
    return not name.startswith("_") and (name in task.__dict__ or (hasattr(type(task), name) and not hasattr(methods, name)))


def _settings_of(task: Task) -> list[str]:
    return sorted(name for name in task.__dict__ if not name.startswith("_"))
