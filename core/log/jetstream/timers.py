"""Timers: messages that the broker itself publishes when they are due."""

from __future__ import annotations

from datetime import UTC, datetime

from headwater.core.log import subjects
from headwater.core.log.jetstream.api import ApiRefusal, ask_api
from headwater.core.log.jetstream.codec import WORK, ApiAnswer
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.store import store
from headwater.core.log.jetstream.streams import ensure_work
from headwater.core.log.protocol import WorkItem
from headwater.core.log.work_item import encode_item


async def set_timer(connection: Connection, item: WorkItem, due: datetime) -> None:
    """Have the item published when it is due; see `RunQueues.set_timer` for the promise."""
    headers = {
        "Nats-Schedule": f"@at {due.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        "Nats-Schedule-Target": subjects.scheduled(item.queue_id, item.run_id),
    }
    subject = subjects.schedule_timer(item.run_id) if item.queue_id == subjects.SCHEDULES_QUEUE else subjects.timer(item.run_id)
    await store(connection, subject, encode_item(item), stream=WORK, headers=headers, restore=ensure_work)


async def cancel_timer(connection: Connection, run_id: str) -> None:
    """Remove the run's timer; see `RunQueues.cancel_timer` for the promise."""
    try:
        await ask_api(connection, f"STREAM.PURGE.{WORK}", {"filter": subjects.timers_of(run_id)}, ApiAnswer)
    except ApiRefusal as refusal:
        if not refusal.not_found:  # without the stream there is no timer
            raise
