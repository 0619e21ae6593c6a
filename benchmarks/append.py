"""What an append costs beside a bare publish of the same bytes to the same disk, and what the log's other moves cost.

    python benchmarks/append.py [--times 400]

One real nats-server that fsyncs every acknowledged message. Floor and ours take turns, so that both see the same machine; medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import nats

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]
from harness.servers import NatsNode
from measurement import Measurement, lines, ratio_at_most

from headwater.core.events import RunCreated, RunScheduled, StorageReference, TaskRunStarted, TaskRunSucceeded
from headwater.core.log import subjects
from headwater.core.log.codec import encode
from headwater.core.log.commit import Commit, new_commit
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Append, Log, QueueBinding, WorkItem
from headwater.core.values.identifiers import new_id

APPEND_BUDGET = 1.2
READ_ALL_COMMITS = 20_000


@dataclass(frozen=True)
class AppendNumbers:
    """Medians in milliseconds; `read_all_per_second` in commits."""

    bare_publish: float
    append: float
    append_p99: float
    appends_in_flight_8: float
    bare_publish_in_flight_8: float
    create_run: float
    append_two_together: float
    read_aggregate: float
    announce_to_follower: float
    offer_to_agent: float
    offer_to_agent_p99: float
    read_all_per_second: float

    @property
    def ratio(self) -> float:
        return self.append / self.bare_publish

    @property
    def ratio_in_flight(self) -> float:
        return self.appends_in_flight_8 / self.bare_publish_in_flight_8


def a_commit() -> Commit:
    now = datetime.now(UTC)
    return new_commit(
        [TaskRunStarted(slug="say_hello-1", at=now), TaskRunSucceeded(slug="say_hello-1", at=now, message="Task run succeeded.")],
        at=now,
        actor="run:0197a3c1-0b2c-7d3e-8f40-5a6b7c8d9e0f#1",
    )


def a_creation(run_id: str, queue_id: str) -> Commit:
    now = datetime.now(UTC)
    created = RunCreated(
        run_id, new_id(), new_id(), new_id(), "tutorial", "hello-flow", 1, "quiet-heron", queue_id, StorageReference(type="Local")
    )
    return new_commit([created, RunScheduled(due_at=now, generation=1)], at=now, actor="cli:ana@host")


async def measure(times: int = 400) -> AppendNumbers:
    """Start a broker, measure, and end it."""
    with tempfile.TemporaryDirectory() as home:
        node = NatsNode(Path(home))
        node.start()
        try:
            client = await nats.connect(node.url)
            async with open_log(node.url, name="benchmark", ensure_streams=True) as log:
                numbers = await _measure(log, client, times)
            await client.close()
        finally:
            node.kill()
    return numbers


async def _measure(log: Log, client: Any, times: int) -> AppendNumbers:
    stream = client.jetstream()
    # Within EVENTS, so that both write to the same file with the same settings.
    bare_subject, our_subject = subjects.run(new_id()), subjects.run(new_id())
    last = 0

    async def bare() -> None:
        await stream.publish(bare_subject, encode(a_commit()))

    async def ours() -> None:
        nonlocal last
        last = await log.events.append(our_subject, a_commit(), expected=last)

    async def fresh() -> None:
        await log.events.append(subjects.run(new_id()), a_commit(), expected=0)

    floor, append = await _in_turns(times, bare, ours)
    many_floor, many_appends = await _in_turns(times // 8, _eight(bare), _eight(fresh))

    async def create() -> None:
        run_id, queue_id = new_id(), "benchmark-creation"
        creation = a_creation(run_id, queue_id)
        async with anyio.create_task_group() as group:
            group.start_soon(log.queues.enqueue, WorkItem(run_id=run_id, queue_id=queue_id, generation=1, creation=creation))
            group.start_soon(lambda: log.events.append(subjects.run(run_id), creation, expected=0))

    async def append_both() -> None:
        await log.events.append_together([Append(subjects.run(new_id()), a_commit(), 0), Append(subjects.run(new_id()), a_commit(), 0)])

    aggregate = subjects.run(new_id())
    position = 0
    for _ in range(20):
        position = await log.events.append(aggregate, a_commit(), expected=position)

    async def read() -> None:
        await log.events.read(aggregate)

    creation, two, reading = await _in_turns(times // 4, create, append_both, read)
    followed = await _follow(log, times // 4)
    offered = await _offer(log, times // 2)
    return AppendNumbers(
        bare_publish=_median(floor),
        append=_median(append),
        append_p99=_p99(append),
        bare_publish_in_flight_8=_median(many_floor) / 8,
        appends_in_flight_8=_median(many_appends) / 8,
        create_run=_median(creation),
        append_two_together=_median(two),
        read_aggregate=_median(reading),
        announce_to_follower=_median(followed),
        offer_to_agent=_median(offered),
        offer_to_agent_p99=_p99(offered),
        read_all_per_second=await _read_all(log),
    )


async def _follow(log: Log, times: int) -> list[float]:
    subject, last, found = subjects.run(new_id()), 0, []
    async with log.events.follow(subject) as commits:
        for _ in range(times):
            began = time.perf_counter()
            last = await log.events.append(subject, a_commit(), expected=last)
            await anext(commits)
            found.append(time.perf_counter() - began)
    return found


async def _offer(log: Log, times: int) -> list[float]:
    queue_id, found = "benchmark-queue", []

    async def wait(binding: QueueBinding) -> None:
        delivery = await anext(aiter(binding))
        found.append(time.perf_counter() - began)
        await delivery.ack()

    async with log.queues.bind(queue_id, lease_seconds=60) as binding:
        for _ in range(times):
            item = WorkItem(run_id=new_id(), queue_id=queue_id, generation=1)
            async with anyio.create_task_group() as group:
                began = time.perf_counter()
                group.start_soon(wait, binding)
                # The agent asks first: an agent that waits has its question with the broker already.
                await anyio.sleep(timedelta(milliseconds=2).total_seconds())
                began = time.perf_counter()
                await log.queues.enqueue(item)
    return found


async def _read_all(log: Log) -> float:
    missing = READ_ALL_COMMITS - (await log.events.tail()).position
    async with anyio.create_task_group() as group:
        for _ in range(16):
            group.start_soon(_write, log, max(missing, 0) // 16 + 1)
    began = time.perf_counter()
    count = 0
    async for batch in log.events.read_all():
        count += len(batch)
    return count / (time.perf_counter() - began)


async def _write(log: Log, count: int) -> None:
    subject, last = subjects.run(new_id()), 0
    for _ in range(count):
        last = await log.events.append(subject, a_commit(), expected=last)


def _eight(action: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], Coroutine[Any, Any, None]]:
    async def append_both() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(action)

    return append_both


async def _in_turns(times: int, *actions: Callable[[], Coroutine[Any, Any, None]]) -> list[list[float]]:
    found: list[list[float]] = [[] for _ in actions]
    for turn in range(times + times // 10):
        for seconds, action in zip(found, actions, strict=True):
            began = time.perf_counter()
            await action()
            if turn >= times // 10:  # the first turns warm up
                seconds.append(time.perf_counter() - began)
    return found


def _median(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1e3


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1e3


async def measurements(times: int = 400) -> list[Measurement]:
    numbers = await measure(times)
    bare = "bare JetStream publish"
    return [
        ratio_at_most("append one commit", numbers.append, "ms", APPEND_BUDGET, floor=numbers.bare_publish, floor_is=bare),
        Measurement(
            "append, one of 8 in flight", numbers.appends_in_flight_8, "ms", numbers.bare_publish_in_flight_8, f"{bare}, one of 8 in flight"
        ),
        Measurement("append, p99", numbers.append_p99, "ms"),
        Measurement("create a run (wake-up and creation)", numbers.create_run, "ms", numbers.bare_publish, bare),
        Measurement("append two together (atomic batch)", numbers.append_two_together, "ms", numbers.bare_publish, bare),
        Measurement("read an aggregate of 20 commits", numbers.read_aggregate, "ms"),
        Measurement("append until a follower has it", numbers.announce_to_follower, "ms"),
        Measurement("offer until an agent has it", numbers.offer_to_agent, "ms"),
        Measurement("offer until an agent has it, p99", numbers.offer_to_agent_p99, "ms"),
        Measurement("read the whole log", numbers.read_all_per_second, "commits/s"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=400)
    print("\n".join(lines(anyio.run(measurements, parser.parse_args().times))))


if __name__ == "__main__":
    main()
