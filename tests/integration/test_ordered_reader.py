"""What reads a stream in order, and what it leaves in the broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import anyio
import nats
import pytest
from harness.servers import NatsNode
from harness.views_fixtures import eventually, hosted, opened
from nats.js import JetStreamContext

from headwater.core.events import RunRenamed
from headwater.core.log.codec import encode
from headwater.core.log.commit import new_commit
from headwater.core.log.jetstream.connection import connect
from headwater.core.log.jetstream.ordered import OrderedReader, read_in_order
from headwater.core.log.subjects import EVENTS_ALL

MORE_THAN_TWO_PULLS = 9_000


@pytest.fixture
async def stream(nats_node: NatsNode) -> AsyncIterator[JetStreamContext]:
    """The stream of events, with more commits than the reader asks for at once."""
    async with hosted(opened(nats_node.url)), await nats.connect(nats_node.url) as client:
        stream = client.jetstream()
        commit = encode(new_commit([RunRenamed(name="x")], at=datetime.now(UTC), actor="somebody"))
        for number in range(0, MORE_THAN_TWO_PULLS, 500):
            await asyncio.gather(*(stream.publish(f"hw.evt.run.r{number + each}", commit) for each in range(500)))
        yield stream


async def consumers(stream: JetStreamContext) -> list[str]:
    return sorted(each.name for each in await stream.consumers_info("EVENTS"))


async def read_to(reader: OrderedReader, last: int) -> int:
    """Read until this position, and return how many messages that were."""
    count = 0
    with anyio.fail_after(60):
        while reader.position < last:
            count += len(await reader.next())
    return count


async def test_one_consumer_reads_however_much_there_is(stream: JetStreamContext, nats_node: NatsNode) -> None:
    async with connect(nats_node.url) as connection, read_in_order(connection, "EVENTS", EVENTS_ALL, 0) as reader:
        before = await consumers(stream)
        count = await read_to(reader, MORE_THAN_TWO_PULLS)

        assert count == MORE_THAN_TWO_PULLS
        assert await consumers(stream) == before
        assert len(before) == 1


async def test_a_consumer_that_is_replaced_is_deleted_at_once(stream: JetStreamContext, nats_node: NatsNode) -> None:
    async with connect(nats_node.url) as connection, read_in_order(connection, "EVENTS", EVENTS_ALL, 0) as reader:
        await read_to(reader, 3_000)
        (before,) = await consumers(stream)
        reader.distrust()
        at = reader.position
        count = await read_to(reader, MORE_THAN_TWO_PULLS)

        assert count == MORE_THAN_TWO_PULLS - at
        (after,) = await consumers(stream)
        assert after != before


async def test_a_consumer_that_was_deleted_is_replaced(stream: JetStreamContext, nats_node: NatsNode) -> None:
    async with connect(nats_node.url) as connection, read_in_order(connection, "EVENTS", EVENTS_ALL, 0) as reader:
        await read_to(reader, 3_000)
        (name,) = await consumers(stream)
        await stream.delete_consumer("EVENTS", name)
        at = reader.position

        assert await read_to(reader, MORE_THAN_TWO_PULLS) == MORE_THAN_TWO_PULLS - at


async def test_nothing_is_left_of_a_reader(stream: JetStreamContext, nats_node: NatsNode) -> None:
    async def none_left() -> bool:
        return not await consumers(stream)

    async with connect(nats_node.url) as connection:
        async with read_in_order(connection, "EVENTS", EVENTS_ALL, 0) as reader:
            await read_to(reader, 3_000)
        await eventually(none_left, "the broker has forgotten the consumer")
