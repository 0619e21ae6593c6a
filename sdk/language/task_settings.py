"""What the settings of a task may be; each misuse gets a sentence that says what to write instead."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from headwater.core.text import escaped, is_utf8
from headwater.core.values.moments import standard_span
from headwater.sdk.context.values import current_values
from headwater.sdk.language.errors import InvalidTask, WrongTaskType
from headwater.sdk.language.triggers import all_successful, some_failed, some_successful, trigger_name
from headwater.sdk.language.users_line import users_line, warn_at

if TYPE_CHECKING:
    from headwater.sdk.language.task import Task
    from headwater.sdk.language.triggers import Trigger
    from headwater.sdk.results import Result
    from headwater.sdk.states.state import State

RETRIES_MAX = 2**31 - 1
SECONDS_MAX = 2**31 - 1
"""68 years. Everything that reads a flow's settings can hold such numbers."""
TEXT_CHARACTERS_MAX = 500


_OVERWRITTEN = frozenset({
    "name", "slug", "tags", "max_retries", "retry_delay", "retry_on", "timeout", "trigger", "skip_on_upstream_skip", "cache_for",
    "cache_validator", "cache_key", "checkpoint", "state_handlers", "log_stdout", "result", "target", "task_run_name", "nout",
})  # fmt: skip


def warn_of_overwritten_attributes(task: Task) -> None:
    """Warn of attributes that a subclass set for itself, and that the settings of all tasks take the place of."""
    cls = type(task)
    for name in sorted(name for name in _OVERWRITTEN if name in task.__dict__ or hasattr(cls, name)):
        warn_at(
            users_line(),
            f"{cls.__name__} has an attribute {name!r} of its own, which is overwritten by the setting of all tasks. Give it another name.",
        )


def task_name(name: str | None, *, default: str) -> str:
    """Return the name of a task."""
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise InvalidTask(f"A task's name must be text that is not empty, not {name!r}.")
    return default if name is None else text(name, setting="a name", owner="A task")


def text(given: str, *, setting: str, owner: str) -> str:
    """Return a text that everything that reads a flow's settings can hold."""
    if not is_utf8(given):
        raise InvalidTask(f"{owner}: {setting} must be text in UTF-8, and {given!r} is not.", hint=f"Write {escaped(given)!r}.")
    if len(given) > TEXT_CHARACTERS_MAX:
        raise InvalidTask(f"{owner}: {setting} has {len(given)} characters; at most {TEXT_CHARACTERS_MAX} are allowed.")
    return given


def tag_set(tags: Iterable[str] | None, *, task: str) -> set[str]:
    """Return the tags as a set."""
    if isinstance(tags, str):
        raise WrongTaskType(f"Task {task!r}: tags={tags!r} is one text.", hint=f"Write tags=[{tags!r}].")
    given = (tags,) if tags is not None and not isinstance(tags, Iterable) else tuple(tags or ())
    for tag in given:
        if not isinstance(tag, str):
            raise WrongTaskType(f"Task {task!r}: tags are texts, and {tag!r} is none.", hint=f"Write tags=[{str(tag)!r}].")
        text(tag, setting="a tag", owner=f"Task {task!r}")
    return set(given)


def tags_in_force() -> frozenset[str]:
    """Return the tags of `with tags(...)` and `with context(tags=...)`: those that each task made or called there gets."""
    given = current_values.get().get("tags")
    if not given:
        return frozenset()
    return frozenset((given,) if isinstance(given, str) else given)


def retries(max_retries: int | None, retry_delay: timedelta | float | None, *, task: str) -> tuple[int, timedelta | None]:
    """Return the retries after the first execution, and the wait before each."""
    count = 0 if max_retries is None else max_retries
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise InvalidTask(f"Task {task!r}: max_retries must be a whole number of at least 0, not {max_retries!r}.")
    if count > RETRIES_MAX:
        raise InvalidTask(f"Task {task!r}: max_retries is at most {RETRIES_MAX:,}, and {max_retries!r} is more.")
    if retry_delay is not None and count == 0:
        raise InvalidTask(
            f"Task {task!r} has a retry_delay but no max_retries, so it would never be tried again.",
            hint="Add max_retries=1 or more, or drop retry_delay.",
        )
    if retry_delay is None and count > 0:
        raise InvalidTask(
            f"Task {task!r} has max_retries={count} but no retry_delay.",
            hint="Add retry_delay=timedelta(seconds=10) or another wait; 0 is allowed.",
        )
    return count, None if retry_delay is None else seconds(retry_delay, setting="retry_delay", task=task)


