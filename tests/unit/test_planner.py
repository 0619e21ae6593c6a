"""The planner on a log in memory: schedules have their runs, whatever happens between any two of its steps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from harness.planned import events_of, fired
from harness.scenario import ACTOR, create_flow, executed

from headwater.core.calendar import IntervalSchedule
from headwater.core.events import Origin, PauseCause, ScheduleFired, ScheduleSkipped, ScheduleSpec, SkipReason
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_lookup import run
from headwater.core.schedules.commands import SetSchedule
from headwater.core.values.identifiers import schedule_id
from headwater.server.monitor import RunMonitor
from headwater.server.planner import Planner

PATIENCE_SECONDS = 30.0


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@asynccontextmanager
async def running_planner(log: MemoryLog) -> AsyncIterator[None]:
    async with anyio.create_task_group() as group:
        await group.start(Planner(log).serve)
        yield
        group.cancel_scope.cancel()


async def eventually(fact: Callable[[], Awaitable[bool]]) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        while not await fact():  # noqa: ASYNC110 - a log in memory tells of nothing that is to come
            await anyio.sleep(0.01)


def each(seconds: float, **policies: Any) -> dict[str, Any]:
    return IntervalSchedule(timedelta(seconds=seconds), **policies).serialize()


async def planned_flow(log: MemoryLog, schedule: dict[str, Any], **more: Any) -> str:
    """Register a flow with this schedule; return the schedule's id."""
    return schedule_id((await create_flow(log, schedule=schedule, **more)).flow_group_id)


async def has_fired(log: MemoryLog, planned: str, number: int) -> bool:
    return len(await fired(log, planned)) >= number


async def test_a_schedule_has_runs_as_its_times_come(log: MemoryLog) -> None:
    planned = await planned_flow(log, each(0.2, overlap="allow"))

    async with running_planner(log):
        await eventually(lambda: has_fired(log, planned, 3))

    for event in await fired(log, planned):
        created = (await run(log.events, event.run_id).refresh()).created
        assert created.scheduled_by is not None
        assert (created.scheduled_by.schedule_id, created.scheduled_by.nominal) == (planned, event.nominal)


async def test_a_schedule_that_is_set_while_it_runs_is_planned_at_once(log: MemoryLog) -> None:
    async with running_planner(log):
        planned = await planned_flow(log, each(0.2, overlap="allow"))
        await eventually(lambda: has_fired(log, planned, 2))


async def test_timers_that_were_lost_with_the_stream_are_set_again(log: MemoryLog) -> None:
    async with running_planner(log):
        planned = await planned_flow(log, each(0.3, overlap="allow"))
        await eventually(lambda: has_fired(log, planned, 1))
        log.queues.lose_everything()
        known = len(await fired(log, planned))
        await eventually(lambda: has_fired(log, planned, known + 2))


async def test_a_server_whose_clock_is_minutes_ahead_makes_runs_by_the_clock_of_the_log(log: MemoryLog) -> None:
    planned = await planned_flow(log, each(0.5, overlap="allow"))
    ahead = timedelta(minutes=5)
    async with anyio.create_task_group() as group:
        await group.start(Planner(log, clock=lambda: datetime.now(UTC) + ahead).serve)
        await eventually(lambda: has_fired(log, planned, 3))
        group.cancel_scope.cancel()

    recorded = [(event, each.recorded_at) for each in await log.events.read(subjects.schedule(planned)) for event in each.events]
    # The clocks are compared over a line, which takes a moment.
    assert all(event.nominal - at < timedelta(seconds=1) for event, at in recorded if isinstance(event, ScheduleFired))


async def test_a_paused_schedule_has_no_timer_and_no_runs(log: MemoryLog) -> None:
    async with running_planner(log):
        planned = await planned_flow(log, each(0.2, overlap="allow"))
        await eventually(lambda: has_fired(log, planned, 1))
        await Headwater(log, ACTOR).schedules.pause(planned)
        await eventually(lambda: is_without_timer(log, planned))
        known = len(await fired(log, planned))
        await Headwater(log, ACTOR).schedules.resume(planned)
        await eventually(lambda: has_fired(log, planned, known + 1))


