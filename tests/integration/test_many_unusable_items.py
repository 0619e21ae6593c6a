"""A queue full of garbage: what can be used is found among it, by the agents that want it, and nothing of it is lost."""

from __future__ import annotations

import anyio
from harness.commits import an_item
from harness.servers import NatsNode
from harness.strangers import Stranger

from headwater.core.log import subjects
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import QueueBinding
from headwater.core.values.identifiers import new_id

GARBAGE_COUNT = 2_500
IN_TIME_SECONDS = 120


async def test_good_items_among_thousands_of_bad_ones_are_handed_out_one_by_one(nats_node: NatsNode) -> None:
    queue_id = new_id()
    good = [an_item(queue_id) for _ in range(5)]
    with anyio.fail_after(IN_TIME_SECONDS):
        async with open_log(nats_node.url, ensure_streams=True) as log:
            with Stranger(nats_node.url) as stranger:
                for number in range(GARBAGE_COUNT):
                    stranger.write(subjects.scheduled(queue_id, new_id()), b"garbage %d" % number)
            for item in good:
                await log.queues.enqueue(item)

            taken = set()  # what is offered to a broker that is busy may be offered twice
            async with log.queues.bind(queue_id, lease_seconds=30) as one:
                first = await anext(aiter(one))
                taken.add(first.item.run_id)
                await first.ack()
                one.pause()
                async with log.queues.bind(queue_id, lease_seconds=30) as other, anyio.create_task_group() as group:
                    group.start_soon(_go_on, one)  # it wants none, and gives back what its search brought besides
                    while len(taken) < len(good):
                        delivery = await anext(aiter(other))
                        taken.add(delivery.item.run_id)
                        await delivery.ack()
                    group.cancel_scope.cancel()

            assert taken == {item.run_id for item in good}
            assert await log.dead_letters.count() > 0


async def _go_on(binding: QueueBinding) -> None:
    await anext(aiter(binding))
