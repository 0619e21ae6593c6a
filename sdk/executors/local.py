"""One task after the other, in the thread that runs the flow."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from headwater.sdk.executors.base import Executor
from headwater.sdk.executors.task_call import TaskCall, execute
from headwater.sdk.states.state import State


class LocalExecutor(Executor):
    """Executes one task after the other, in the thread that runs the flow."""

    capacity = 1

    def __init__(self) -> None:
        self._call: tuple[Hashable, TaskCall] | None = None

    def submit(self, fn: Callable[..., Any], *args: Any, extra_context: dict[str, Any] | None = None, **kwargs: Any) -> Any:  # noqa: ARG002
        return fn(*args, **kwargs)

    def wait(self, futures: Any) -> Any:
        return futures

    def begin(self, key: Hashable, call: TaskCall) -> None:
        self._call = (key, call)

    def next_outcome(self, seconds_max: float | None) -> tuple[Hashable, State] | None:  # noqa: ARG002 - it never waits
        if self._call is None:
            return None
        key, call = self._call
        self._call = None
        return key, execute(call)