async def is_without_timer(log: MemoryLog, planned: str) -> bool:
    return planned not in await log.queues.waiting_runs()


async def test_a_schedule_that_cannot_be_read_ends_nothing(log: MemoryLog, caplog: pytest.LogCaptureFixture) -> None:
    planned = await planned_flow(log, each(0.2, overlap="allow"))
    garbage = await planned_flow(log, each(0.2), name="other-flow")
    schedule = Headwater(log, ACTOR).schedules.of(garbage)
    told = (await schedule.refresh()).definition
    assert told is not None
    strange = ScheduleSpec({"clocks": [{"type": "SunDial"}]})
    command = SetSchedule(
        schedule_id=garbage,
        flow_group_id=told.flow_group_id,
        project_id=told.project_id,
        slug="",
        origin=Origin.USER,
        spec=strange,
        at=datetime.now(UTC),
    )
    await schedule.execute(command, ACTOR)

    async with running_planner(log):
        await eventually(lambda: has_fired(log, planned, 2))

    assert "cannot be read, and makes no runs" in caplog.text
    assert await fired(log, garbage) == []


async def test_a_run_that_waits_starts_when_the_earlier_one_has_ended(log: MemoryLog) -> None:
    planned = await planned_flow(log, each(0.3, overlap="queue_one"))

    async with running_planner(log), anyio.create_task_group() as group:
        await group.start(RunMonitor(log).serve)
        await eventually(lambda: has_fired(log, planned, 2))
        await Headwater(log, ACTOR).schedules.pause(planned)
        first, second = (await fired(log, planned))[:2]
        assert second.after_run_id == first.run_id
        assert not await log.queues.is_waiting(second.run_id)
        await executed(log, first.run_id)
        await eventually(lambda: log.queues.is_waiting(second.run_id))
        group.cancel_scope.cancel()


async def test_it_is_paused_as_soon_as_so_many_runs_failed(log: MemoryLog) -> None:
    planned = await planned_flow(log, each(3600, pause_on_failure=1))
    headwater = Headwater(log, ACTOR)

    async with running_planner(log):
        await headwater.schedules.set((await definition(log, planned)).flow_group_id, each(0.3, pause_on_failure=1))
        await eventually(lambda: has_fired(log, planned, 1))
        (first, *_) = await fired(log, planned)
        await executed(log, first.run_id, failed=True)
        await eventually(lambda: is_paused_for(log, planned, PauseCause.FAILURES))


async def definition(log: MemoryLog, planned: str) -> Any:
    return (await Headwater(log, ACTOR).schedules.of(planned).refresh()).definition


async def is_paused_for(log: MemoryLog, planned: str, cause: PauseCause) -> bool:
    progress = (await Headwater(log, ACTOR).schedules.of(planned).refresh()).progress
    return progress is not None and progress.pause is not None and progress.pause.cause is cause


async def test_an_archived_flow_is_skipped_once_and_goes_on_when_it_is_registered_again(log: MemoryLog) -> None:
    flow = await create_flow(log, schedule=each(3600))
    headwater = Headwater(log, ACTOR)
    await headwater.schedules.set(flow.flow_group_id, each(0.2, overlap="allow"), slug="quick")
    planned = schedule_id(flow.flow_group_id, "quick")

    async with running_planner(log):
        await eventually(lambda: has_fired(log, planned, 1))
        await headwater.flows.delete(flow.flow_group_id)
        await eventually(lambda: is_paused_for(log, planned, PauseCause.FLOW_ARCHIVED))
        known = len(await fired(log, planned))
        await create_flow(log, schedule=each(3600))
        await eventually(lambda: has_fired(log, planned, known + 1))

    skipped = [event for event in await events_of(log, planned) if isinstance(event, ScheduleSkipped)]
    assert [event.because for event in skipped] == [SkipReason.FLOW_ARCHIVED]
