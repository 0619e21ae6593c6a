"""The check of schedules finds each damage, and nothing in a life that the rules decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta
from random import Random
from typing import Any

import pytest
from harness.schedule_life import FLOW, HOUR, SCHEDULE, TIMETABLES, ScheduleLife, creation, hour, hourly, random_life, without
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.audit.schedule_check import ScheduleCheck, check_schedules
from headwater.audit.schedule_findings import Fault, ScheduleReport
from headwater.core.calendar import Schedule, filters
from headwater.core.calendar.clocks import CronClock
from headwater.core.events import (
    AnyEvent,
    Missed,
    Origin,
    RunCreated,
    ScheduleCaughtUp,
    ScheduleDeleted,
    ScheduleFired,
    ScheduleResumed,
    ScheduleSet,
    ScheduleSkipped,
    SkipReason,
)
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog
from headwater.core.log.protocol import Recorded
from headwater.core.values.identifiers import new_id


def checked(recorded: Sequence[Recorded], now: float) -> ScheduleReport:
    check = ScheduleCheck()
    for each in recorded:
        check.take(each)
    return check.end(hour(now))


def faults(life: ScheduleLife, recorded: Sequence[Recorded] | None = None, now: float | None = None) -> list[Fault]:
    found = checked(life.recorded if recorded is None else recorded, life.now if now is None else now)
    return [finding.fault for finding in found.findings]


def a_day(timetable: dict[str, Any] | None = None, **policies: Any) -> ScheduleLife:
    life = ScheduleLife()
    life.set(timetable, overlap="allow", **policies)
    life.go_on(8.5)
    return life


def of_schedule(life: ScheduleLife) -> list[Recorded]:
    return [each for each in life.recorded if each.subject == subjects.schedule(SCHEDULE)]


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32))
def test_a_life_that_the_rules_decided_has_nothing_to_find(seed: int) -> None:
    life = random_life(seed)

    assert [finding.words for finding in checked(life.recorded, life.now).findings] == []


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_an_event_that_is_missing_in_the_middle_of_any_life_is_found(seed: int) -> None:
    life = random_life(seed)
    commits = of_schedule(life)[1:-1]
    if commits:
        lost = Random(seed).choice(commits)
        # Times that do not hold, since a user's go before them, leave no trace in what follows.
        if not {type(event) for event in lost.events} <= {ScheduleSet, ScheduleDeleted}:
            assert faults(life, without(life.recorded, lost.position)) != []


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_an_outcome_that_is_recorded_twice_in_any_life_is_found(seed: int) -> None:
    life = random_life(seed)
    decided = [each for each in of_schedule(life) if any(isinstance(event, ScheduleFired | ScheduleSkipped) for event in each.events)]
    if decided:
        twice = Random(seed).choice(decided)
        life.recorded.insert(life.recorded.index(twice) + 1, twice)
        assert Fault.DOUBLED in faults(life)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_a_run_that_is_missing_in_any_life_is_found(seed: int) -> None:
    life = random_life(seed)
    runs = [each for each in life.recorded if each.subject != subjects.schedule(SCHEDULE)]
    if runs:
        lost = Random(seed).choice(runs)
        assert faults(life, without(life.recorded, lost.position), life.now + 1).count(Fault.NO_RUN) == 1


def test_the_report_counts_what_was_looked_at() -> None:
    life = a_day()

    found = checked(life.recorded, life.now)

    assert (found.schedules, found.outcomes, found.runs, found.unexplained, found.finding_count) == (1, 8, 8, 0, 0)


def test_an_event_that_is_missing_leaves_its_time_without_an_outcome() -> None:
    life = a_day()
    lost = next(each for each in of_schedule(life) for event in each.events if getattr(event, "nominal", None) == hour(3))

    found = checked(without(life.recorded, lost.position), life.now)

    assert [finding.fault for finding in found.findings] == [Fault.NO_OUTCOME, Fault.UNEXPLAINED]
    assert (found.findings[1].nominal, found.unexplained) == (hour(3), 1)


def test_several_times_in_a_row_are_one_finding() -> None:
    life = a_day()
    recorded = life.recorded
    for each in of_schedule(life)[3:6]:
        recorded = without(recorded, each.position)

    found = checked(recorded, life.now)
    (gap,) = [finding for finding in found.findings if finding.fault is Fault.UNEXPLAINED]

    assert (gap.nominal, gap.until, gap.times, found.unexplained) == (hour(3), hour(5), 3, 3)


def test_one_clock_of_a_shared_instant_that_has_no_outcome_is_found() -> None:
    life = a_day(TIMETABLES[2])
    both = next(each for each in of_schedule(life) if len(each.events) == 2)

    found = faults(life, without(life.recorded, both.position, event=0))

    assert Fault.UNEXPLAINED in found


def test_an_outcome_that_is_recorded_twice_is_found() -> None:
    life = a_day()
    fired = of_schedule(life)[3]
    again = Recorded(fired.position, fired.subject, fired.recorded_at, fired.data)
    life.recorded.insert(life.recorded.index(fired) + 1, again)

    assert faults(life) == [Fault.DOUBLED]


def test_a_run_that_no_outcome_names_is_found() -> None:
    life = a_day()
    event = ScheduleFired(nominal=hour(4), run_id=new_id(), flow_id=FLOW, due_at=hour(4))
    life.record(subjects.run(event.run_id), creation(event))

    assert faults(life) == [Fault.NO_OUTCOME]


def test_an_outcome_of_a_moment_that_the_calendar_does_not_have_is_found() -> None:
    life = a_day()
    event = ScheduleSkipped(nominal=hour(8.2), because=SkipReason.OVERLAP)
    life.record(subjects.schedule(SCHEDULE), [event])

    assert faults(life) == [Fault.NOT_A_TIME]


def test_an_outcome_of_another_clock_than_the_calendar_has_is_found() -> None:
    life = a_day()
    life.record(subjects.schedule(SCHEDULE), [ScheduleSkipped(nominal=hour(9), because=SkipReason.OVERLAP, clock="0123456789ab")])

    assert faults(life) == [Fault.UNEXPLAINED, Fault.NOT_A_TIME]


def test_a_run_in_a_pause_is_found() -> None:
    life = a_day()
    life.pause()
    life.record(subjects.schedule(SCHEDULE), [ScheduleSkipped(nominal=hour(9), because=SkipReason.OVERLAP)])

    assert faults(life) == [Fault.DOUBLED]


def test_a_pause_that_is_missing_leaves_its_times_without_outcomes() -> None:
    life = a_day()
    life.pause()
    paused = life.recorded[-1]
    life.now += 3
    life.resume()

    found = checked(without(life.recorded, paused.position), life.now)

    assert [(finding.fault, finding.times) for finding in found.findings] == [(Fault.UNEXPLAINED, 3)]
    assert isinstance(life.recorded[-1].events[0], ScheduleResumed)


def test_times_that_no_server_decided_are_overdue_and_the_last_seconds_do_not_count() -> None:
    life = a_day()

    assert faults(life, now=9.0) == []
    found = checked(life.recorded, 11.5)

    (gap,) = found.findings
    assert (gap.fault, gap.nominal, gap.until, gap.times) == (Fault.OVERDUE, hour(9), hour(11), 3)
    assert "no server has decided" in gap.words


def test_a_pause_that_holds_explains_what_is_to_come_and_one_that_ended_by_itself_does_not() -> None:
    life = a_day()
    life.pause(until=12)

    assert faults(life, now=11.5) == []
    assert faults(life, now=13.5) == [Fault.OVERDUE]


def test_a_run_may_be_missing_for_the_seconds_in_which_it_is_made() -> None:
    life = ScheduleLife()
    life.set()
    life.go_on(1)
    last = life.recorded[-1]
    assert isinstance(last.events[0], RunCreated)

    assert faults(life, without(life.recorded, last.position), now=1) == []
    assert faults(life, without(life.recorded, last.position), now=1.5) == [Fault.NO_RUN]


def test_what_a_user_set_goes_before_what_is_registered_and_back() -> None:
    life = a_day()
    life.set(TIMETABLES[1], Origin.USER)
    life.resume()
    life.go_on(5)
    life.set(hourly(), Origin.REGISTERED, missed="none")
    life.go_on(5)
    life.delete(Origin.USER)
    life.go_on(5)

    assert faults(life) == []


@pytest.mark.parametrize("lost", [ScheduleSet, ScheduleResumed])
def test_a_change_that_only_later_events_know_of_is_found(lost: type[AnyEvent]) -> None:
    life = a_day()
    life.pause()
    life.now += 0.2
    life.resume()
    life.set(hourly(), overlap="allow", missed="none")
    life.go_on(3)
    missing = [each for each in of_schedule(life) if isinstance(each.events[0], lost)][-1]

    assert faults(life, without(life.recorded, missing.position)) in ([Fault.UNTOLD], [Fault.DOUBLED])


def test_nothing_is_expected_after_the_end_that_a_policy_sets() -> None:
    life = a_day(end=hour(4))

    assert faults(life, now=40) == []


@pytest.mark.parametrize(
    "timetable",
    [
        {"clocks": [{"type": "MoonClock"}]},
        {"clocks": 3},
        {"clocks": [{"type": "CronClock", "cron": "0 6 * * *", "x": 1}], "filters": [{"fn": "none"}]},
    ],
)
def test_times_that_cannot_be_read_are_said_in_a_sentence(timetable: dict[str, Any]) -> None:
    life = ScheduleLife()
    life.set(timetable)

    (finding,) = checked(life.recorded, 20).findings

    assert finding.fault is Fault.UNREADABLE
    assert finding.words.startswith("Its times cannot be read: ")


def test_a_commit_that_cannot_be_read_is_named() -> None:
    life = a_day()
    last = of_schedule(life)[-1]
    life.recorded.append(Recorded(99, last.subject, last.recorded_at, b"{"))

    assert faults(life) == [Fault.UNREADABLE]


def test_filters_that_let_nothing_pass_expect_nothing() -> None:
    life = ScheduleLife()
    life.set(Schedule([CronClock("0 12 * * *")], filters=[filters.at_time(time(9))]).serialize())

    assert faults(life, now=24 * 400) == []


def test_what_was_missed_for_long_is_looked_over_in_one_step() -> None:
    life = ScheduleLife()
    life.set(Schedule([CronClock("* * * * * *")]).serialize(), missed=Missed.LATEST, window_seconds=60.0, overlap="allow")
    life.now = 24 * 30
    life.look()

    assert faults(life) == []
    caught = of_schedule(life)[-1].events[0]
    assert isinstance(caught, ScheduleCaughtUp)
    assert caught.left_out is None
    assert timedelta(days=29) < caught.until - caught.since + HOUR


async def test_a_log_is_checked_in_one_pass_and_one_schedule_by_itself() -> None:
    life = a_day()
    log = MemoryLog()
    last: dict[str, int] = {}
    for each in life.recorded[:-1]:
        last[each.subject] = await log.events.append(each.subject, each.commit, expected=last.get(each.subject, 0))
    heard: list[int] = []

    found = await check_schedules(log.events, now=hour(8.9), on_progress=heard.append)

    assert [finding.fault for finding in found.findings] == [Fault.NO_RUN]
    assert (await check_schedules(log.events, only={new_id()}, now=hour(8.9))).schedules == 0
    assert (await check_schedules(log.events, only={SCHEDULE}, now=hour(8.9))).finding_count == 1
