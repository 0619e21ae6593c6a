"""Schedules that fire all the time, while two servers, the broker and PostgreSQL are killed: each time has one outcome in the end.

A little of it in every test run; 1,000 schedules for five minutes by `make faults`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from harness.fault_scale import chance, scaled
from harness.scenario import create_flow
from harness.servers import NatsNode, Postgres
from harness.shared_servers import ServerOnShared

from headwater.audit import check_schedules
from headwater.core.aggregates import Actor
from headwater.core.calendar.schedules import IntervalSchedule
from headwater.core.errors import LogError
from headwater.core.events import ScheduleProgress
from headwater.core.log import subjects
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater

SCHEDULES = scaled(40, full=1_000)
SECONDS = scaled(15, full=300)
FLOWS = 20
MISSED = ("latest", "all", "none", "merge")
OVERLAPS = ("allow", "skip", "queue_one")
ACTOR = Actor("test")
T = TypeVar("T")
PATIENCE_SECONDS = 120


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.mark.timeout(900)
async def test_each_time_has_one_outcome_whatever_is_killed(tmp_path: Path, nats_node: NatsNode, database: Postgres) -> None:
    random = chance()
    database_url = database.create_database()
    servers = [ServerOnShared(tmp_path / name, nats_node.url, database_url) for name in ("first", "second")]
    try:
        for server in servers:
            server.start()
        async with open_log(nats_node.url, ensure_streams=True) as log:
            await set_schedules(log)
            began = anyio.current_time()
            while anyio.current_time() < began + SECONDS:
                await anyio.sleep(random.uniform(0.5, 3))  # what is killed must have been at something
                match random.choice(["server", "server", "broker", "database"]):
                    case "server":
                        killed = random.choice(servers)
                        killed.kill()
                        await anyio.sleep(random.uniform(0, 4))
                        killed.start()
                    case "broker":
                        nats_node.kill()
                        await anyio.sleep(random.uniform(0, 2))
                        nats_node.start()
                    case "database":
                        database.kill()
                        await anyio.sleep(random.uniform(0, 2))
                        database.start()
            with anyio.fail_after(PATIENCE_SECONDS):
                await all_decided(log)
            for server in servers:
                server.kill()
            report = await check_schedules(log.events)
    finally:
        for server in servers:
            server.kill()

    assert [str(finding) for finding in report.findings] == []
    assert report.schedules == SCHEDULES + FLOWS
    print(f"{report.schedules} schedules, {report.outcomes} outcomes, {report.runs} runs")


async def set_schedules(log: Log) -> None:
    headwater = Headwater(log, ACTOR)
    idle = IntervalSchedule(timedelta(days=365)).serialize()
    groups = [(await create_flow(log, f"flow-{number}", schedule=idle)).flow_group_id for number in range(FLOWS)]
    turns = anyio.CapacityLimiter(32)

    async def set_one(number: int) -> None:
        policies = {"missed": MISSED[number % 4], "overlap": OVERLAPS[number % 3]}
        schedule = IntervalSchedule(timedelta(seconds=1 + number % 10), **policies)  # type: ignore[arg-type]
        async with turns:
            await headwater.schedules.set(groups[number % FLOWS], schedule.serialize(), slug=f"s-{number}")

    async with anyio.create_task_group() as group:
        for number in range(SCHEDULES):
            group.start_soon(partial(set_one, number))


async def all_decided(log: Log) -> None:
    """Wait until the servers have made up for what was missed; then pause everything, and wait until nothing is under way any more."""
    headwater, over = Headwater(log, ACTOR), datetime.now(UTC)
    while min((await progress_of(log)).values(), key=lambda progress: progress.decided).decided < over:  # noqa: ASYNC110 - the broker tells of nothing of that
        await anyio.sleep(0.2)
    for schedule_id in await progress_of(log):
        await until_answered(partial(headwater.schedules.pause, schedule_id))
    while set(await progress_of(log)) & await log.queues.waiting_runs():  # noqa: ASYNC110 - the broker tells of nothing of that
        await anyio.sleep(0.2)
    for progress in (await progress_of(log)).values():
        for run_id in progress.last_runs:
            while await log.events.last(subjects.run(run_id)) is None:  # noqa: ASYNC110 - the broker tells of nothing of that
                await anyio.sleep(0.2)


async def progress_of(log: Log) -> dict[str, ScheduleProgress]:
    """How far each schedule that fires is; those of the flows themselves have no times."""
    found: dict[str, ScheduleProgress] = {}
    for last in await until_answered(partial(log.events.last_of_each, subjects.SCHEDULES_ALL)):
        event: Any = last.events[-1]
        after, definition = event.after, event.definition
        if definition is not None and definition.slug:
            assert isinstance(after, ScheduleProgress)
            found[subjects.address(last.subject).id] = after
    return found


async def until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again until the broker, which may just be starting, answers."""
    while True:
        try:
            return await ask()
        except LogError:
            await anyio.sleep(0.2)
