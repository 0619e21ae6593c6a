"""Which runs something will wake, and what happens when all of that is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import anyio
import anyio.lowlevel
import pytest
from harness.brokers import Broker, InMemory
from harness.commits import an_item

from headwater.core.log.memory import MemoryLog
from headwater.core.log.protocol import Delivery, Log, QueueBinding
from headwater.core.values.identifiers import new_id

IN_TIME_SECONDS = 30.0
LEASE = 600.0


async def test_a_run_waits_from_its_offer_until_its_item_is_done_with(log: Log, queue_id: str) -> None:
    item = an_item(queue_id)
    assert not await log.queues.is_waiting(item.run_id)
    await log.queues.enqueue(item)
    assert await log.queues.is_waiting(item.run_id)
    assert item.run_id in await log.queues.waiting_runs()

    async with log.queues.bind(queue_id, lease_seconds=LEASE) as binding:
        delivery = await _next(binding)
        assert await log.queues.is_waiting(item.run_id)  # held by an agent
        await delivery.ack()

    await _waits_no_more(log, item.run_id)
    assert item.run_id not in await log.queues.waiting_runs()


async def test_a_run_with_a_timer_waits_until_it_is_cancelled(log: Log, queue_id: str) -> None:
    item = an_item(queue_id)
    await log.queues.set_timer(item, due=datetime.now(UTC) + timedelta(hours=1))
    assert await log.queues.is_waiting(item.run_id)
    assert item.run_id in await log.queues.waiting_runs()

    await log.queues.cancel_timer(item.run_id)

    await _waits_no_more(log, item.run_id)


async def test_a_wake_up_of_before_a_rescheduling_does_not_count(log: Log, queue_id: str) -> None:
    item = an_item(queue_id, generation=2)
    await log.queues.enqueue(item)
    timed = an_item(queue_id, generation=2)
    await log.queues.set_timer(timed, due=datetime.now(UTC) + timedelta(hours=1))

    assert [await log.queues.is_waiting(run_id, generation=2) for run_id in (item.run_id, timed.run_id)] == [True, True]
    assert [await log.queues.is_waiting(run_id, generation=3) for run_id in (item.run_id, timed.run_id)] == [False, False]


async def test_after_a_loss_nothing_waits_and_all_who_listen_are_notified(broker: Broker, log: Log, other: Log, queue_id: str) -> None:
    offered, timed = an_item(queue_id), an_item(queue_id)
    await log.queues.enqueue(offered)
    await log.queues.set_timer(timed, due=datetime.now(UTC) + timedelta(hours=1))
    async with other.queues.work_lost() as losses:
        await _lose_work(broker, log)
        await _heard(losses)

        assert await other.queues.waiting_runs() == set()
    assert not await log.queues.is_waiting(offered.run_id)


async def test_queues_and_timers_go_on_after_a_loss(broker: Broker, log: Log, other: Log, queue_id: str) -> None:
    async with log.queues.bind(queue_id, lease_seconds=LEASE) as binding:
        await _lose_work(broker, other)
        late, timed = an_item(queue_id), an_item(queue_id)
        await other.queues.enqueue(late)
        await other.queues.set_timer(timed, due=datetime.now(UTC) + timedelta(seconds=0.2))

        assert [(await _next(binding)).item.run_id for _ in range(2)] == [late.run_id, timed.run_id]


@pytest.mark.parametrize("first", ["offer", "bind", "timer", "cancel"])
async def test_the_first_connection_makes_again_what_was_lost(broker: Broker, log: Log, queue_id: str, first: str) -> None:
    await _lose_work(broker, log)
    item = an_item(queue_id)
    match first:
        case "offer":
            await log.queues.enqueue(item)
        case "timer":
            await log.queues.set_timer(item, due=datetime.now(UTC))
        case "cancel":
            await log.queues.cancel_timer(new_id())
            await log.queues.enqueue(item)
        case _:
            pass
    async with log.queues.bind(queue_id, lease_seconds=LEASE) as binding:
        if first == "bind":
            await log.queues.enqueue(item)

        assert (await _next(binding)).item == item


async def test_being_done_with_what_was_lost_takes_nothing_of_what_came_later(broker: Broker, log: Log, other: Log, queue_id: str) -> None:
    async with log.queues.bind(queue_id, lease_seconds=LEASE) as binding:
        await log.queues.enqueue(an_item(queue_id))
        held = await _next(binding)
        await _lose_work(broker, other)
        late = an_item(queue_id)
        await other.queues.enqueue(late)

        with anyio.fail_after(IN_TIME_SECONDS):
            await held.extend()
            await held.ack()

        assert await log.queues.is_waiting(late.run_id)


async def _waits_no_more(log: Log, run_id: str) -> None:
    """Nodes of a cluster remove one after the other what is done with."""
    with anyio.fail_after(IN_TIME_SECONDS):
        while await log.queues.is_waiting(run_id):
            await anyio.lowlevel.checkpoint()


async def _lose_work(broker: Broker, log: Log) -> None:
    if isinstance(broker, InMemory):
        assert isinstance(log, MemoryLog)
        log.queues.lose_everything()
        return
    answer = await log.request("$JS.API.STREAM.DELETE.WORK", b"", timeout=IN_TIME_SECONDS)
    assert b'"success":true' in answer


async def _heard(losses: AsyncIterator[None]) -> None:
    with anyio.fail_after(IN_TIME_SECONDS):
        await anext(losses)


async def _next(binding: QueueBinding) -> Delivery:
    with anyio.fail_after(IN_TIME_SECONDS):
        return await anext(aiter(binding))
