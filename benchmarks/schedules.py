"""How late schedules have their runs: with their times spread over a second, and all at one instant; and what idle schedules cost.

    python benchmarks/schedules.py [--schedules 1000] [--idle 10000]

A real nats-server and a real PostgreSQL, and in this process all that a server runs beside its pages: monitor, planner, views. No agent.
Lateness is counted from when the broker published the wake-up to when the log recorded what became of the time; the broker's own, from the
time to when it published, is the floor beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import anyio
import psutil

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]
from harness.servers import NatsNode, Postgres
from measurement import Measurement, at_most, lines

from headwater.core.aggregates import Actor
from headwater.core.calendar.clocks import IntervalClock
from headwater.core.calendar.schedules import Schedule
from headwater.core.events import ScheduleFired, StorageReference
from headwater.core.log import subjects
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Delivery, Log
from headwater.core.operations.flow_registration import FlowMetadata
from headwater.core.operations.headwater import Headwater
from headwater.core.program.concurrency import start_all
from headwater.core.values.identifiers import schedule_id
from headwater.projections.services import view_services
from headwater.server.monitor import RunMonitor
from headwater.server.planner import Planner

AHEAD = timedelta(seconds=20)
"""So long before their times the schedules are set: the server has set their timers by then."""
FLOWS = 10
SETTLE_SECONDS = 10
IDLE_SECONDS = 60
ACTOR = Actor("benchmark")


async def flows(log: Log) -> list[str]:
    """Register flows without a schedule of their own; return their groups' ids."""
    headwater = Headwater(log, ACTOR)
    await headwater.projects.create("benchmark", skip_if_exists=True)
    found = []
    for number in range(FLOWS):
        metadata = FlowMetadata(name=f"flow-{number}", storage=StorageReference("Local", "/flows/x"))
        found.append((await headwater.flows.register(metadata, project_name="benchmark")).flow_group_id)
    return found


async def at_once(work: Sequence[Callable[[], Awaitable[object]]], limit: int = 64) -> None:
    turns = anyio.CapacityLimiter(limit)

    async def one(do: Callable[[], Awaitable[object]]) -> None:
        async with turns:
            await do()

    async with anyio.create_task_group() as group:
        for each in work:
            group.start_soon(one, each)


async def set_schedules(log: Log, groups: list[str], dues: list[datetime], name: str) -> list[str]:
    """Set a schedule for each time; return their ids."""
    headwater = Headwater(log, ACTOR)
    slugs = [f"{name}-{number}" for number, _ in enumerate(dues)]
    of = [groups[number % len(groups)] for number, _ in enumerate(dues)]
    data = [Schedule([IntervalClock(timedelta(days=1), due)]).serialize() for due in dues]
    each = zip(of, slugs, data, strict=True)
    await at_once([partial(headwater.schedules.set, group, told, slug=slug) for group, slug, told in each])
    return [schedule_id(group, slug) for group, slug in zip(of, slugs, strict=True)]


class Observed(Planner):
    """The planner, which notes when the broker published each wake-up."""

    def __init__(self, log: Log) -> None:
        super().__init__(log)
        self.offered: dict[str, datetime] = {}

    async def _handle(self, delivery: Delivery) -> None:
        self.offered.setdefault(delivery.item.run_id, delivery.offered_at)
        await super()._handle(delivery)


