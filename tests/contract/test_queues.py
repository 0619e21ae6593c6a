from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from harness.brokers import Broker, ThreeNodes
from harness.commits import a_creation, an_item

from headwater.core.errors import LogUnavailable
from headwater.core.log.protocol import Delivery, Log, QueueBinding, RunQueues, WorkItem
from headwater.core.values.identifiers import new_id

IN_TIME_SECONDS = 30.0
LONG_LEASE = 600.0
SHORT_LEASE = 0.6


async def test_an_item_reaches_an_agent_that_is_bound(log: Log, other: Log, queue_id: str) -> None:
    run_id = new_id()
    item = an_item(queue_id, run_id=run_id, generation=3, creation=a_creation(run_id, queue_id))
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        await other.queues.enqueue(item)
        delivery = await _next(binding)

        assert delivery.item == item
        assert not delivery.redelivered
        await delivery.ack()


async def test_an_item_waits_for_an_agent_to_be_bound(log: Log, queue_id: str) -> None:
    item = an_item(queue_id)
    await log.queues.enqueue(item)

    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        assert (await _next(binding)).item == item


async def test_items_of_other_queues_stay_there(log: Log, queue_id: str) -> None:
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        await log.queues.enqueue(an_item(queue_id + "x"))
        mine = an_item(queue_id)
        await log.queues.enqueue(mine)

        assert (await _next(binding)).item == mine


async def test_each_item_goes_to_one_of_those_bound(log: Log, other: Log, queue_id: str) -> None:
    items = [an_item(queue_id) for _ in range(40)]
    taken: list[tuple[str, str]] = []

    async def work(name: str, queues: RunQueues, group_scope: anyio.CancelScope) -> None:
        async with queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
            async for delivery in binding:
                taken.append((delivery.item.run_id, name))
                await delivery.ack()
                if len(taken) == len(items):
                    group_scope.cancel()

    with anyio.fail_after(IN_TIME_SECONDS):
        async with anyio.create_task_group() as group:
            for name, worker in (("a", log), ("b", other), ("c", log)):
                group.start_soon(work, name, worker.queues, group.cancel_scope)
            for item in items:
                await log.queues.enqueue(item)

    assert sorted(run_id for run_id, _ in taken) == sorted(item.run_id for item in items)


async def test_what_is_not_renewed_is_offered_again(log: Log, other: Log, queue_id: str) -> None:
    await log.queues.enqueue(an_item(queue_id))
    async with (
        log.queues.bind(queue_id, lease_seconds=SHORT_LEASE) as dead,
        other.queues.bind(queue_id, lease_seconds=SHORT_LEASE) as alive,
    ):
        lost = await _next(dead)
        found = await _next(alive)

        assert found.item == lost.item
        assert found.redelivered
        await found.ack()


async def test_what_is_renewed_stays_with_its_holder(log: Log, other: Log, queue_id: str) -> None:
    kept, witness = an_item(queue_id), an_item(queue_id)
    async with (
        log.queues.bind(queue_id, lease_seconds=SHORT_LEASE) as mine,
        other.queues.bind(queue_id, lease_seconds=SHORT_LEASE) as others,
    ):
        await log.queues.enqueue(kept)
        held = await _next(mine)
        await log.queues.enqueue(witness)
        comebacks = 0
        async with _renewed(held):
            # The witness is never renewed. Each of its returns is a proof that an item left alone would have come by then.
            while comebacks < 4:
                delivery = await _next(others)
                assert delivery.item == witness
                comebacks += delivery.redelivered
        await delivery.ack()

        assert (await _next(others)).item == kept


async def test_what_is_done_never_comes_back(log: Log, queue_id: str) -> None:
    async with log.queues.bind(queue_id, lease_seconds=SHORT_LEASE) as binding:
        await log.queues.enqueue(an_item(queue_id))
        await (await _next(binding)).ack()
        witness = an_item(queue_id)
        await log.queues.enqueue(witness)

        for _ in range(3):
            assert (await _next(binding)).item == witness


async def test_done_twice_is_not_an_error(log: Log, queue_id: str) -> None:
    await log.queues.enqueue(an_item(queue_id))
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        delivery = await _next(binding)
        await delivery.ack()
        await delivery.ack()


async def test_what_is_given_back_goes_to_others_at_once(log: Log, other: Log, queue_id: str) -> None:
    await log.queues.enqueue(an_item(queue_id))
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as mine:
        returned = await _next(mine)
        mine.pause()
        async with other.queues.bind(queue_id, lease_seconds=LONG_LEASE) as others:
            await returned.nack()

            assert (await _next(others)).item == returned.item


async def test_what_is_given_back_for_later_comes_after_what_is_there_now(log: Log, queue_id: str) -> None:
    later, now = an_item(queue_id), an_item(queue_id)
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        await log.queues.enqueue(later)
        await (await _next(binding)).nack(delay_seconds=0.3)
        await log.queues.enqueue(now)

        assert [(await _next(binding)).item for _ in range(2)] == [now, later]


async def test_who_does_not_want_gets_nothing_until_they_do(log: Log, other: Log, queue_id: str) -> None:
    items = [an_item(queue_id) for _ in range(3)]
    got: list[Delivery] = []

    async def wait_for_one(binding: QueueBinding) -> None:
        got.append(await anext(aiter(binding)))

    async with (
        log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as full,
        other.queues.bind(queue_id, lease_seconds=LONG_LEASE) as free,
        anyio.create_task_group() as group,
    ):
        group.start_soon(wait_for_one, full)
        await anyio.wait_all_tasks_blocked()
        full.pause()
        await anyio.wait_all_tasks_blocked()
        for item in items[:2]:
            await log.queues.enqueue(item)
            assert (await _next(free)).item == item
        assert got == []
        full.resume()
        await log.queues.enqueue(items[2])
    assert [delivery.item for delivery in got] == [items[2]]


