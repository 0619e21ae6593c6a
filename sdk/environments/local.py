"""Runs in processes of a local agent."""

from __future__ import annotations

from typing import Unpack

from headwater.sdk.environments.base import Environment, EnvironmentOptions, given_executor
from headwater.sdk.executors import Executor


class LocalEnvironment(Environment):
    """Runs where the agent runs: `UniversalRun(labels=...)` and `flow.executor = executor`.

    Raises:
        InvalidEnvironment: `executor` is not an executor.

    """

    def __init__(self, executor: Executor | None = None, **options: Unpack[EnvironmentOptions]) -> None:
        super().__init__(**options)
        self.executor = given_executor("LocalEnvironment", executor)
