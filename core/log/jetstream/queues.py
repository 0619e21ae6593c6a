"""Work items: one durable consumer per queue hands each item to one of those who ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

import anyio
from nats.aio.msg import Msg

from headwater.core.log import subjects
from headwater.core.log.jetstream.api import ApiRefusal, ask_api
from headwater.core.log.jetstream.binding import Binding
from headwater.core.log.jetstream.codec import WORK, ApiAnswer
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.store import store
from headwater.core.log.jetstream.streams import ensure_work
from headwater.core.log.jetstream.timers import cancel_timer, set_timer
from headwater.core.log.jetstream.waiting import is_waiting, listen_for_losses, undelivered, waiting_runs
from headwater.core.log.protocol import QueueBinding, WorkItem
from headwater.core.log.work_item import encode_item

UNUSED_SECONDS = 24 * 3600
"""A consumer that no agent asked for so long ends. What it had handed out is offered again by its successor."""

_WAITING_MAX = 10_000
_SECOND = 10**9
_GIVE_BACK_SECONDS = 2.0
_CONSUMER_LEADER_ELECTED = f"$JS.EVENT.ADVISORY.CONSUMER.LEADER_ELECTED.{WORK}"


class JetStreamQueues:
    """`RunQueues` by JetStream, on the stream WORK."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enqueue(self, item: WorkItem) -> None:
        await store(self._connection, subjects.scheduled(item.queue_id, item.run_id), encode_item(item), stream=WORK, restore=ensure_work)

    async def set_timer(self, item: WorkItem, *, due: datetime) -> None:
        await set_timer(self._connection, item, due)

    async def cancel_timer(self, run_id: str) -> None:
        await cancel_timer(self._connection, run_id)

    async def is_waiting(self, run_id: str, *, generation: int = 0) -> bool:
        return await is_waiting(self._connection, run_id, generation)

    async def undelivered(self, queue_id: str) -> int:
        return await undelivered(self._connection, queue_id)

    async def waiting_runs(self) -> set[str]:
        return await waiting_runs(self._connection)

    def work_lost(self) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        return listen_for_losses(self._connection)

    def bind(
        self, queue_id: str, *, lease_seconds: float, limit: int | None = None, at_once: int = 1
    ) -> AbstractAsyncContextManager[QueueBinding]:
        return _bind(self._connection, queue_id, lease_seconds, limit, at_once)


@asynccontextmanager
async def _bind(
    connection: Connection, queue_id: str, lease_seconds: float, limit: int | None, at_once: int
) -> AsyncIterator[QueueBinding]:
    async def ensure_consumer() -> None:
        await _ensure_consumer(connection, queue_id, lease_seconds, binding.limit_number)

    binding = Binding(connection, queue_id, ensure_consumer, at_once)
    binding.limit_number = limit
    await ensure_consumer()

    async def elected(_: Msg) -> None:
        binding.ask_again()

    advisory = await connection.subscribe(f"{_CONSUMER_LEADER_ELECTED}.{queue_id}", elected)
    forget = [connection.on_reconnect(binding.ask_again), connection.on_close(binding.failed)]
    try:
        yield binding
    finally:
        for each in forget:
            each()
        with anyio.move_on_after(_GIVE_BACK_SECONDS, shield=True):
            await connection.unsubscribe(advisory)
            await binding.stop()


async def _ensure_consumer(connection: Connection, queue_id: str, lease_seconds: float, limit: int | None) -> None:
    """Make the queue's consumer, or give the one that exists this lease and limit."""
    only = subjects.scheduled_in_queue(queue_id)
    config = {
        "durable_name": queue_id,
        "name": queue_id,
        "filter_subject": only,
        "deliver_policy": "all",
        "replay_policy": "instant",
        "ack_policy": "explicit",
        # Half the lease: a holder that died is found out within it, and the next attempt within the whole.
        "ack_wait": int(lease_seconds / 2 * _SECOND),
        "max_deliver": -1,
        # Every running run is an unacknowledged item.
        "max_ack_pending": -1 if limit is None else limit,
        "max_waiting": _WAITING_MAX,
        "inactive_threshold": UNUSED_SECONDS * _SECOND,
    }
    operation, question = f"CONSUMER.CREATE.{WORK}.{queue_id}.{only}", {"stream_name": WORK, "config": config}
    try:
        await ask_api(connection, operation, question, ApiAnswer)
    except ApiRefusal as refusal:
        if not refusal.not_found:
            raise
        await ensure_work(connection)
        await ask_api(connection, operation, question, ApiAnswer)
