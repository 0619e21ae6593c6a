"""Making tasks: the `@task` decorator, tags for all tasks made in a block, constants and collections as tasks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, overload

from headwater.sdk.context.context import context
from headwater.sdk.language.active_flow import active_flow
from headwater.sdk.language.function import FunctionTask
from headwater.sdk.language.task_settings import tags_in_force

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


@overload
def task(function: Callable[..., Any], /, **settings: Any) -> FunctionTask: ...
@overload
def task(**settings: Any) -> Callable[[Callable[..., Any]], FunctionTask]: ...
def task(function: Callable[..., Any] | None = None, /, **settings: Any) -> Any:
    """Return a task made of a function; with settings alone, return what makes one.

        @task
        def extract(): ...

        @task(max_retries=3, retry_delay=timedelta(seconds=10))
        def load(rows): ...

    Settings are those of `Task`. The function itself stays callable as `extract.run()`.

    Raises:
        InvalidTask: a setting, or the function's signature, cannot work.

    """
    if function is None:
        return lambda decorated: FunctionTask(decorated, **settings)
    return FunctionTask(function, **settings)


@contextmanager
def tags(*names: str) -> Iterator[None]:
    """Give every task that is made or called in the `with` block these tags.

        with tags("daily"):
            extract()

    Returns:
        A context manager.

    """
    with context(tags=tags_in_force() | frozenset(names)):
        yield


def pause_task(message: str | None = None, duration: timedelta | float | None = None) -> None:
    """Pause the task this is called from, for `duration` (or as many seconds), or until a user resumes it. After that, do nothing.

    Raises:
        InvalidTask: `duration` is neither.

    """
    from headwater.sdk.language.task_settings import seconds
    from headwater.sdk.states import signals

    if context.get("resume"):
        return
    pause = None if duration is None else seconds(duration, setting="duration", task=context.get("task_name", "pause_task"))
    start_time = datetime.now(UTC) + pause if pause is not None else None
    raise signals.PAUSE(message or "Pause signal raised during task execution.", start_time=start_time)


def defaults_from_attrs(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let arguments of a task's `run` that are not given be taken from the attributes of the same names. None is given, where it is."""

    def decorate(run: Callable[..., Any]) -> Callable[..., Any]:
        arguments = list(inspect.signature(run).parameters)[1:]

        @functools.wraps(run)
        def run_with_defaults(self: Any, *args: Any, **kwargs: Any) -> Any:
            by_name = dict(zip(arguments, args, strict=False))
            rest = args[len(by_name) :]
            given = {**by_name, **kwargs}
            for name in names:
                if name not in given:
                    given[name] = getattr(self, name)
            return run(self, *rest, **given)

        return run_with_defaults

    return decorate


def apply_map(function: Callable[..., Any], *args: Any, flow: Flow | None = None, **kwargs: Any) -> Any:
    """Map a function that builds part of a flow: each task that it adds is mapped.

        def load_one(page):
            rows = parse(page)
            with case(is_large(rows), True):
                archive(rows)
            return rows

        rows = apply_map(load_one, pages)

    The function is called once, while the flow is built. It returns a task, or tasks in tuples, lists or dicts; so does
    this. Wrap inputs that are the same for all in `unmapped`. Every other task that the function uses is mapped over too, with as many
    children as the shortest input has elements; a parameter, or a resource that is set up outside, is the same for all.

    Args:
        function: builds the part, given a task for each input.
        flow: the flow to add to, where no `with Flow(...)` block is open; the function then gets a flow as its argument `flow`.
        args: the inputs of the function, as in `kwargs`: tasks, lists, or collections of tasks, whose results are taken element by element.

    Raises:
        NoActiveFlow: no flow is being built.
        WrongArguments: an input has no elements.
        InvalidFlow: the function maps a task itself.

    """
    from headwater.sdk.language.mapped_pipeline import build_mapped_pipeline

    into = flow or active_flow("use apply_map", instead="a loop in a task")
    return build_mapped_pipeline(function, args, kwargs, into, pass_flow=flow is not None)
