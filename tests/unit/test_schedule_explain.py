"""Why a schedule did, or did not, have a run: each situation and the one true reason in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness.scenario import create_flow
from harness.schedule_life import FLOW, HOUR, SCHEDULE, START, TIMETABLES, ScheduleLife, hour, random_life
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.audit import TimeContext, TimeExplanation, TimeReason, explain_moment, explain_schedule
from headwater.audit.schedule_explanation import RunTold
from headwater.audit.schedule_record import TimeRecord
from headwater.core.aggregates import Actor
from headwater.core.calendar import CronSchedule
from headwater.core.events import Missed, Origin, PauseCause, ScheduleFired, ScheduleSkipped, SkipReason
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.headwater import Headwater
from headwater.core.schedules.commands import PauseSchedule
from headwater.core.values.identifiers import schedule_id


def shown(moment: datetime) -> str:
    return f"{moment:%d %H:%M}"


def explained(life: ScheduleLife, moment: datetime, *, now: float | None = None, **around: object) -> TimeExplanation:
    record = TimeRecord(moment)
    for each in life.recorded:
        if each.subject == subjects.schedule(SCHEDULE):
            record.take(each)
    context = TimeContext(**around)  # type: ignore[arg-type]
    return explain_moment(SCHEDULE, record, context, hour(life.now if now is None else now), format_time=shown)


def a_day(**policies: Any) -> ScheduleLife:
    life = ScheduleLife()
    life.set(overlap="allow", **policies)
    life.go_on(8.5)
    return life


def test_a_time_that_has_a_run_names_it_with_its_state() -> None:
    life = a_day()
    fired = next(each for each in life.recorded if getattr(each.events[0], "nominal", None) == hour(3))
    (event,) = fired.events
    assert isinstance(event, ScheduleFired)
    run_id = event.run_id

    found = explained(life, hour(3), runs={run_id: RunTold("quiet-heron", "Success")})

    assert found.reason is TimeReason.FIRED
    assert found.words == f"It has run 'quiet-heron' ({run_id}), which is Success."
    assert [each.position for each in found.evidence] == [fired.position]
    assert "explain" in found.hint
    assert explained(life, hour(3)).words.endswith("which is not in the log yet: a server makes it when it looks at the schedule next.")


def test_a_time_that_was_skipped_gives_the_reason() -> None:
    life = ScheduleLife(refused=1.0)
    life.set()
    life.go_on(1)

    found = explained(life, hour(1))

    assert (found.reason, found.words) == (TimeReason.SKIPPED, "It has no run: no run can be made: It cannot be made.")


def test_a_time_at_which_an_earlier_run_had_not_ended_names_that() -> None:
    life = a_day()
    life.record(subjects.schedule(SCHEDULE), [ScheduleSkipped(nominal=hour(9), because=SkipReason.OVERLAP, run_id=FLOW)])

    found = explained(life, hour(9), runs={FLOW: RunTold("slow-tarn", "Running")})

    assert found.words == f"It has no run: an earlier one, 'slow-tarn' ({FLOW}), which is Running, had not ended."


def test_a_time_in_a_pause_says_by_whom_why_and_how_it_ended() -> None:
    life = a_day()
    life.pause(note="Stocktaking.")
    assert explained(life, hour(9), now=10).words == "It has no run: planner paused the schedule at 28 14:30: Stocktaking."
    assert explained(life, hour(12), now=10).words.startswith("It will have no run: planner paused")
    life.now = 10.5
    life.resume()
    life.go_on(3)

    found = explained(life, hour(10))

    assert found.reason is TimeReason.PAUSED
    assert found.words == "It has no run: planner paused the schedule at 28 14:30: Stocktaking. planner resumed it at 28 16:30."
    assert len(found.evidence) == 2
    assert explained(life, hour(12)).reason is TimeReason.FIRED


def test_a_pause_that_ends_by_itself_ends_for_the_times_after_it() -> None:
    life = a_day()
    life.pause(until=12)

    assert explained(life, hour(11)).reason is TimeReason.PAUSED
    assert explained(life, hour(13)).reason is TimeReason.TO_COME
    life.go_on(6)
    assert explained(life, hour(11)).words.endswith("The pause ended at 28 18:00.")
    assert explained(life, hour(13)).reason is TimeReason.FIRED


@pytest.mark.parametrize("cause", [PauseCause.FAILURES, PauseCause.MAX_RUNS, PauseCause.FLOW_ARCHIVED])
def test_a_pause_that_no_user_made_says_what_made_it(cause: PauseCause) -> None:
    life = a_day()
    life.do(PauseSchedule(hour(8.5), cause=cause))

    assert "It will have no run: the schedule was paused, since " in explained(life, hour(9)).words


def test_a_time_that_was_missed_says_that_no_server_was_online_and_what_the_policy_makes_of_it() -> None:
    life = a_day(missed=Missed.LATEST)
    life.now = 12.5
    life.look()

    found = explained(life, hour(10))

    assert found.reason is TimeReason.LEFT_OUT
    assert found.words.startswith("It has no run: no server was online then, and of times that were missed, the newest alone has a run.")
    late = explained(life, hour(12), runs={})
    assert late.reason is TimeReason.FIRED
    assert "It was made late, at 28 18:30: no server was online before." in late.words


def test_a_time_that_other_times_replaced_says_who_did_that() -> None:
    life = a_day()
    life.now = 9.5
    life.set(TIMETABLES[1], Origin.USER)

    assert explained(life, hour(9)).words == ("It has no run: planner gave the schedule other times at 28 15:30, before it was decided.")
    life.delete(Origin.USER)
    life.delete(Origin.REGISTERED)
    gone = explained(life, hour(10))
    assert (gone.reason, gone.words) == (TimeReason.NO_TIMES, "The schedule had no times then: they had been taken away.")


def test_a_time_before_the_schedule_was_set_says_so() -> None:
    assert explained(a_day(), hour(-2)).words == "The schedule was not set yet."


def test_what_is_not_a_time_names_those_beside_it() -> None:
    life = a_day()

    found = explained(life, hour(3.5))

    assert found.reason is TimeReason.NOT_A_TIME
    assert found.words.endswith("the one before it is 28 09:00 and the next is 28 10:00.")
    assert (found.before, found.after) == (hour(3), hour(4))


def test_after_the_end_that_a_policy_sets_there_is_no_time() -> None:
    found = explained(a_day(end=hour(4)), hour(6))

    assert found.reason is TimeReason.NOT_A_TIME
    assert "ended at 28 10:00" in found.words
    assert (found.before, found.after) == (hour(4), None)


def test_what_is_to_come_says_when_its_run_is_made() -> None:
    assert explained(a_day(), hour(10)).words == "It is to come: its run is made at 28 16:00."
    early = ScheduleLife()
    early.set(TIMETABLES[3])
    assert explained(early, hour(4)).words == "It is to come: its run is made at 28 08:30, and is due at 28 08:30."


def test_a_moment_at_which_only_a_run_was_due_is_explained_by_the_time_of_that_run() -> None:
    life = ScheduleLife()
    life.set(TIMETABLES[3], overlap="allow")
    life.go_on(8)

    found = explained(life, hour(2.5), runs={})

    assert found.reason is TimeReason.FIRED
    assert "28 10:00" in explained(life, hour(2.5)).words or "which is not in the log yet" in found.words


def test_a_time_that_is_late_says_whether_a_server_is_online() -> None:
    life = a_day()

    assert "a server is online, and 600 s late with it" in explained(life, hour(9), now=9 + 1 / 6).words
    assert "no server is online" in explained(life, hour(9), now=9.5, server_answers=False).words
    assert "the log takes no writes: The disk is full." in explained(life, hour(9), now=9.5, log_problem="The disk is full.").words


def test_times_that_cannot_be_read_are_said_to_be_so() -> None:
    life = ScheduleLife()
    life.set({"clocks": [{"type": "MoonClock"}]})

    assert explained(life, hour(3)).reason is TimeReason.UNREADABLE


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(-60, 6_000))
def test_every_moment_of_any_life_has_an_explanation(seed: int, minute: int) -> None:
    life = random_life(seed, steps=12)
    moment = START + timedelta(minutes=20 * (minute // 20))

    found = explained(life, moment)

    assert found.words.endswith(".")
    if moment <= hour(life.now):
        assert found.reason not in {TimeReason.TO_COME, TimeReason.LATE}


async def test_without_a_moment_the_last_time_is_explained_or_the_next() -> None:
    log = MemoryLog()
    flow = await create_flow(log, schedule=CronSchedule("0 * * * *").serialize())
    planned = schedule_id(flow.flow_group_id)
    now = datetime.now(UTC)

    last = await explain_schedule(log, planned, now=now + 3 * HOUR)
    assert last.reason is TimeReason.LATE
    assert last.nominal == (now + 3 * HOUR).replace(minute=0, second=0, microsecond=0)

    await Headwater(log, Actor("cli:ana@host")).schedules.pause(planned, note="Moving.")
    paused = await explain_schedule(log, planned, now=now + 3 * HOUR)
    assert paused.words.startswith("It has no run: cli:ana@host paused the schedule at ")
    assert paused.evidence[0].actor == "cli:ana@host"


async def test_one_without_times_is_explained_too() -> None:
    log = MemoryLog()
    flow = await create_flow(log, schedule=CronSchedule("0 * * * *").serialize())
    planned = schedule_id(flow.flow_group_id)
    await create_flow(log)

    assert (await explain_schedule(log, planned)).reason is TimeReason.NO_TIMES
