"""What the settings of a task may be; each misuse gets a sentence that says what to write instead."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, get_args, get_origin

from headwater.graph.errors import InvalidTask

if TYPE_CHECKING:
    from headwater.engine.state import State
    from headwater.graph.task import Task

RESERVED_ARGUMENTS = frozenset({"upstream_tasks", "mapped", "task_args", "flow"})


def task_name(name: str | None, *, default: str) -> str:
    """Return the name of a task."""
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise InvalidTask(f"A task's name must be text that is not empty, not {name!r}.")
    return name or default


def tag_set(tags: Iterable[str] | None, *, task: str) -> frozenset[str]:
    """Return the tags as a set."""
    if isinstance(tags, str):
        raise InvalidTask(f"Task {task!r}: tags={tags!r} is one text.", hint=f"Write tags=[{tags!r}].")
    return frozenset(tags or ())


def retries(max_retries: int | None, retry_delay: timedelta | float | None, *, task: str) -> tuple[int, timedelta | None]:
    """Return the retries after the first execution, and the wait before each."""
    count = 0 if max_retries is None else max_retries
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise InvalidTask(f"Task {task!r}: max_retries must be a whole number of at least 0, not {max_retries!r}.")
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
    from headwater.utilities.configuration import config

    defaults: Mapping[str, Any] = config["tasks"]["defaults"]
    return defaults


def cache_validator(validator: Callable[..., bool] | None, *, cache_for: timedelta | None, task: str) -> Callable[..., bool] | None:
    """Return the validator of a cache."""
    if validator is None:
        return None
    if not callable(validator):
        raise InvalidTask(f"Task {task!r}: cache_validator takes a function, and {validator!r} is none.")
    if cache_for is None:
        warnings.warn(
            f"Task {task!r} has a cache_validator but no cache_for, so its result is not cached; say for how long it serves.",
            stacklevel=_WARN_AT_CALLER,
        )
    return validator


def target(where: str | Callable[..., str] | None, *, checkpoint: bool | None, task: str) -> str | Callable[..., str] | None:
    """Return the template of a target, or the function that makes one."""
    if where is None:
        return None
    if not (callable(where) or (isinstance(where, str) and where.strip())):
        raise InvalidTask(f"Task {task!r}: target takes a template such as '{{flow_name}}/{{today}}', or a function, not {where!r}.")
    if checkpoint is False:
        raise InvalidTask(f"Task {task!r} has a target but checkpoint=False, so nothing would ever be there.", hint="Drop one of the two.")
    return where


_WARN_AT_CALLER = 4


def seconds(value: timedelta | float, *, setting: str, task: str) -> timedelta:
    """Return a timedelta of at least 0, given one or a number of seconds."""
    if isinstance(value, bool) or not isinstance(value, timedelta | int | float):
        raise InvalidTask(f"Task {task!r}: {setting} must be a timedelta or a number of seconds, not {value!r}.")
    span = value if isinstance(value, timedelta) else timedelta(seconds=value)
    if span < timedelta(0):
        raise InvalidTask(f"Task {task!r}: {setting} cannot be negative, and {value!r} is.")
    return span


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
) -> tuple[type[Exception], ...] | None:
    """Return the exceptions that are tried again; None means all."""
    if retry_on is None:
        return None
    kinds = (retry_on,) if isinstance(retry_on, type) else tuple(retry_on)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise InvalidTask(f"Task {task!r}: retry_on takes exception classes, and {kind!r} is none.")
    if max_retries == 0:
        raise InvalidTask(f"Task {task!r} has retry_on but no max_retries.", hint="Add max_retries and retry_delay.")
    return kinds


def handlers(
    state_handlers: Iterable[Callable[..., Any]] | None, on_failure: Callable[..., None] | None, *, owner: str
) -> list[Callable[..., Any]]:
    """Return the state handlers, `on_failure` as the last of them."""
    if callable(state_handlers):
        raise InvalidTask(f"{owner}: state_handlers is a list of functions.", hint="Put the function into [ ].")
    all_handlers = list(state_handlers or ())
    if on_failure is not None:
        all_handlers.append(partial(_call_on_failure, on_failure))
    for handler in all_handlers:
        if not callable(handler):
            raise InvalidTask(f"{owner}: the state handler {handler!r} cannot be called.")
    return all_handlers


def _call_on_failure(on_failure: Callable[..., None], owner: Any, _: State, new_state: State) -> None:
    if new_state.is_failed():
        on_failure(owner, new_state)


def signature_of_run(task: Task) -> inspect.Signature:
    """Return what `run` takes; a task that defines none takes nothing."""
    from headwater.graph.task import Task

    if getattr(task.run, "__func__", None) is Task.run:
        return inspect.Signature()
    try:
        return inspect.signature(task.run)
    except ValueError:
        raise InvalidTask(
            f"Task {task.name!r}: the arguments of its run cannot be found out (it is not written in Python).",
            hint="Wrap it: @task def my_task(x): return that_function(x).",
        ) from None


def check_run(task: Task) -> None:
    """Refuse a `run` whose inputs could not be told apart."""
    for name, parameter in task.run_signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            raise InvalidTask(
                f"Task {task.name!r}: run takes *{name}, but inputs of tasks need names.",
                hint="Name each argument, or take one list.",
            )
        if name in RESERVED_ARGUMENTS:
            raise InvalidTask(
                f"Task {task.name!r}: run has an argument {name!r}, a word that calling a task uses itself.",
                hint=f"Rename it; reserved are {', '.join(sorted(RESERVED_ARGUMENTS))}.",
            )


def outputs_by_annotation(task: Task) -> int | None:
    """Return the number of results if `run` is annotated with a tuple of known length."""
    annotation = task.run_signature.return_annotation
    if isinstance(annotation, str) and annotation.lower().startswith(("tuple[", "typing.tuple[")):
        annotation = _evaluated(task)
    if get_origin(annotation) is not tuple:
        return None
    parts = get_args(annotation)
    if Ellipsis in parts:
        return None
    return 0 if parts == ((),) else len(parts)


def _evaluated(task: Task) -> Any:
    """Return the annotation of the result where it was written as text, or None if names in it are not known yet."""
    function = getattr(task.run, "__func__", task.run)
    try:
        return inspect.get_annotations(function, eval_str=True).get("return")
    except Exception:  # noqa: BLE001 - evaluating text runs whatever is in it; without an answer, nout= can still say
        return None


def change(task: Task, task_args: Mapping[str, Any]) -> None:
    """Set settings of an existing task, checked as at its creation."""
    given = dict(task_args)
    for setting in given:
        if setting.startswith("_") or setting not in task.__dict__:
            raise InvalidTask(f"Task {task.name!r} has no setting {setting!r}.", hint=f"Settings are {', '.join(_settings_of(task))}.")
    if "name" in given:
        task.name = task_name(given.pop("name"), default=task.name)
    if "tags" in given:
        task.tags = task.tags | tag_set(given.pop("tags"), task=task.name)
    if "max_retries" in given or "retry_delay" in given:
        task.max_retries, task.retry_delay = retries(
            given.pop("max_retries", task.max_retries), given.pop("retry_delay", task.retry_delay), task=task.name
        )
    if "retry_on" in given:
        task.retry_on = exceptions_to_retry(given.pop("retry_on"), max_retries=task.max_retries, task=task.name)
    if "timeout" in given:
        task.timeout = positive_seconds(given.pop("timeout"), setting="timeout", task=task.name)
    if "cache_for" in given:
        task.cache_for = positive_seconds(given.pop("cache_for"), setting="cache_for", task=task.name)
    if "cache_validator" in given:
        task.cache_validator = cache_validator(given.pop("cache_validator"), cache_for=task.cache_for, task=task.name)
    if "target" in given:
        checkpoint = given.get("checkpoint", task.checkpoint)
        task.target = target(given.pop("target"), checkpoint=checkpoint, task=task.name)
    if "state_handlers" in given:
        task.state_handlers = handlers(given.pop("state_handlers"), None, owner=f"Task {task.name!r}")
    for setting, value in given.items():
        setattr(task, setting, value)


def _settings_of(task: Task) -> list[str]:
    return sorted(name for name in task.__dict__ if not name.startswith("_"))
