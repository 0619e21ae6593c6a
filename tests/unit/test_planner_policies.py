"""One schedule on a log in memory, and what a server decides of its times by each policy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from harness.planned import START, Planned, asks_for
from harness.scenario import claimed, metadata

from headwater.core.calendar import CronSchedule, IntervalSchedule, Schedule
from headwater.core.calendar.adjustments import add
from headwater.core.calendar.clocks import CronClock
from headwater.core.events import (
    AnyEvent,
    CancelCause,
    RunCancelRequested,
    ScheduleCaughtUp,
    ScheduleFired,
    ScheduleSkipped,
    SkipReason,
)
from headwater.core.schedules.due import due_with_jitter

MINUTE = 60.0


def at(hour: int, minute: int = 0) -> datetime:
    return START.replace(hour=hour, minute=minute)


HOURS = 3600.0
HOURLY = "0 * * * *"


async def down_over_three_times(**policies: Any) -> tuple[Planned, list[AnyEvent]]:
    planned = Planned()
    await planned.register(CronSchedule(HOURLY, **policies))
    await planned.after(0)
    return planned, await planned.after(3.5 * HOURS)


async def test_latest_makes_up_for_the_newest_missed_time() -> None:
    _, (span, only) = await down_over_three_times()

    assert isinstance(span, ScheduleCaughtUp)
    assert isinstance(only, ScheduleFired)
    assert (span.since, span.until, span.made, span.left_out) == (at(6), at(9), 1, 2)
    assert only.nominal == at(9)


async def test_all_makes_up_for_each_one_after_the_other() -> None:
    planned, (span, *events) = await down_over_three_times(missed="all")
    runs = [event for event in events if isinstance(event, ScheduleFired)]

    assert isinstance(span, ScheduleCaughtUp)
    assert [event.nominal for event in runs] == [at(7), at(8), at(9)]
    assert [event.after_run_id for event in runs] == [None, runs[0].run_id, runs[1].run_id]
    assert (await planned.run(runs[1])).queued_after == runs[0].run_id


async def test_none_makes_up_for_none_and_goes_on_with_the_next() -> None:
    planned, events = await down_over_three_times(missed="none")

    assert [type(event) for event in events] == [ScheduleCaughtUp]
    (event,) = await planned.after(0.5 * HOURS + 1)
    assert isinstance(event, ScheduleFired)
    assert event.nominal == at(10)


async def test_merge_makes_one_run_that_gets_the_interval() -> None:
    planned, (_, event) = await down_over_three_times(missed="merge")

    assert isinstance(event, ScheduleFired)
    assert (event.interval_start, event.nominal) == (at(6), at(9))
    created = (await planned.run(event)).created
    assert created.context == {"data_interval_start": at(6).isoformat(), "data_interval_end": at(9).isoformat()}


async def test_merged_runs_get_the_interval_as_parameters_where_their_flow_has_them() -> None:
    planned = Planned()
    await planned.register(CronSchedule(HOURLY, missed="merge"), parameters=asks_for("data_interval_start", default=None))
    await planned.after(0)

    (event,) = await planned.after(HOURS)

    assert isinstance(event, ScheduleFired)
    assert (await planned.run(event)).created.parameters == {"data_interval_start": at(6).isoformat()}


async def test_times_beyond_the_window_have_no_runs() -> None:
    _, events = await down_over_three_times(missed="all", window=timedelta(hours=2))

    assert [event.nominal for event in events if isinstance(event, ScheduleFired)] == [at(8), at(9)]
    assert isinstance(events[0], ScheduleCaughtUp)
    assert events[0].left_out == 1


async def test_a_window_of_nothing_leaves_what_is_on_time() -> None:
    planned = Planned()
    await planned.register(CronSchedule(HOURLY, window=timedelta(0), overlap="allow"))
    await planned.after(0)

    assert [type(event) for event in await planned.after(HOURS + 1)] == [ScheduleFired]
    assert [type(event) for event in await planned.after(1.5 * HOURS)] == [ScheduleCaughtUp]


async def test_of_a_month_of_seconds_the_newest_has_a_run_and_the_rest_is_too_many_to_count() -> None:
    planned = Planned()
    await planned.register(IntervalSchedule(timedelta(seconds=1), window=timedelta(minutes=10)))
    await planned.after(0)

    span, event = await planned.after(31 * 24 * HOURS)

    assert isinstance(span, ScheduleCaughtUp)
    assert isinstance(event, ScheduleFired)
    assert span.left_out is None
    assert event.nominal == planned.clock.now()


async def test_two_clocks_that_share_an_instant_have_a_run_each() -> None:
    planned = Planned()
    clocks = [CronClock(HOURLY, parameter_defaults={"region": region}) for region in ("north", "south")]
    await planned.register(Schedule(clocks), parameters=asks_for("region"))
    await planned.after(0)

    events = [event for event in await planned.after(HOURS) if isinstance(event, ScheduleFired)]

    assert sorted([(await planned.run(event)).created.parameters["region"] for event in events]) == ["north", "south"]
    assert len({event.run_id for event in events}) == 2


async def test_an_adjustment_moves_when_the_run_is_due_and_not_which_run_it_is() -> None:
    planned = Planned()
    await planned.register(Schedule([CronClock(HOURLY)], adjustments=[add(timedelta(minutes=10))]))
    await planned.after(0)

    (event,) = await planned.after(HOURS)

    assert isinstance(event, ScheduleFired)
    assert (event.nominal, event.due_at) == (at(7), at(7, 10))
    assert (await planned.run(event)).due_at == at(7, 10)


async def test_an_adjustment_to_an_earlier_time_has_the_run_made_then() -> None:
    planned = Planned()
    await planned.register(Schedule([CronClock(HOURLY)], adjustments=[add(timedelta(minutes=-10))]))
    await planned.after(0)

    (event,) = await planned.after(50 * MINUTE)

    assert isinstance(event, ScheduleFired)
    assert (event.nominal, event.due_at) == (at(7), at(6, 50))
    assert await planned.after(20 * MINUTE) == []


async def test_jitter_moves_each_run_by_its_own_amount_and_less_than_to_the_next_time() -> None:
    planned = Planned()
    await planned.register(CronSchedule(HOURLY, jitter=timedelta(hours=5), overlap="allow"))
    await planned.after(0)
    moved = set()
    for _ in range(4):
        (event,) = await planned.after(HOURS)
        assert isinstance(event, ScheduleFired)
        assert timedelta(0) <= event.due_at - event.nominal < timedelta(hours=1)
        moved.add(event.due_at - event.nominal)
    assert len(moved) == 4


def test_jitter_depends_on_the_schedule_and_the_time_alone() -> None:
    schedule = CronSchedule(HOURLY, jitter=timedelta(minutes=10))
    times = [next(schedule.occurrences(at(hour))) for hour in (6, 6, 7)]

    first, again, other = (due_with_jitter(schedule, schedule.policies, "a", time) - time.nominal for time in times)

    assert first == again != other
    assert first != due_with_jitter(schedule, schedule.policies, "b", times[0]) - times[0].nominal


async def test_after_its_end_there_are_no_times() -> None:
    planned = Planned()
    await planned.register(CronSchedule(HOURLY, end=at(7), overlap="allow"))
    await planned.after(0)

    assert len(await planned.after(HOURS)) == 1
    assert await planned.after(5 * HOURS) == []


async def test_cancel_running_cancels_and_the_next_waits_for_its_end() -> None:
    planned = Planned()
    await planned.register(CronSchedule(HOURLY, overlap="cancel_running"))
    await planned.after(0)
    (first,) = await planned.after(HOURS)
    assert isinstance(first, ScheduleFired)
    await claimed(planned.log, first.run_id)

    (second,) = await planned.after(HOURS)

    assert isinstance(second, ScheduleFired)
    assert second.after_run_id == first.run_id
    asked = (await planned.run(first)).cancel_request
    assert isinstance(asked, RunCancelRequested)
    assert asked.cause == CancelCause.SCHEDULE


async def test_a_parameter_that_a_new_version_asks_for_is_named_when_the_time_is_skipped() -> None:
    planned = Planned()
    await planned.register(Schedule([]))
    headwater = planned.headwater
    group = (await headwater.schedules.of(planned.schedule_id).refresh()).definition
    assert group is not None
    await headwater.schedules.set(group.flow_group_id, CronSchedule(HOURLY).serialize())
    await headwater.flows.register(metadata("hello-flow", parameters=asks_for("region")), project_name="tutorial")
    await planned.after(0)

    (event,) = await planned.after(HOURS)

    assert isinstance(event, ScheduleSkipped)
    assert event.because is SkipReason.REFUSED
    assert "'region'" in event.detail
