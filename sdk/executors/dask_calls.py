"""What a Dask scheduler remembers of the calls of a run: which were begun, and what came of them until the run takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from headwater.core.text import shown
from headwater.sdk.context.logging import get_logger

_BEGIN, _STORE, _TAKE = "headwater_begin_call", "headwater_keep_outcome", "headwater_take_outcome"
OUTCOME_BYTES_MAX = 16 * 2**20
"""How large an outcome may be that the scheduler keeps; a larger one stays on its worker."""
RUN_BYTES_MAX = 256 * 2**20
"""How much a scheduler keeps for a run at once."""


@contextmanager
def calls_remembered(client: Any, run: str) -> Iterator[None]:
    """Have the cluster's scheduler remember the calls of the run.

    Dask executes a task again whose worker died, or whose result lay on it: up to four times. A task of a flow has effects, and
    retries of its own. So a call is begun once, and what came of it does not lie on the worker alone, where another task may end it.
    The functions are defined inside: so they travel by value, to schedulers that have no Headwater.
    """
    begin_name, store_name, take_name, bytes_max = _BEGIN, _STORE, _TAKE, RUN_BYTES_MAX
    client_id = client.id

    def remember(dask_scheduler: Any) -> None:
        if not hasattr(dask_scheduler, "headwater_runs"):
            dask_scheduler.headwater_runs = {}
        runs = dask_scheduler.headwater_runs

        def begin(run: str, call: str) -> bool:
            if run not in runs or call in runs[run]["begun"]:
                return False
            runs[run]["begun"].add(call)
            return True

        def store(run: str, call: str, size: int, data: Any) -> bool:
            if run not in runs or sum(each for each, _ in runs[run]["stored"].values()) + size > bytes_max:
                return False
            runs[run]["stored"][call] = (size, data)
            return True

        def take(run: str, call: str) -> Any:
            return runs[run]["stored"].pop(call, (0, None))[1] if run in runs else None

        for each in runs.values():
            if each["client"] not in dask_scheduler.clients:
                each["stored"].clear()  # its process died, and nothing takes it
        runs[run] = {"client": client_id, "begun": set(), "stored": {}}
        dask_scheduler.handlers.update({begin_name: begin, store_name: store, take_name: take})

    def forget(dask_scheduler: Any) -> None:
        dask_scheduler.headwater_runs.pop(run, None)

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
    # A scheduler that does not count lets every execution be the first; a warning said so.
    return bool(_asked(_on_worker(worker), worker.scheduler, _BEGIN, otherwise=True, run=run, call=call))


def outcome_kept(worker: Any, run: str, call: str, data: bytes) -> bool:
    """Give the scheduler, from a worker, what came of a call; tell whether it keeps it, until the run takes it."""
    from distributed.protocol.serialize import to_serialize

    if len(data) > OUTCOME_BYTES_MAX:
        return False
    # Wrapped like this, the scheduler hands the bytes on without looking into them.
    wrapped = to_serialize(data)  # type: ignore[no-untyped-call]
    return bool(_asked(_on_worker(worker), worker.scheduler, _STORE, otherwise=False, run=run, call=call, size=len(data), data=wrapped))


def outcome_taken(client: Any, run: str, call: str) -> bytes | None:
    """Take from the scheduler, in the run, what came of a call; None where it kept nothing."""
    from distributed.protocol.serialize import Serialize

    data: Any = _asked(client.sync, client.scheduler, _TAKE, otherwise=None, run=run, call=call)
    # A scheduler in this very process hands on the wrapping as well.
    outcome: bytes | None = data.data if isinstance(data, Serialize) else data
    return outcome


def _on_worker(worker: Any) -> Callable[..., Any]:
    from distributed.utils import sync

    return lambda handler, **arguments: sync(worker.loop, handler, **arguments)


def _asked(wait_for: Callable[..., Any], scheduler: Any, name: str, *, otherwise: Any, **arguments: Any) -> Any:
    answer = wait_for(getattr(scheduler, name), **arguments)
    # A scheduler that has no such handler answers None.
    return otherwise if answer is None else answer
