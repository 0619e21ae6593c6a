"""Runs with an executor that is named by a path."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Unpack

from headwater.sdk.environments.base import Environment, EnvironmentOptions, given_executor
from headwater.sdk.environments.errors import InvalidEnvironment
from headwater.sdk.executors import Executor


class RemoteEnvironment(Environment):
    """Runs where the agent runs, with the executor that a dotted path names: `UniversalRun(labels=...)` and `flow.executor`.

    Args:
        executor: the path of an executor's class, such as `headwater.executors.DaskExecutor`; of one that begins with `prefect.`,
            ours is taken. Tasks run one after the other by default.
        executor_kwargs: arguments for it.
        options: those of every environment: `labels`, `on_start`, `on_exit`, `metadata`.

    Raises:
        InvalidEnvironment: there is no executor at this path, or it does not take these arguments.

    """

    def __init__(
        self,
        executor: str | None = None,
        executor_kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[EnvironmentOptions],
    ) -> None:
        super().__init__(**options)
        self.executor_kwargs = dict(executor_kwargs or {})
        self.executor = None if executor is None else _executor_at(executor, self.executor_kwargs)


def _executor_at(path: Any, arguments: dict[str, Any]) -> Executor | None:
    if not isinstance(path, str) or "." not in path:
        raise InvalidEnvironment(
            f"RemoteEnvironment: executor takes the path of a class, not {path!r}.",
            hint="Write executor='headwater.executors.DaskExecutor', or LocalEnvironment(executor=DaskExecutor(...)).",
        )
    here = f"headwater.{path.removeprefix('prefect.')}" if path.startswith("prefect.") else path
    module, _, name = here.rpartition(".")
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InvalidEnvironment(f"RemoteEnvironment: there is no executor at {here}: {error}") from error
    try:
        return given_executor("RemoteEnvironment", kind(**arguments))
    except TypeError as error:
        raise InvalidEnvironment(
            f"RemoteEnvironment: {here} cannot be made of {arguments!r}: {error}", hint="Give executor_kwargs the arguments it has."
        ) from error