def retries_or_defaults(max_retries: int | None, retry_delay: timedelta | float | None) -> tuple[int | None, timedelta | float | None]:
    """Return what was given, or where neither was, what `tasks.defaults` of the configuration says."""
    if max_retries is None and retry_delay is None:
        defaults = _defaults()
        if defaults.get("max_retries"):
            return defaults["max_retries"], defaults.get("retry_delay")
    elif max_retries and retry_delay is None:
        return max_retries, _defaults().get("retry_delay")
    return max_retries, retry_delay


def timeout_or_default(timeout: timedelta | float | None) -> timedelta | float | None:
    """Return what was given, or what `tasks.defaults.timeout` of the configuration says."""
    return timeout if timeout is not None else _defaults().get("timeout") or None


def _defaults() -> Mapping[str, Any]:
    from headwater.sdk.context.configuration import config

    defaults: Mapping[str, Any] = config["tasks"]["defaults"]
    return defaults


def trigger(given: Any, *, task: str) -> Trigger:
    """Return the trigger; `all_successful` where none is given."""
    if given is None:
        return all_successful
    if given is some_failed or given is some_successful:
        name = trigger_name(given)
        warn_at(
            users_line(),
            f"Task {task!r}: trigger={name} has no bounds, so the task always runs. Write trigger={name}(at_least=1), for example.",
        )
        without_bounds: Trigger = given()
        return without_bounds
    if not callable(given):
        known = isinstance(given, str) and callable(getattr(sys.modules[all_successful.__module__], given, None))
        raise InvalidTask(
            f"Task {task!r}: trigger takes a function, and {given!r} is none.",
            hint=f"Write trigger={given}, after `from headwater.triggers import {given}`." if known else "Take one of headwater.triggers.",
        )
    chosen: Trigger = given
    return chosen


def result(given: Any, *, task: str) -> Result | None:
    """Return where the result is kept."""
    if given is None:
        return None
    from headwater.sdk.results import Result

    if isinstance(given, type) and issubclass(given, Result):
        raise InvalidTask(f"Task {task!r}: result={given.__name__} is a class.", hint=f"Call it: result={given.__name__}(...).")
    if not isinstance(given, Result):
        raise InvalidTask(f"Task {task!r}: {given!r} is not a Result.", hint="Write result=LocalResult(dir=...), for example.")
    return given


def task_run_name(given: str | Callable[..., str] | None, *, task: str) -> str | Callable[..., str] | None:
    """Return the template of a task run's name, or the function that makes one."""
    if given is not None and not isinstance(given, str) and not callable(given):
        raise InvalidTask(
            f"Task {task!r}: task_run_name takes a template such as '{{task_name}} of {{today}}', or a function, not {given!r}."
        )
    return given


def cache_key(given: str | None, *, task: str) -> str | None:
    """Return the name that tasks share a cache under."""
    if given is not None and (not isinstance(given, str) or not given.strip()):
        raise InvalidTask(f"Task {task!r}: cache_key must be text that is not empty, not {given!r}.")
    return given


def cache_validator(validator: Any, *, cache_for: timedelta | None, task: str) -> Callable[..., bool] | None:
    """Return the validator of a cache."""
    if validator is None:
        return None
    from headwater.sdk.language import cache_validators

    if not callable(validator):
        raise InvalidTask(f"Task {task!r}: cache_validator takes a function, and {validator!r} is none.")
    if validator in (cache_validators.partial_inputs_only, cache_validators.partial_parameters_only):
        name = validator.__name__
        raise InvalidTask(f"Task {task!r}: {name} makes a validator when it is called.", hint=f"Write cache_validator={name}(['name']).")
    if cache_for is None:
        warnings.warn(
            f"Task {task!r} has a cache_validator but no cache_for, so its result is not cached; say for how long it serves.",
            stacklevel=_WARN_AT_CALLER,
        )
    chosen: Callable[..., bool] = validator
    return chosen


