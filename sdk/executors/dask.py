"""Tasks on a Dask cluster."""

from __future__ import annotations

import importlib
import logging
import queue
import time
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

from headwater.core.errors import InvalidArgument
from headwater.core.text import shown
from headwater.sdk.context.configuration import config
from headwater.sdk.context.importtools import import_object
from headwater.sdk.executors.base import Executor
from headwater.sdk.executors.dask_calls import calls_remembered, is_first_execution, outcome_kept, outcome_taken
from headwater.sdk.executors.dask_cluster import WorkerWatch
from headwater.sdk.executors.local_dask import LocalDaskExecutor
from headwater.sdk.executors.log_lines import Lines
from headwater.sdk.executors.task_call import TaskCall
from headwater.sdk.executors.transport import execute_packed, packed, unpacked
from headwater.sdk.states.state import Failed, State

__all__ = ["DaskExecutor", "LocalDaskExecutor"]

LOOK_SECONDS = 2.0
LINES_TOPIC = "headwater-log-lines"
"""The topic of the cluster's events that lines are sent under. One for all runs: the scheduler remembers so many events of each."""
IN_FLIGHT_MAX = 2_000
"""How many calls the cluster is given at once: enough to see how many workers it needs."""


class DaskExecutor(Executor):
    """Executes tasks on a Dask cluster: the one at `address`, or one that is started for each run.

    Code, inputs and results must be picklable. Log lines come back through the cluster's events. Needs `pip install headwater[dask]`.
    A task is executed once, whatever Dask does: if its worker dies meanwhile, the task fails, and is tried again where it has retries.
    What came of a task outlives the worker, up to 16 MiB; more is lost with it if the worker dies before the run has it.

    Args:
        address: the scheduler's address, such as `tcp://10.0.0.5:8786`; where no cluster is chosen either, what is configured as
            `engine.executor.dask.address`.
        cluster_class: what makes the cluster, or its import path; a `distributed.LocalCluster` by default, or what is configured as
            `engine.executor.dask.cluster_class`.
        cluster_kwargs: arguments for it.
        adapt_kwargs: arguments for `cluster.adapt(...)`, which makes the cluster grow and shrink.
        client_kwargs: arguments for the `distributed.Client`.
        debug: whether the cluster's own log lines are shown (only for the default cluster); by default as `debug` is configured.
        performance_report_path: where Dask writes a report of the run, as HTML.
        disable_cancellation_event: accepted for flows written for other versions; a run that ends cancels its tasks.
        watch_worker_status: accepted likewise; workers are always watched.
        no_workers_timeout: how many seconds tasks wait for a worker while the cluster has none; then they fail. By default 60 for a
            cluster that is started for the run, 600 for one that grows and shrinks or is there already.

    Raises:
        InvalidArgument: an address is given together with a cluster of its own.

    """

    capacity = IN_FLIGHT_MAX

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        address: str | None = None,
        cluster_class: str | Callable[..., Any] | None = None,
        cluster_kwargs: Mapping[str, Any] | None = None,
        adapt_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
        debug: bool | None = None,
        performance_report_path: str | None = None,
        disable_cancellation_event: bool = False,
        watch_worker_status: bool | None = None,
        *,
        no_workers_timeout: float | None = None,
    ) -> None:
        del disable_cancellation_event, watch_worker_status
        if address is not None and (cluster_class is not None or cluster_kwargs):
            raise InvalidArgument(
                "A DaskExecutor uses the cluster at an address, or one of its own; both were given.",
                hint="Drop address, or drop cluster_class and cluster_kwargs.",
            )
        if address is not None and adapt_kwargs:
            warnings.warn("A DaskExecutor does not let the cluster at an address grow: adapt_kwargs is not followed.", stacklevel=2)
            adapt_kwargs = None
        configured = config["engine"]["executor"]["dask"]
        if address is None and cluster_class is None and not cluster_kwargs and not adapt_kwargs:
            address = configured["address"] or None
        self.address = address
        self.cluster_class = cluster_class or (configured["cluster_class"] or None if address is None else None)
        self.cluster_kwargs = dict(cluster_kwargs or {})
        self.adapt_kwargs = dict(adapt_kwargs or {})
        self.client_kwargs = dict(client_kwargs or {})
        self.debug = bool(config["debug"]) if debug is None else debug
        self.performance_report_path = performance_report_path
        patient = address is not None or bool(self.adapt_kwargs)
        self.no_workers_timeout = (600.0 if patient else 60.0) if no_workers_timeout is None else no_workers_timeout
        self._set_up()

    def _set_up(self) -> None:
        self._client: Any = None
        self._outcomes: queue.SimpleQueue[tuple[Hashable, Any]] = queue.SimpleQueue()
        self._futures: dict[Hashable, Any] = {}
        self._lines = Lines()
        self._run = ""
        self._watch = WorkerWatch(self.no_workers_timeout)

    @contextmanager
    def start(self) -> Iterator[None]:
        distributed = _distributed()
        self._set_up()
        with ExitStack() as stack:
            if self.address is not None:
                where: Any = self.address
            else:
                where = stack.enter_context(self._cluster(distributed))
                if self.adapt_kwargs:
                    where.adapt(**self.adapt_kwargs)
            self._client = stack.enter_context(distributed.Client(where, set_as_default=False, **self.client_kwargs))
            self._run = uuid4().hex
            stack.enter_context(calls_remembered(self._client, self._run))
            self._client.subscribe_topic(LINES_TOPIC, self._take_event)
            if self.performance_report_path is not None:
                with self._client.as_current():
                    stack.enter_context(distributed.performance_report(self.performance_report_path))
            try:
                yield
            finally:
                left = [future for future in self._futures.values() if future is not None]
                if left:
                    # They belong to a run that was stopped.
                    self._client.cancel(left, force=True)
        self._set_up()

    def _take_event(self, event: tuple[float, tuple[str, bytes]]) -> None:
        _, (run, line) = event
        if run == self._run:
            self._lines.take(line)

    def _cluster(self, distributed: Any) -> Any:
        kind = self.cluster_class
        if isinstance(kind, str):
            kind = import_object(kind)
        if kind is not None:
            return kind(**self.cluster_kwargs)
        quiet = {"silence_logs": logging.DEBUG if self.debug else logging.CRITICAL, "dashboard_address": "127.0.0.1:0"}
        return distributed.LocalCluster(**{**quiet, **self.cluster_kwargs})

    def submit(self, fn: Callable[..., Any], *args: Any, extra_context: dict[str, Any] | None = None, **kwargs: Any) -> Any:  # noqa: ARG002
        return self._client.submit(fn, *args, pure=False, **kwargs)

    def wait(self, futures: Any) -> Any:
        return self._client.gather(futures)

    def begin(self, key: Hashable, call: TaskCall) -> None:
        parcel = packed(call, self._lines)
        if isinstance(parcel, Failed):
            self._futures[key] = None
            self._outcomes.put((key, parcel))
            return
        outcomes = self._outcomes
        # Tasks of flows have side effects: two with equal inputs are two, and none is executed again by Dask itself.
        call_id = f"{_execute_on_worker.__name__}-{uuid4().hex}"
        future = self._client.submit(_execute_on_worker, parcel, self._run, call_id, key=call_id, pure=False, retries=0)
        self._futures[key] = future
        future.add_done_callback(lambda done: outcomes.put((key, done)))

    def next_outcome(self, seconds_max: float | None) -> tuple[Hashable, State] | None:
        taken = self._next(seconds_max)
        if taken is None:
            return None
        key, outcome = taken
        del self._futures[key]
        if isinstance(outcome, State):
            return key, outcome
        if outcome.status in {"error", "cancelled"}:
            error = outcome.exception() if outcome.status == "error" else RuntimeError("The call was cancelled.")
            return key, Failed(f"The cluster could not execute the task: {shown(error)}", result=error)
        try:
            # First what the scheduler kept: the worker may have died since the call ended.
            data = outcome_taken(self._client, self._run, outcome.key)
            if data is None and outcome.status == "finished":
                data = outcome.result()
        except Exception as error:  # noqa: BLE001 - the cluster may end at any moment, and has many ways to say so
            return key, Failed(f"What came of the task cannot be had from the cluster: {shown(error)}", result=error)
        if data is None:
            words = "The worker that executed the task died, or lost its result; a task is not executed again by Dask itself."
            return key, Failed(words, result=RuntimeError(words))
        return key, unpacked(data, self._lines)

    def _next(self, seconds_max: float | None) -> tuple[Hashable, Any] | None:
        """Return what comes next; None after `seconds_max`. Where nothing comes, see whether there is anybody left to execute anything."""
        deadline = None if seconds_max is None else time.monotonic() + seconds_max
        while True:
            left = LOOK_SECONDS if deadline is None else min(LOOK_SECONDS, max(0.0, deadline - time.monotonic()))
            try:
                key, outcome = self._outcomes.get(timeout=0.0 if self._watch.is_over else left)
                if isinstance(outcome, State) or self._futures.get(key) is outcome:
                    return key, outcome
                continue  # of a call that was given up
            except queue.Empty:
                if deadline is not None and time.monotonic() >= deadline:
                    return None
            if (problem := self._watch.problem(self._client)) is not None:
                key, future = next(iter(self._futures.items()))
                future.cancel(force=True)
                return key, Failed(problem, result=RuntimeError(problem))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in {"_client", "_outcomes", "_futures", "_lines", "_run"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._set_up()


def _execute_on_worker(parcel: bytes, run: str, call: str) -> bytes | None:
    """Return what came of the call; None where the scheduler keeps it, or where the call was begun before, on a worker that died."""
    from distributed import get_worker

    worker = get_worker()
    if not is_first_execution(worker, run, call):
        return None
    data = execute_packed(parcel, lambda line: worker.log_event(LINES_TOPIC, (run, line)))
    return None if outcome_kept(worker, run, call, data) else data


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        raise InvalidArgument("The DaskExecutor needs Dask, which is not installed.", hint="pip install 'headwater[dask]'") from error
