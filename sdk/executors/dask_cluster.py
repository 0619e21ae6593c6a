"""What is asked of a Dask cluster beside executing: which calls were begun, and whether anybody is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from headwater.core.text import shown
from headwater.utilities.logging import get_logger

_HANDLER = "headwater_begin"


@contextmanager
def executions_counted(client: Any, run: str) -> Iterator[None]:
    """Have the cluster's scheduler remember which calls of the run were begun.

    Dask executes a task again whose worker died, or whose result lay on it: up to four times. A task of a flow has effects, and
    retries of its own. The functions are defined inside: so they travel by value, to schedulers that have no Headwater.
    """

    def remember(dask_scheduler: Any) -> None:
        def begin(run: str, call: str) -> bool:
            begun = dask_scheduler.headwater_begun.get(run)
            if begun is None or call in begun:
                return False
            begun.add(call)
            return True

        if not hasattr(dask_scheduler, "headwater_begun"):
            dask_scheduler.headwater_begun = {}
        dask_scheduler.headwater_begun[run] = set()
        dask_scheduler.handlers["headwater_begin"] = begin

    def forget(dask_scheduler: Any) -> None:
        dask_scheduler.headwater_begun.pop(run, None)

    try:
        client.run_on_scheduler(remember)
    except Exception as error:  # noqa: BLE001 - a scheduler may forbid it
        get_logger("DaskExecutor").warning("Tasks whose worker dies may be executed again: the scheduler cannot count (%s).", shown(error))
        yield
        return
    try:
        yield
    finally:
        with suppress(Exception):  # the cluster may be gone, and with it what it remembers
            client.run_on_scheduler(forget)


def is_first_execution(worker: Any, run: str, call: str) -> bool:
    """Tell, on a worker, whether the call is begun for the first time."""
    from distributed.utils import sync

    try:
        return bool(sync(worker.loop, getattr(worker.scheduler, _HANDLER), run=run, call=call))
    except AttributeError:
        return True  # the scheduler does not count; a warning said so


class WorkerWatch:
    """Tells when a cluster has had no worker for too long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._missed_since: float | None = None
        self.is_over = False
        """Whether the last look found that nobody is left."""

    def problem(self, client: Any) -> str | None:
        """Return why tasks of the cluster wait in vain, or None."""
        has_workers = client.status == "running" and bool(client.scheduler_info(n_workers=1)["workers"])
        self._missed_since = None if has_workers else self._missed_since or time.monotonic()
        self.is_over = self._missed_since is not None and time.monotonic() - self._missed_since >= self._seconds
        if not self.is_over:
            return None
        what = "has had no worker" if client.status == "running" else "has not answered"
        return f"The Dask cluster {what} for {self._seconds:g} s, so the task cannot be executed."
