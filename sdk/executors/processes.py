"""Several tasks at once, each in a process."""

from __future__ import annotations

import multiprocessing
import os
import queue
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from headwater.core.text import shown
from headwater.sdk.executors.base import Executor, check_number_of_workers, values_of
from headwater.sdk.executors.line_pipe import LinePipe, send
from headwater.sdk.executors.log_lines import Lines
from headwater.sdk.executors.main_program import MainProgram, main_program
from headwater.sdk.executors.task_call import TaskCall
from headwater.sdk.executors.transport import execute_packed, packed, unpacked
from headwater.sdk.states.state import Failed, State


def _begin(main: MainProgram | None, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # A task may start processes itself; loky's own way of starting them is not known in those.
    multiprocessing.set_start_method(None, force=True)
    if main is not None:
        main.become()
    initializer(*arguments)


class ProcessExecutor(Executor):
    """Executes up to `num_workers` tasks at once in processes (default: one for each processor).

    Good for tasks that keep the processor busy. Code, inputs and results must be picklable. If a process dies, the tasks that
    were being executed fail, and others are executed in new processes.

    Raises:
        InvalidArgument: `num_workers` is below 1.

    """

    def __init__(self, num_workers: int | None = None) -> None:
        check_number_of_workers(num_workers)
        self.num_workers = num_workers
        self.capacity = num_workers or os.cpu_count() or 1
        self._pool: Any = None
        self._outcomes: queue.SimpleQueue[tuple[Hashable, State | Any]] = queue.SimpleQueue()
        self._executed: set[Hashable] = set()
        self._lines = Lines()
        self._line_pipe: LinePipe | None = None

    @contextmanager
    def start(self) -> Iterator[None]:
        self._outcomes, self._executed, self._lines = queue.SimpleQueue(), set(), Lines()
        try:
            yield
        finally:
            # What is still being executed belongs to a run that was stopped.
            self._end_pool(kill=bool(self._executed))
            self._executed = set()

    def submit(self, fn: Callable[..., Any], *args: Any, extra_context: dict[str, Any] | None = None, **kwargs: Any) -> Any:  # noqa: ARG002
        return self._workers().submit(fn, *args, **kwargs)

    def wait(self, futures: Any) -> Any:
        return values_of(futures)

    def begin(self, key: Hashable, call: TaskCall) -> None:
        parcel = packed(call, self._lines)
        self._executed.add(key)
        if isinstance(parcel, Failed):
            self._outcomes.put((key, parcel))
            return
        outcomes = self._outcomes
        try:
            future = self._workers().submit(execute_packed, parcel, send)
        except Exception:  # noqa: BLE001 - the pool is broken, or being taken down, since a process died a moment ago
            self._end_pool(kill=True)
            future = self._workers().submit(execute_packed, parcel, send)
        future.add_done_callback(lambda done: outcomes.put((key, done)))

    def next_outcome(self, seconds_max: float | None) -> tuple[Hashable, State] | None:
        try:
            key, outcome = self._outcomes.get(timeout=seconds_max)
        except queue.Empty:
            return None
        self._executed.discard(key)
        if isinstance(outcome, State):
            return key, outcome
        error = outcome.exception()
        if error is not None:
            return key, Failed(f"The process that executed the task died: {shown(error, str)}", result=error)
        return key, unpacked(outcome.result(), self._lines)

    def _workers(self) -> Any:
        if self._pool is None:
            # Not the standard library's pool: that one would execute the user's script again in each process.
            from loky import ProcessPoolExecutor

            self._line_pipe = pipe = LinePipe(self._lines)
            self._pool = ProcessPoolExecutor(self.capacity, initializer=_begin, initargs=(main_program(), pipe.initializer, pipe.arguments))
        return self._pool

    def _end_pool(self, *, kill: bool) -> None:
        pool, self._pool = self._pool, None
        pipe, self._line_pipe = self._line_pipe, None
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=kill)
        if pipe is not None:
            pipe.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"num_workers": self.num_workers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["num_workers"])  # type: ignore[misc]