async def lateness(log: Log, planner: Observed, groups: list[str], dues: list[datetime], name: str) -> tuple[list[float], list[float]]:
    """Return how late each time was fired after the broker published its wake-up, and how late the broker did that, in seconds."""
    ids = await set_schedules(log, groups, dues, name)
    left = (min(dues) - datetime.now(UTC)).total_seconds()
    assert left > 1, f"setting the schedules took too long: {left:.1f} s are left"
    found: dict[str, tuple[datetime, datetime]] = {}
    await anyio.sleep(left + 5)
    with anyio.fail_after(60):
        while len(found) < len(ids):
            await anyio.sleep(1)
            for recorded in await log.events.read(subjects.SCHEDULES_ALL):
                for event in recorded.events:
                    if isinstance(event, ScheduleFired):
                        found[subjects.address(recorded.subject).id] = (event.nominal, recorded.recorded_at)
            found = {each: found[each] for each in ids if each in found}
    ours = [(recorded - planner.offered[each]).total_seconds() for each, (_, recorded) in found.items()]
    broker = [(planner.offered[each] - nominal).total_seconds() for each, (nominal, _) in found.items()]
    return ours, broker


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def cpu_seconds(node: NatsNode) -> float:
    """Return what this process, which is the server here, and its NATS have used."""
    return sum(sum(each.cpu_times()[:2]) for each in (psutil.Process(), psutil.Process(node.pid)))


async def idle_cost(node: NatsNode) -> float:
    """Return what the server uses a minute while nothing is due."""
    await anyio.sleep(SETTLE_SECONDS)
    before, began = cpu_seconds(node), time.perf_counter()
    await anyio.sleep(IDLE_SECONDS)
    return (cpu_seconds(node) - before) * 60 / (time.perf_counter() - began)


async def set_idle(log: Log, groups: list[str], number: int) -> None:
    headwater = Headwater(log, ACTOR)
    data = Schedule([IntervalClock(timedelta(days=365), datetime.now(UTC) + timedelta(days=30))]).serialize()
    await at_once([partial(headwater.schedules.set, groups[n % len(groups)], data, slug=f"idle-{n}") for n in range(number)])


async def measured(node: NatsNode, log: Log, planner: Observed, schedules: int, idle: int) -> list[Measurement]:
    found = []
    groups = await flows(log)
    without = await idle_cost(node) if idle else 0.0
    begins = datetime.now(UTC) + AHEAD
    spread = [begins + timedelta(seconds=number / schedules) for number in range(schedules)]
    ours, broker = await lateness(log, planner, groups, spread, "spread")
    for share, limit in ((0.5, 50), (0.99, 500)):
        label = f"{schedules:,} schedules over a second, lateness p{100 * share:g}"
        floor = 1000 * percentile(broker, share)
        found.append(at_most(label, 1000 * percentile(ours, share), "ms", limit, floor=floor, floor_is="the broker's own lateness"))
    ours, broker = await lateness(log, planner, groups, [datetime.now(UTC) + AHEAD] * schedules, "instant")
    last = max(mine + its for mine, its in zip(ours, broker, strict=True))
    label = f"{schedules:,} schedules at one instant, until the last"
    found.append(at_most(label, last, "s", 2, floor=max(broker), floor_is="the broker's last wake-up"))
    if idle:
        await set_idle(log, groups, idle)
        more = await idle_cost(node) - without
        found.append(
            at_most(f"{idle:,} idle schedules, above none", more, "CPU-s/min", 0.2, floor=without, floor_is="the same without any")
        )
    return found


async def measurements(schedules: int = 1000, idle: int = 10_000) -> list[Measurement]:
    with tempfile.TemporaryDirectory() as directory:
        os.environ["HEADWATER_HOME"] = str(Path(directory) / "home")
        node, postgres = NatsNode(Path(directory) / "nats"), Postgres(Path(directory) / "postgres")
        node.start()
        postgres.start()
        try:
            async with (
                open_log(node.url, ensure_streams=True) as log,
                open_log(node.url) as client,
                anyio.create_task_group() as group,
            ):
                planner = Observed(log)
                await start_all(group, [*view_services(log, postgres.create_database()), RunMonitor(log), planner])
                found = await measured(node, client, planner, schedules, idle)
                group.cancel_scope.cancel()
            return found
        finally:
            postgres.stop()
            node.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--idle", type=int, default=10_000)
    given = parser.parse_args()
    print("\n".join(lines(anyio.run(measurements, given.schedules, given.idle))))
