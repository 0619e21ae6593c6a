"""`LocalDaskExecutor`: threads or processes of this machine, under the name that Prefect 1 has for them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.sdk.executors.base import Executor
from headwater.sdk.executors.local import LocalExecutor
from headwater.sdk.executors.processes import ProcessExecutor
from headwater.sdk.executors.task_call import TaskCall
from headwater.sdk.executors.threads import ThreadExecutor
from headwater.sdk.states.state import State

_SCHEDULERS = {
    "threads": "threads",
    "threading": "threads",
    "processes": "processes",
    "multiprocessing": "processes",
    "synchronous": "synchronous",
    "sync": "synchronous",
    "single-threaded": "synchronous",
}


class LocalDaskExecutor(Executor):
    """Executes several tasks at once on this machine. It needs no Dask.

    Args:
        scheduler: "threads", "processes" (or "multiprocessing"), or "synchronous" (or "sync"), in letters of either case.
        num_workers: how many tasks at once; by default as many as a `ThreadExecutor` or `ProcessExecutor` has.

    Raises:
        InvalidArgument: there is no such scheduler, or `num_workers` is not a whole number of at least 1.

    """

    def __init__(self, scheduler: str = "threads", num_workers: int | None = None) -> None:
        self.scheduler = self._normalize_scheduler(scheduler)
        self.num_workers = num_workers
        self._pool = self._made()

    @staticmethod
    def _normalize_scheduler(scheduler: str) -> str:
        chosen = _SCHEDULERS.get(scheduler.lower()) if isinstance(scheduler, str) else None
        if chosen is None:
            raise InvalidArgument(f"There is no scheduler {scheduler!r}.", hint="Choose threads, processes or synchronous.")
        return chosen

    def _made(self) -> Executor:
        match self.scheduler:
            case "threads":
                return ThreadExecutor(self.num_workers)
            case "processes":
                return ProcessExecutor(self.num_workers)
        return LocalExecutor()

    @property
    def capacity(self) -> int:  # type: ignore[override]
        """How many calls the engine hands over at a time, at most."""
        return self._pool.capacity

    @contextmanager
    def start(self) -> Iterator[None]:
        with self._pool.start():
            yield

    def submit(self, fn: Callable[..., Any], *args: Any, extra_context: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        return self._pool.submit(fn, *args, extra_context=extra_context, **kwargs)

    def wait(self, futures: Any) -> Any:
        return self._pool.wait(futures)

    def begin(self, key: Hashable, call: TaskCall) -> None:
        self._pool.begin(key, call)

    def next_outcome(self, seconds_max: float | None) -> tuple[Hashable, State] | None:
        return self._pool.next_outcome(seconds_max)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_pool"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._pool = self._made()