def target(where: str | Callable[..., str] | None, *, checkpoint: bool | None, task: str) -> str | Callable[..., str] | None:
    """Return the template of a target, or the function that makes one."""
    if where is None:
        return None
    if not (callable(where) or (isinstance(where, str) and where.strip())):
        raise InvalidTask(f"Task {task!r}: target takes a template such as '{{flow_name}}/{{today}}', or a function, not {where!r}.")
    if checkpoint is False:
        raise InvalidTask(f"Task {task!r} has a target but checkpoint=False, so nothing would ever be there.", hint="Drop one of the two.")
    return where


def result_at_target(result: Result | None, target: str | Callable[..., str] | None) -> Result | None:
    """Return where the result is kept, with the template of the target as its location; the result that was given stays as it is."""
    return result.at(target, result.value) if result is not None and isinstance(target, str) else result


_WARN_AT_CALLER = 4


def seconds(value: timedelta | float, *, setting: str, task: str) -> timedelta:
    """Return a timedelta of at least 0, given one or a number of seconds."""
    if isinstance(value, bool) or not isinstance(value, timedelta | int | float):
        raise WrongTaskType(f"Task {task!r}: {setting} must be a timedelta or a number of seconds, not {value!r}.")
    try:
        span = standard_span(value) if isinstance(value, timedelta) else timedelta(seconds=value)
    except (OverflowError, ValueError):  # more than a timedelta holds, or no number at all
        span = timedelta.max
    if span > timedelta(seconds=SECONDS_MAX):
        raise InvalidTask(f"Task {task!r}: {setting} is at most {SECONDS_MAX:,} seconds (68 years), and {value!r} is not.")
    if span < timedelta(0):
        raise InvalidTask(f"Task {task!r}: {setting} cannot be negative, and {value!r} is.")
    return span


def timeout_seconds(value: timedelta | float | None, *, task: str) -> float | None:
    """Return the longest time that a task may take, in seconds; None where there is no limit. What was whole seconds is an `int`."""
    span = positive_seconds(value, setting="timeout", task=task)
    total = None if span is None else span.total_seconds()
    return int(total) if total is not None and total.is_integer() else total


def positive_seconds(value: timedelta | float | None, *, setting: str, task: str) -> timedelta | None:
    """Return a timedelta above 0, given one or a number of seconds, or None."""
    if value is None:
        return None
    span = seconds(value, setting=setting, task=task)
    if not span:
        raise InvalidTask(f"Task {task!r}: a {setting} of 0 leaves no time at all.", hint=f"Drop {setting} for no limit.")
    return span


def exceptions_to_retry(
    retry_on: type[Exception] | Iterable[type[Exception]] | None, *, max_retries: int, task: str
) -> frozenset[type[Exception]] | None:
    """Return the exceptions that are tried again; None means all."""
    if retry_on is None:
        return None
    given: Any = retry_on
    kinds = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str | type) else (given,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            meant = f"retry_on={type(kind).__name__}" if isinstance(kind, Exception) else "retry_on=[ConnectionError, TimeoutError]"
            raise WrongTaskType(f"Task {task!r}: retry_on takes exception classes, and {kind!r} is none.", hint=f"Write {meant}.")
    if max_retries == 0:
        raise InvalidTask(f"Task {task!r} has retry_on but no max_retries.", hint="Add max_retries and retry_delay.")
    return frozenset(kinds)


def handlers(
    state_handlers: Iterable[Callable[..., Any]] | None, on_failure: Callable[..., None] | None, *, owner: str
) -> list[Callable[..., Any]]:
    """Return the state handlers, `on_failure` as the last of them."""
    if callable(state_handlers):
        raise WrongTaskType(f"{owner}: state_handlers is a list of functions.", hint="Put the function into [ ].")
    all_handlers = list(state_handlers or ())
    if on_failure is not None and not callable(on_failure):
        raise InvalidTask(
            f"{owner}: on_failure takes a function, and {on_failure!r} is none.", hint="It is given what failed, and the state."
        )
    if on_failure is not None:
        all_handlers.append(partial(_call_on_failure, on_failure))
    for handler in all_handlers:
        if not callable(handler):
            raise WrongTaskType(f"{owner}: the state handler {handler!r} cannot be called.")
    return all_handlers


def _call_on_failure(on_failure: Callable[..., None], owner: Any, _: State, new_state: State) -> None:
    if new_state.is_failed():
        on_failure(owner, new_state)
