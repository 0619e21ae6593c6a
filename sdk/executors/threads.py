"""Several tasks at once, each in a thread."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Hashable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

from headwater.core.text import shown
from headwater.sdk.executors.base import Executor, check_number_of_workers, values_of
from headwater.sdk.executors.task_call import TaskCall, execute
from headwater.sdk.states.state import Failed, State


class ThreadExecutor(Executor):
    """Executes up to `num_workers` tasks at once in threads (default: two for each processor, at least four).

    Good for tasks that wait for something else than the processor.

    Raises:
        InvalidArgument: `num_workers` is below 1.

    """

    def __init__(self, num_workers: int | None = None) -> None:
        check_number_of_workers(num_workers)
        self.num_workers = num_workers
        self.capacity = num_workers or max(4, 2 * (os.cpu_count() or 1))
        self._pool: futures.ThreadPoolExecutor | None = None
        self._outcomes: queue.SimpleQueue[tuple[Hashable, State]] | None = None

    @contextmanager
    def start(self) -> Iterator[None]:
        pool = futures.ThreadPoolExecutor(self.capacity, thread_name_prefix="headwater-task")
        self._pool, self._outcomes = pool, queue.SimpleQueue()
        try:
            yield
        finally:
            # What runs is waited for: a thread cannot be stopped, and must not outlive its run unheard.
            pool.shutdown(wait=True, cancel_futures=True)
            self._pool = self._outcomes = None

    def submit(self, fn: Callable[..., Any], *args: Any, extra_context: dict[str, Any] | None = None, **kwargs: Any) -> Any:  # noqa: ARG002
        assert self._pool is not None, "Submit functions inside of `with executor.start():`."
        return self._pool.submit(fn, *args, **kwargs)

    def wait(self, futures: Any) -> Any:
        return values_of(futures)

    def begin(self, key: Hashable, call: TaskCall) -> None:
        pool, outcomes = self._pool, self._outcomes
        assert pool is not None
        assert outcomes is not None
        pool.submit(lambda: outcomes.put((key, _execute(call))))

    def next_outcome(self, seconds_max: float | None) -> tuple[Hashable, State] | None:
        assert self._outcomes is not None
        try:
            return self._outcomes.get(timeout=seconds_max)
        except queue.Empty:
            return None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None, "_outcomes": None}


def _execute(call: TaskCall) -> State:
    try:
        return execute(call)
    except BaseException as error:  # noqa: BLE001 - a thread that ends without an outcome would leave the run waiting
        return Failed(f"Error during execution of task: {shown(error)}", result=error)
