"""What must not keep schedules, nor those who read them, from going on: odd times, large values, slots, circles, strangers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from harness.planned import START, Planned, asks_for, events_of, fired
from harness.scenario import ACTOR, claimed, create_flow, executed, finished, metadata, recorded, succeeding
from msgspec.structs import replace

from headwater.core.calendar import IntervalSchedule, RRuleSchedule, Schedule
from headwater.core.calendar.adjustments import add
from headwater.core.calendar.clocks import DatesClock, IntervalClock
from headwater.core.errors import InvalidArgument
from headwater.core.events import RunCancelled, RunScheduled, ScheduleCaughtUp, ScheduleFired, ScheduleSpec
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import RunRequest
from headwater.core.operations.run_lookup import load_head, run_in_the_way
from headwater.core.operations.schedules import spec_of
from headwater.core.schedules.overlaps import OPEN_RUNS_MAX
from headwater.core.values.identifiers import new_id, schedule_id
from headwater.server.monitor import RunMonitor
from headwater.server.monitor.run_index import RunIndex
from headwater.server.planner import Planner

PATIENCE_SECONDS = 30.0
MINUTE = timedelta(minutes=1)
YEAR = timedelta(days=366)


async def eventually(fact: Callable[[], Awaitable[bool]]) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        while not await fact():  # noqa: ASYNC110 - a log in memory tells of nothing that is to come
            await anyio.sleep(0.01)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (IntervalSchedule(timedelta(microseconds=1)), "too short"),
        (Schedule([IntervalClock(MINUTE)], adjustments=[add(-400 * YEAR)]), "too long"),
        (Schedule([IntervalClock(MINUTE)], adjustments=[add(4_000 * YEAR)]), "too long"),
        (RRuleSchedule("RRULE:FREQ=MINUTELY;COUNT=3000000"), "COUNT"),
        (RRuleSchedule("RRULE:FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30"), "No time of this schedule"),
    ],
)
def test_times_that_no_server_could_work_out_are_refused(schedule: Schedule, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        spec_of(schedule.serialize())


@pytest.mark.parametrize("last", [datetime(2262, 1, 1, tzinfo=UTC), datetime(2500, 1, 1, tzinfo=UTC)])
async def test_a_date_that_the_log_cannot_hold_has_no_timer(last: datetime) -> None:
    planned = Planned()
    await planned.register(Schedule([DatesClock([last])]))

    assert await planned.after(0) == []
    assert await planned.servers[0].look(planned.schedule_id) is None


async def test_adjustments_beyond_the_calendar_end_the_schedule_and_not_the_planner(caplog: pytest.LogCaptureFixture) -> None:
    log = MemoryLog()
    healthy = await create_flow(log, schedule=IntervalSchedule(timedelta(seconds=0.2), overlap="allow").serialize())
    strange = await create_flow(log, name="strange", schedule=IntervalSchedule(MINUTE).serialize())
    headwater = Headwater(log, ACTOR)
    found = headwater.schedules.of(schedule_id(strange.flow_group_id))
    told = (await found.refresh()).definition
    assert told is not None
    # As a stranger writes it: commands refuse it.
    timetable = Schedule([IntervalClock(MINUTE)], adjustments=[add(4_000 * YEAR)]).serialize()
    last = (await log.events.read(found.subject))[-1]
    event = replace(last.events[-1], spec=ScheduleSpec(timetable), definition=replace(told, registered=ScheduleSpec(timetable)))
    await log.events.append(found.subject, ACTOR.commit([event]), expected=last.position)

    async with anyio.create_task_group() as group:
        await group.start(Planner(log).serve)
        await eventually(lambda: has_fired(log, schedule_id(healthy.flow_group_id)))
        group.cancel_scope.cancel()
    assert [record for record in caplog.records if record.levelno >= logging.CRITICAL] == []


async def has_fired(log: MemoryLog, planned: str) -> bool:
    return len(await fired(log, planned)) >= 2


async def test_many_missed_times_with_large_parameters_fit_into_several_commits() -> None:
    planned = Planned()
    clock = IntervalClock(MINUTE, START, parameter_defaults={"x": "a" * 12_000})
    await planned.register(Schedule([clock], missed="all", overlap="allow"), parameters=asks_for("x"))
    await planned.after(0)

    events = await planned.after(3 * 3600)

    assert len([event for event in events if isinstance(event, ScheduleFired)]) == 180


async def test_unfinished_runs_that_are_kept_in_mind_are_bounded() -> None:
    planned = Planned()
    await planned.register(IntervalSchedule(MINUTE, START, missed="all", overlap="allow", pause_on_failure=3))
    await planned.after(0)
    await planned.after(60 * 1000)

    progress = (await planned.headwater.schedules.of(planned.schedule_id).refresh()).progress
    assert progress is not None
    assert len(progress.open_runs) == OPEN_RUNS_MAX


async def test_of_very_many_missed_times_the_newest_is_found_without_walking_through_all() -> None:
    planned = Planned()
    await planned.register(IntervalSchedule(timedelta(seconds=1), START, window=timedelta(days=3650)))
    await planned.after(0)

    span, event = await planned.after(90 * 24 * 3600)

    assert isinstance(span, ScheduleCaughtUp)
    assert isinstance(event, ScheduleFired)
    assert (span.left_out, event.nominal) == (None, planned.clock.now())


async def queued(planned: Planned) -> tuple[ScheduleFired, ScheduleFired]:
    """Two runs of a schedule: the first goes on, and the second waits for it."""
    await planned.register(IntervalSchedule(MINUTE, START, overlap="queue_all"))
    for seconds in (0, 60, 60):
        await planned.after(seconds)
    first, second = await fired(planned.log, planned.schedule_id)
    await claimed(planned.log, first.run_id)
    assert second.after_run_id == first.run_id
    return first, second


@pytest.mark.parametrize("limit", [3, None])
async def test_free_slots_do_not_wake_a_run_that_waits_for_another(limit: int | None) -> None:
    planned = Planned()
    first, second = await queued(planned)
    group_id = (await planned.run(first)).created.flow_group_id
    await planned.headwater.slots.limit(group_id, 5)
    async with anyio.create_task_group() as group:
        monitor = RunMonitor(planned.log, clock=planned.clock.now)
        await group.start(monitor.serve)
        await monitor.caught_up()
        await planned.headwater.slots.limit(group_id, limit)
        other = await planned.headwater.runs.create(group_id, RunRequest())
        await eventually(lambda: planned.log.queues.is_waiting(other.run_id))
        assert not await planned.log.queues.is_waiting(second.run_id)
        await end(planned, first)
        await eventually(lambda: planned.log.queues.is_waiting(second.run_id))
        group.cancel_scope.cancel()


async def end(planned: Planned, event: ScheduleFired) -> None:
    await recorded(planned.log, event.run_id, *succeeding(["task-0", "task-1"]))
    await finished(planned.log, event.run_id)


async def test_setting_a_state_of_a_task_does_not_wake_a_run_that_waits_for_another() -> None:
    planned = Planned()
    _, second = await queued(planned)

    await planned.headwater.runs.set_task_run_state(second.run_id, "task-0", "Success")

    assert not await planned.log.queues.is_waiting(second.run_id)


async def test_a_user_may_let_a_run_start_that_waits_for_another() -> None:
    planned = Planned()
    _, second = await queued(planned)

    await planned.headwater.runs.reschedule(second.run_id, planned.clock.now())

    assert await planned.log.queues.is_waiting(second.run_id)


async def test_the_end_of_a_run_releases_the_one_that_waits_for_it_of_all_that_wait() -> None:
    planned = Planned()
    await planned.register(IntervalSchedule(MINUTE, START, overlap="queue_all"))
    for _ in range(40):
        await planned.after(60)
    runs = await fired(planned.log, planned.schedule_id)
    index = RunIndex()
    async for batch in planned.log.events.read_all():
        for recorded_commit in batch:
            index.fold(recorded_commit)
    assert index.released == set()

    known = (await planned.log.events.tail()).position
    await executed(planned.log, runs[0].run_id)
    async for batch in planned.log.events.read_all(after=known):
        for recorded_commit in batch:
            index.fold(recorded_commit)
    assert index.released == {runs[1].run_id}


async def test_a_circle_of_runs_that_wait_for_each_other_is_walked_once() -> None:
    planned = Planned()
    _, second = await queued(planned)
    made = (await planned.run(second)).created
    assert made.scheduled_by is not None
    x, y, z = new_id(), new_id(), new_id()
    for run_id, after in ((x, y), (y, x), (z, x)):
        creation = replace(made, run_id=run_id, scheduled_by=replace(made.scheduled_by, after_run_id=after))
        ends = [] if run_id == z else [RunCancelled(at=START)]
        commit = planned.actor.commit([creation, RunScheduled(due_at=START, generation=1), *ends])
        await planned.log.events.append(subjects.run(run_id), commit, expected=0)

    head, _ = await load_head(planned.log.events, z)
    assert await run_in_the_way(planned.log.events, head) is None


async def test_a_change_that_comes_while_the_schedule_is_looked_at_is_looked_at_too() -> None:
    log = MemoryLog()
    planned = schedule_id((await create_flow(log, schedule=IntervalSchedule(timedelta(hours=1)).serialize())).flow_group_id)
    headwater = Headwater(log, ACTOR)
    await headwater.schedules.pause(planned)
    planner = Planner(log)
    look, busy, go_on = planner._keeper.look, anyio.Event(), anyio.Event()

    async def slow(schedule_id: str, **how: Any) -> Any:
        due = await look(schedule_id, **how)
        busy.set()
        await go_on.wait()
        return due

    planner._keeper.look = slow  # type: ignore[method-assign]
    async with anyio.create_task_group() as group:
        await group.start(planner.serve)
        await busy.wait()
        await headwater.schedules.resume(planned)
        await eventually(lambda: was_told(planner, planned))
        go_on.set()
        await eventually(lambda: has_timer(log, planned))
        group.cancel_scope.cancel()


async def was_told(planner: Planner, planned: str) -> bool:
    await anyio.lowlevel.checkpoint()
    return planned in planner._told


async def has_timer(log: MemoryLog, planned: str) -> bool:
    return planned in await log.queues.waiting_runs()


async def test_registering_as_paused_keeps_the_pause_of_a_user_with_its_note_and_end() -> None:
    planned = Planned()
    await planned.register(IntervalSchedule(MINUTE))
    told = metadata("hello-flow", schedule=IntervalSchedule(MINUTE).serialize())
    until = START + timedelta(days=3)
    await planned.headwater.schedules.pause(planned.schedule_id, note="The source moves.", until=until)

    for key in ("a", "a", "b"):
        await planned.headwater.flows.register(told, project_name="tutorial", idempotency_key=key, schedule_active=False)

    progress = (await planned.headwater.schedules.of(planned.schedule_id).refresh()).progress
    assert progress is not None
    assert progress.pause is not None
    assert (progress.pause.note, progress.pause.until) == ("The source moves.", until)


async def test_a_limit_of_runs_counts_from_when_it_was_set_and_from_when_it_was_resumed() -> None:
    planned = Planned()
    await planned.register(IntervalSchedule(MINUTE, START, overlap="allow"))
    await planned.after(0)
    for _ in range(5):
        await planned.after(60)
    await planned.register(IntervalSchedule(MINUTE, START, overlap="allow", max_runs=2))
    counts = []
    for _ in range(2):
        for _ in range(4):
            await planned.after(60)
        counts.append(len(await fired(planned.log, planned.schedule_id)))
        await planned.headwater.schedules.pause(planned.schedule_id, note="A user, too.")
        await planned.headwater.schedules.resume(planned.schedule_id)

    assert counts == [7, 9]
    assert await events_of(planned.log, planned.schedule_id)