async def test_no_more_items_than_the_limit_are_held_however_many_agents_are_bound(log: Log, other: Log, queue_id: str) -> None:
    items = [an_item(queue_id) for _ in range(3)]
    for item in items:
        await log.queues.enqueue(item)
    async with (
        log.queues.bind(queue_id, lease_seconds=LONG_LEASE, limit=1) as mine,
        other.queues.bind(queue_id, lease_seconds=LONG_LEASE, limit=1) as others,
    ):
        first = await _next(mine)
        with anyio.move_on_after(0.2) as waiting:
            await anext(aiter(others))
        assert waiting.cancelled_caught
        await first.ack()
        second = await _next(others)
        mine.limit(2)
        others.limit(2)
        third = await _next(mine)

        assert [first.item, second.item, third.item] == items


async def test_a_wait_that_is_given_up_loses_no_item(log: Log, queue_id: str) -> None:
    item = an_item(queue_id)
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        with anyio.move_on_after(0.02):
            await anext(aiter(binding))
        await log.queues.enqueue(item)

        assert (await _next(binding)).item == item


async def test_what_was_on_its_way_to_a_binding_that_ends_goes_to_others(broker: Broker, log: Log, other: Log, queue_id: str) -> None:
    item = an_item(queue_id)
    # At once, but on a cluster: there another node may send an item after ours has forgotten the binding, and it waits for half a lease.
    lease_seconds = SHORT_LEASE if isinstance(broker, ThreeNodes) else LONG_LEASE
    async with other.queues.bind(queue_id, lease_seconds=lease_seconds) as others:
        async with log.queues.bind(queue_id, lease_seconds=lease_seconds) as leaving:
            with anyio.move_on_after(0.02):
                await anext(aiter(leaving))
            await log.queues.enqueue(item)

        assert (await _next(others)).item == item


async def test_a_waiting_agent_gets_work_after_the_broker_was_killed(broker: Broker, log: Log, other: Log, queue_id: str) -> None:
    got: list[Delivery] = []

    async def wait_for_one(binding: QueueBinding) -> None:
        with anyio.fail_after(IN_TIME_SECONDS):
            got.append(await anext(aiter(binding)))

    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding, anyio.create_task_group() as group:
        group.start_soon(wait_for_one, binding)
        await anyio.wait_all_tasks_blocked()
        broker.kill()
        broker.restart()
        item = an_item(queue_id)
        await other.queues.enqueue(item)
    assert [delivery.item for delivery in got] == [item]
    await got[0].ack()


async def test_on_three_nodes_any_one_may_be_dead(broker: Broker, log: Log, other: Log, queue_id: str) -> None:
    if not isinstance(broker, ThreeNodes):
        pytest.skip("needs a cluster")
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        for node in broker.cluster.nodes:
            item = an_item(queue_id)
            async with anyio.create_task_group() as group:
                # Waiting while the node dies: perhaps ours, perhaps the one that leads the queue.
                group.start_soon(_take_and_finish, binding, item)
                await anyio.wait_all_tasks_blocked()
                node.kill()
                await _offer_surely(other, item)
            broker.restart()


async def test_a_holder_keeps_what_it_holds_over_a_killed_broker(broker: Broker, log: Log, queue_id: str) -> None:
    await log.queues.enqueue(an_item(queue_id))
    async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding:
        held = await _next(binding)
        broker.kill()
        broker.restart()

        await held.ack()
    async with log.queues.bind(queue_id, lease_seconds=SHORT_LEASE) as binding:
        witness = an_item(queue_id)
        await log.queues.enqueue(witness)
        for _ in range(3):
            assert (await _next(binding)).item == witness


@pytest.mark.parametrize("paused", [True, False])
async def test_bindings_end_cleanly_in_any_state(log: Log, queue_id: str, paused: bool) -> None:
    for _ in range(5):
        async with log.queues.bind(queue_id, lease_seconds=LONG_LEASE) as binding, anyio.create_task_group() as group:
            group.start_soon(_next, binding)
            await anyio.wait_all_tasks_blocked()
            if paused:
                binding.pause()
            group.cancel_scope.cancel()


async def _next(binding: QueueBinding) -> Delivery:
    with anyio.fail_after(IN_TIME_SECONDS):
        return await anext(aiter(binding))


async def _take_and_finish(binding: QueueBinding, item: WorkItem) -> None:
    delivery = await _next(binding)
    while delivery.item != item:  # what was done may come once more after a crash
        await delivery.ack()
        delivery = await _next(binding)
    await delivery.ack()


async def _offer_surely(log: Log, item: WorkItem) -> None:
    with anyio.fail_after(IN_TIME_SECONDS):
        while True:
            try:
                await log.queues.enqueue(item)
            except LogUnavailable:
                continue
            return


@asynccontextmanager
async def _renewed(delivery: Delivery) -> AsyncIterator[None]:
    async def renew() -> None:
        while True:
            await delivery.extend()
            await anyio.sleep(SHORT_LEASE / 10)

    async with anyio.create_task_group() as group:
        group.start_soon(renew)
        yield
        group.cancel_scope.cancel()
