"""All who follow the whole log in one program share one reader; each gets everything, however slow or late it is."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import anyio
import nats
import pytest
from harness.commits import a_commit
from harness.servers import NatsNode
from harness.views_fixtures import eventually, hosted, opened
from nats.js import JetStreamContext

from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.jetstream.connection import Connection, connect
from headwater.core.log.jetstream.shared_end import EndFollower, SharedEnd
from headwater.core.log.protocol import Log
from headwater.core.values.identifiers import new_id

IN_TIME_SECONDS = 60.0


@pytest.fixture
async def log(module_nats_node: NatsNode) -> AsyncIterator[Log]:
    async with hosted(opened(module_nats_node.url)) as log:
        yield log


@pytest.fixture
async def stream(log: Log, module_nats_node: NatsNode) -> AsyncIterator[JetStreamContext]:
    async with await nats.connect(module_nats_node.url) as client:
        yield client.jetstream()


@pytest.fixture
async def connection(module_nats_node: NatsNode) -> AsyncIterator[Connection]:
    async with hosted(connect(module_nats_node.url)) as connection:
        yield connection


async def write(log: Log, count: int) -> Position:
    """Append so many commits to subjects of their own; return the last one's position."""
    position = 0
    for _ in range(count):
        position = await log.events.append(subjects.run(new_id()), a_commit("x"), expected=0)
    return position


async def left(stream: JetStreamContext, count: int) -> None:
    """Return as soon as the broker has no more consumers than that."""

    async def so_many() -> bool:
        return len(await stream.consumers_info("EVENTS")) == count

    await eventually(so_many, f"{count} consumers are left")


async def read_to(follower: EndFollower, last: Position) -> list[Position]:
    """Read until this position, and return the positions of what came."""
    found: list[Position] = []
    with anyio.fail_after(IN_TIME_SECONDS):
        while follower.position < last:
            found += [recorded.position for recorded in await anext(follower)]
    return found


async def test_the_broker_sends_each_commit_once_however_many_follow(log: Log, stream: JetStreamContext, connection: Connection) -> None:
    begin = (await log.events.tail()).position
    end = SharedEnd(connection, "EVENTS", subjects.EVENTS_ALL)
    async with end.follow(begin) as first, end.follow(begin) as second, end.follow(begin) as third:
        last = await write(log, 20)
        got = [await read_to(follower, last) for follower in (first, second, third)]

        assert got == [list(range(begin + 1, last + 1))] * 3
        (consumer,) = await stream.consumers_info("EVENTS")
        assert consumer.delivered is not None
        assert consumer.delivered.consumer_seq == 20
    async with end.follow(begin) as again:
        assert await read_to(again, last) == list(range(begin + 1, last + 1))
    await left(stream, 0)


async def test_they_share_what_was_decoded(log: Log, connection: Connection) -> None:
    begin = (await log.events.tail()).position
    end = SharedEnd(connection, "EVENTS", subjects.EVENTS_ALL)
    async with end.follow(begin) as first, end.follow(begin) as second:
        await write(log, 1)
        [of_first], [of_second] = await anext(first), await anext(second)

        assert of_first is of_second


async def test_one_who_begins_at_the_first_commit_joins_the_others(log: Log, stream: JetStreamContext, connection: Connection) -> None:
    await write(log, 50)
    begin = (await log.events.tail()).position
    end = SharedEnd(connection, "EVENTS", subjects.EVENTS_ALL)
    async with end.follow(begin) as near, end.follow(0) as far:
        assert await read_to(far, begin) == list(range(1, begin + 1))
        last = await write(log, 3)
        assert await read_to(near, last) == await read_to(far, last) == [begin + 1, begin + 2, begin + 3]
        await left(stream, 1)


async def test_what_a_slow_one_has_not_taken_is_kept_up_to_a_limit_and_read_again_beyond(log: Log, connection: Connection) -> None:
    begin = (await log.events.tail()).position
    end = SharedEnd(connection, "EVENTS", subjects.EVENTS_ALL, kept_bytes_max=1)
    async with end.follow(begin) as quick, end.follow(begin) as slow:
        for _ in range(5):
            await read_to(quick, await write(log, 10))
        last = quick.position

        assert await read_to(slow, last) == list(range(begin + 1, last + 1))


async def test_one_who_leaves_while_it_reads_for_all_leaves_nothing_undone(log: Log, connection: Connection) -> None:
    begin = (await log.events.tail()).position
    end = SharedEnd(connection, "EVENTS", subjects.EVENTS_ALL)
    async with end.follow(begin) as staying, anyio.create_task_group() as group:
        waits = anyio.Event()

        async def leaving(scope: anyio.CancelScope) -> None:
            with scope:
                async with end.follow(begin) as follower:
                    waits.set()
                    await anext(follower)

        scope = anyio.CancelScope()
        group.start_soon(leaving, scope)
        await waits.wait()
        got: list[Position] = []

        async def stay(last: Position) -> None:
            got.extend(await read_to(staying, last))

        group.start_soon(stay, begin + 3)
        scope.cancel()
        last = await write(log, 3)
        assert last == begin + 3
    assert got == [begin + 1, begin + 2, begin + 3]


@pytest.mark.parametrize("seed", range(5))
async def test_followers_that_come_go_and_give_up_waiting_miss_and_repeat_nothing(log: Log, connection: Connection, seed: int) -> None:
    chance = random.Random(seed)
    total = 150
    begin = (await log.events.tail()).position
    last = begin + total
    end = SharedEnd(connection, "EVENTS", subjects.EVENTS_ALL, kept_bytes_max=chance.choice((1, 2_000, 1_000_000)))

    async def follow(after: Position) -> None:
        """Follow from there on, leaving and beginning again where it stopped; some waits are given up."""
        got: list[Position] = []
        while not got or got[-1] < last:
            async with AsyncExitStack() as stack:
                follower = await stack.enter_async_context(end.follow(got[-1] if got else after))
                for _ in range(chance.randint(1, 20)):
                    if follower.position >= last:
                        break
                    with anyio.move_on_after(chance.choice((0.0, 0.002, IN_TIME_SECONDS))):
                        got += [recorded.position for recorded in await anext(follower)]
        assert got == list(range(after + 1, last + 1))

    with anyio.fail_after(IN_TIME_SECONDS):
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(follow, chance.choice((0, begin, max(0, begin - 10))))
            group.start_soon(write, log, total)


async def test_one_who_is_behind_waits_over_the_death_of_the_broker(nats_node: NatsNode) -> None:
    async with hosted(opened(nats_node.url)) as log, hosted(connect(nats_node.url)) as connection:
        last = await write(log, 50)
        end = SharedEnd(connection, "EVENTS", subjects.EVENTS_ALL)
        async with end.follow(0) as follower, anyio.create_task_group() as group:
            nats_node.kill()
            got: list[Position] = []

            async def follow() -> None:
                got.extend(await read_to(follower, last))

            group.start_soon(follow)
            await anyio.lowlevel.checkpoint()
            nats_node.start()
        assert got == list(range(1, last + 1))
