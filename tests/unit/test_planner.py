"""The planner on a log in memory: schedules have their runs, whatever happens between any two of its steps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import anyio
import pytest
from harness.scenario import create_flow

from headwater.core.calendar import IntervalSchedule
from headwater.core.events import AnyEvent, ScheduleFired
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.run_lookup import run
from headwater.core.values.identifiers import schedule_id
from headwater.server.planner import Planner

PATIENCE_SECONDS = 30.0
SECOND = timedelta(seconds=1)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@asynccontextmanager
async def running_planner(log: MemoryLog) -> AsyncIterator[Planner]:
    async with anyio.create_task_group() as group:
        planner = Planner(log)
        await group.start(planner.serve)
        yield planner
        group.cancel_scope.cancel()


async def events_of(log: MemoryLog, schedule: str) -> list[AnyEvent]:
    return [event for recorded in await log.events.read(subjects.schedule(schedule)) for event in recorded.events]


async def fired(log: MemoryLog, schedule: str) -> list[ScheduleFired]:
    return [event for event in await events_of(log, schedule) if isinstance(event, ScheduleFired)]


async def eventually(fact: Callable[[], Awaitable[bool]]) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        while not await fact():  # noqa: ASYNC110 - a log in memory tells of nothing that is to come
            await anyio.sleep(0.01)


def each(seconds: float, **policies: Any) -> dict[str, Any]:
    return {**IntervalSchedule(timedelta(seconds=seconds)).serialize(), "policies": policies}


async def test_a_schedule_has_runs_as_its_times_come(log: MemoryLog) -> None:
    flow = await create_flow(log, schedule=each(0.2, overlap="allow"))
    planned = schedule_id(flow.flow_group_id)

    async with running_planner(log):
        await eventually(lambda: has_fired(log, planned, 3))

    for event in await fired(log, planned):
        created = (await run(log.events, event.run_id).refresh()).created
        assert created.scheduled_by is not None
        assert (created.scheduled_by.schedule_id, created.scheduled_by.nominal) == (planned, event.nominal)


async def has_fired(log: MemoryLog, schedule: str, number: int) -> bool:
    return len(await fired(log, schedule)) >= number
