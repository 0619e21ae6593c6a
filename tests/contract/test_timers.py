from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
from harness.brokers import Broker
from harness.commits import a_creation, an_item

from headwater.core.log.protocol import Delivery, Log, QueueBinding, WorkItem
from headwater.core.values.identifiers import new_id

IN_TIME_SECONDS = 30.0
LONG_LEASE = 600.0
HOUR = timedelta(hours=1)


def soon(milliseconds: int = 150) -> datetime:
    return datetime.now(UTC) + timedelta(milliseconds=milliseconds)


async def test_a_timer_wakes_the_queue_when_it_is_due(log: Log, queue_id: str) -> None:
    run_id = new_id()
    item, due = an_item(queue_id, run_id=run_id, creation=a_creation(run_id, queue_id)), soon()
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        await log.queues.set_timer(item, due=due)
        delivery = await _next(binding)

    assert delivery.item == item
    assert delivery.offered_at >= due


async def test_a_timer_that_is_overdue_fires_at_once(log: Log, queue_id: str) -> None:
    item = an_item(queue_id)
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        await log.queues.set_timer(item, due=datetime.now(UTC) - HOUR)

        assert (await _next(binding)).item == item


async def test_a_newer_timer_replaces_the_older(log: Log, queue_id: str) -> None:
    older, newer = _two_generations(queue_id)
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        await log.queues.set_timer(older, due=soon())
        await log.queues.set_timer(newer, due=soon(300))

        assert (await _next(binding)).item == newer
        await _nothing_else_comes(log, binding, queue_id)


async def test_a_timer_can_be_brought_forward(log: Log, queue_id: str) -> None:
    older, newer = _two_generations(queue_id)
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        await log.queues.set_timer(older, due=datetime.now(UTC) + HOUR)
        await log.queues.set_timer(newer, due=soon())

        assert (await _next(binding)).item == newer


async def test_a_cancelled_timer_does_not_fire(log: Log, queue_id: str) -> None:
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        item = an_item(queue_id)
        await log.queues.set_timer(item, due=soon(300))
        await log.queues.cancel_timer(item.run_id)

        await _nothing_else_comes(log, binding, queue_id)


async def test_cancelling_where_there_is_no_timer_is_not_an_error(log: Log) -> None:
    await log.queues.cancel_timer(new_id())


async def test_cancelling_one_timer_leaves_the_others(log: Log, queue_id: str) -> None:
    kept, cancelled = an_item(queue_id), an_item(queue_id)
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        await log.queues.set_timer(cancelled, due=soon(300))
        await log.queues.set_timer(kept, due=soon(400))
        await log.queues.cancel_timer(cancelled.run_id)

        assert (await _next(binding)).item == kept


async def test_a_wake_up_that_left_before_the_cancel_still_arrives_and_names_its_generation(log: Log, queue_id: str) -> None:
    older, newer = _two_generations(queue_id)
    await log.queues.set_timer(older, due=soon())
    async with log.queues.bind(queue_id, lease_seconds=1.0) as early:
        fired = await _next(early)
        await fired.nack()
    await log.queues.cancel_timer(older.run_id)
    await log.queues.set_timer(newer, due=soon())

    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        arrived = [(await _next(binding)).item.generation for _ in range(2)]

    # Only the fold can tell that the first one means nothing any more; that is what generations are for.
    assert arrived == [older.generation, newer.generation]


async def test_timers_survive_a_killed_broker(broker: Broker, log: Log, queue_id: str) -> None:
    item, cancelled = an_item(queue_id), an_item(queue_id)
    await log.queues.set_timer(cancelled, due=soon(2000))
    await log.queues.set_timer(item, due=soon(2000))
    await log.queues.cancel_timer(cancelled.run_id)
    broker.kill()
    broker.restart()

    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        assert (await _next(binding)).item == item


def _two_generations(queue_id: str) -> tuple[WorkItem, WorkItem]:
    run_id = new_id()
    return an_item(queue_id, run_id=run_id, generation=1), an_item(queue_id, run_id=run_id, generation=2)


async def _nothing_else_comes(log: Log, binding: QueueBinding, queue_id: str) -> None:
    """A timer that is due later than all others has fired, and nothing came before it."""
    last = an_item(queue_id)
    await log.queues.set_timer(last, due=soon(700))
    assert (await _next(binding)).item == last


async def _next(binding: QueueBinding) -> Delivery:
    with anyio.fail_after(IN_TIME_SECONDS):
        return await anext(aiter(binding))
