"""Schedules: which moments clocks, filters and adjustments give."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import MO, MONTHLY, WEEKLY, rrule, rruleset, rrulestr
from hypothesis import given
from hypothesis import strategies as st

from headwater.core.calendar import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule, adjustments, filters, schedule_from
from headwater.core.calendar.clocks import Clock, ClockEvent, CronClock, DatesClock, IntervalClock, RRuleClock
from headwater.core.calendar.schedules import NothingPasses
from headwater.core.errors import InvalidArgument

BERLIN = ZoneInfo("Europe/Berlin")
FIRST, SECOND = (datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN, fold=fold) for fold in (0, 1))
"""Two instants at which clocks show the same."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def texts(moments: list[datetime]) -> list[str]:
    return [moment.isoformat(timespec="minutes") for moment in moments]


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_an_interval_counts_from_its_start_and_ends_at_its_end() -> None:
    schedule = IntervalSchedule(interval=HOUR, start_date=utc(2026, 1, 1, 0, 30), end_date=utc(2026, 1, 1, 3))

    assert texts(schedule.next(5, after=utc(2025, 1, 1))) == [f"2026-01-01T0{hour}:30+00:00" for hour in (0, 1, 2)]
    assert texts(schedule.next(1, after=utc(2026, 1, 1, 1, 30))) == ["2026-01-01T02:30+00:00"]
    assert schedule.next(1, after=utc(2026, 1, 1, 3)) == []


def test_an_interval_without_start_is_on_whole_units() -> None:
    assert texts(IntervalSchedule(timedelta(minutes=10)).next(2, after=utc(2026, 5, 1, 12, 3))) == [
        "2026-05-01T12:10+00:00",
        "2026-05-01T12:20+00:00",
    ]


def test_days_keep_the_hour_on_the_clock_and_hours_count_what_passes() -> None:
    before_summer = datetime(2026, 3, 28, 9, tzinfo=BERLIN)

    assert texts(IntervalSchedule(DAY, before_summer).next(3, after=utc(2026, 1, 1))) == [
        "2026-03-28T09:00+01:00",
        "2026-03-29T09:00+02:00",
        "2026-03-30T09:00+02:00",
    ]
    assert texts(IntervalSchedule(12 * HOUR, before_summer).next(3, after=utc(2026, 1, 1))) == [
        "2026-03-28T09:00+01:00",
        "2026-03-28T21:00+01:00",
        "2026-03-29T10:00+02:00",
    ]


def test_a_time_that_summer_time_skips_comes_at_the_end_of_the_gap_and_one_that_it_repeats_comes_once() -> None:
    skipped = IntervalSchedule(DAY, datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN))
    repeated = IntervalSchedule(DAY, datetime(2026, 10, 24, 2, 30, tzinfo=BERLIN))

    assert texts(skipped.next(2, after=utc(2026, 3, 28, 12))) == ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]
    assert texts(repeated.next(2, after=utc(2026, 10, 24, 12))) == ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]


def test_cron_follows_the_clocks_of_its_zone() -> None:
    schedule = CronSchedule("30 8 * * MON-FRI", start_date=datetime(2026, 3, 1, tzinfo=BERLIN))

    assert texts(schedule.next(3, after=utc(2026, 3, 26, 12))) == [
        "2026-03-27T08:30+01:00",
        "2026-03-30T08:30+02:00",
        "2026-03-31T08:30+02:00",
    ]
    assert texts(CronSchedule("@hourly").next(1, after=utc(2026, 1, 1, 5, 59))) == ["2026-01-01T06:00+00:00"]
    assert CronSchedule("0 0 * * *", end_date=utc(2026, 1, 2)).next(5, after=utc(2026, 1, 1)) == [utc(2026, 1, 2)]


def test_a_day_and_a_weekday_are_alternatives_unless_both_are_asked_for() -> None:
    after = utc(2026, 1, 10)

    assert texts(CronSchedule("0 0 13 * 5").next(2, after=after)) == ["2026-01-13T00:00+00:00", "2026-01-16T00:00+00:00"]
    assert texts(CronSchedule("0 0 13 * 5", day_or=False).next(2, after=after)) == ["2026-02-13T00:00+00:00", "2026-03-13T00:00+00:00"]


def test_an_expression_whose_day_is_never_such_a_weekday_has_no_moments() -> None:
    schedule = CronSchedule("* * 8 * MON#1", day_or=False)

    assert schedule.next(1, after=utc(2026, 1, 1)) == []


def test_recurrence_rules_are_taken_as_objects_and_as_text() -> None:
    rule = rrule(WEEKLY, byweekday=MO, dtstart=datetime(2026, 3, 2, 9), count=5)  # noqa: DTZ001 - rules are on clocks of no zone

    assert texts(RRuleSchedule(rule, start_date=datetime(2026, 3, 20, tzinfo=BERLIN)).next(5, after=utc(2026, 1, 1))) == [
        "2026-03-23T09:00+01:00",
        "2026-03-30T09:00+02:00",
    ]
    text = RRuleSchedule("RRULE:FREQ=MONTHLY;BYDAY=2TU", start_date=utc(2026, 1, 1, 6))
    assert texts(text.next(2, after=utc(2026, 1, 1))) == ["2026-01-13T06:00+00:00", "2026-02-10T06:00+00:00"]
    until = rrule(MONTHLY, dtstart=utc(2026, 1, 5), until=utc(2026, 2, 5))
    assert RRuleSchedule(until).next(5, after=utc(2025, 1, 1)) == [utc(2026, 1, 5), utc(2026, 2, 5)]


def test_listed_dates_come_in_order() -> None:
    schedule = Schedule([DatesClock([utc(2026, 3, 1), utc(2026, 1, 1), datetime(2026, 2, 1)])])  # noqa: DTZ001 - UTC is what it means

    assert schedule.next(9, after=utc(2026, 1, 1)) == [utc(2026, 2, 1), utc(2026, 3, 1)]
    assert (schedule.start_date, schedule.end_date) == (utc(2026, 1, 1), utc(2026, 3, 1))


def test_clocks_bring_parameters_and_labels_and_equal_events_come_once() -> None:
    clock = DatesClock([utc(2026, 1, 1)], parameter_defaults={"x": 1}, labels=["b", "a"])
    same = DatesClock([utc(2026, 1, 1)], parameter_defaults={"x": 1}, labels=["a", "b"])
    other = DatesClock([utc(2026, 1, 1)], parameter_defaults={"x": 2})

    events = Schedule([clock, same, other]).next(9, after=utc(2025, 1, 1), return_events=True)

    assert events == [ClockEvent(utc(2026, 1, 1), {"x": 1}, ["b", "a"]), ClockEvent(utc(2026, 1, 1), {"x": 2}, None)]


@pytest.mark.parametrize(
    ("chosen", "passes", "not_passes"),
    [
        (filters.is_weekday, utc(2026, 1, 2), utc(2026, 1, 3)),
        (filters.is_weekend, utc(2026, 1, 4), utc(2026, 1, 5)),
        (filters.is_month_start, utc(2026, 2, 1), utc(2026, 2, 2)),
        (filters.is_month_end, utc(2026, 2, 28), utc(2028, 2, 28)),
        (filters.on_datetime(utc(2026, 1, 1)), utc(2026, 1, 1), utc(2026, 1, 1, 1)),
        (filters.on_datetime(FIRST), FIRST, SECOND),
        (filters.between_datetimes(FIRST, FIRST), FIRST, SECOND),
        (filters.between_datetimes(utc(2026, 1, 1), utc(2026, 1, 2)), utc(2026, 1, 2), utc(2026, 1, 2, 1)),
        (filters.on_date(12, 24), utc(2026, 12, 24), utc(2026, 12, 25)),
        (filters.between_dates(3, 1, 4, 1), utc(2026, 4, 1), utc(2026, 4, 2)),
        (filters.between_dates(12, 1, 1, 31), utc(2026, 1, 15), utc(2026, 2, 1)),
        (filters.at_time(time(9)), utc(2026, 1, 1, 9), utc(2026, 1, 1, 9, 1)),
        (filters.between_times(time(9), time(17)), utc(2026, 1, 1, 17), utc(2026, 1, 1, 17, 1)),
        (filters.between_times(time(22), time(6)), utc(2026, 1, 1, 3), utc(2026, 1, 1, 12)),
        (filters.is_day_of_week(0), utc(2026, 1, 5), utc(2026, 1, 6)),
    ],
)
def test_filters_pass_what_they_say_also_after_serialisation(chosen: Any, passes: datetime, not_passes: datetime) -> None:
    data = json.loads(json.dumps(filters.filter_as_json(chosen)))

    for each in (chosen, filters.filter_from(data)):
        assert (each(passes), each(not_passes)) == (True, False)


def test_all_filters_one_of_the_alternatives_and_none_of_the_exceptions_decide() -> None:
    schedule = Schedule(
        [IntervalClock(HOUR, start_date=utc(2026, 1, 2))],
        filters=[filters.is_weekday],
        or_filters=[filters.at_time(time(9)), filters.at_time(time(15))],
        not_filters=[filters.on_date(1, 5)],
    )

    assert texts(schedule.next(3, after=utc(2026, 1, 1))) == ["2026-01-02T09:00+00:00", "2026-01-02T15:00+00:00", "2026-01-06T09:00+00:00"]


def test_adjustments_move_what_has_passed() -> None:
    schedule = Schedule([CronClock("0 9 3 1 *")], adjustments=[adjustments.next_weekday, adjustments.add(HOUR)])

    assert texts(schedule.next(1, after=utc(2026, 1, 1))) == ["2026-01-05T10:00+00:00"]


@pytest.mark.parametrize(
    "clock",
    [
        IntervalClock(timedelta(minutes=90), start_date=datetime(2026, 1, 1, tzinfo=BERLIN), parameter_defaults={"x": [1]}, labels=["a"]),
        IntervalClock(DAY, end_date=utc(2027, 1, 1)),
        CronClock("0 9 13 * 5", start_date=datetime(2026, 1, 1, tzinfo=BERLIN), day_or=False),
        DatesClock([datetime(2026, 7, 1, tzinfo=BERLIN), utc(2026, 8, 1)]),
        RRuleClock("DTSTART:20260101T090000\nRRULE:FREQ=WEEKLY;COUNT=30", start_date=datetime(2026, 1, 5, tzinfo=BERLIN)),
    ],
)
def test_schedules_survive_serialisation(clock: Clock) -> None:
    schedule = Schedule([clock], filters=[filters.between_times(time(0), time(23))], adjustments=[adjustments.add(HOUR)])

    again = schedule_from(json.loads(json.dumps(schedule.serialize())))

    assert again.serialize() == schedule.serialize()
    after = utc(2026, 1, 1)
    assert again.next(5, after=after, return_events=True) == schedule.next(5, after=after, return_events=True)


def test_what_cannot_be_a_schedule_is_refused_with_a_sentence() -> None:
    for make, words in (
        (lambda: IntervalClock(timedelta(0)), "greater than 0"),
        (lambda: IntervalClock(60), "must be a timedelta"),  # type: ignore[arg-type]
        (lambda: CronClock("every day"), "not a cron expression"),
        (lambda: CronClock("0 0 30 2 *"), "not a cron expression"),
        (lambda: DatesClock([]), "at least one date"),
        (lambda: RRuleClock("FREQ=NEVER"), "not a recurrence rule"),
        (lambda: RRuleClock(rruleset()), "takes one rule"),
        (lambda: Schedule(["0 0 * * *"]), "is none"),  # type: ignore[list-item]
        (lambda: Schedule([CronClock("@daily")], filters=filters.is_weekday), "takes a list"),  # type: ignore[arg-type]
        (lambda: Schedule([CronClock("@daily")], filters=[lambda _: True]).serialize(), "your own function"),
    ):
        with pytest.raises(InvalidArgument, match=words):
            make()


@pytest.mark.parametrize("change", [utc(2026, 3, 29, 1), utc(2026, 10, 25, 1)])
@given(minutes=st.integers(1, 300), other=st.integers(1, 300), asked=st.integers(-300, 300), in_zone=st.booleans())
def test_no_moment_is_lost_or_doubled_where_clocks_are_changed(
    change: datetime, minutes: int, other: int, asked: int, in_zone: bool
) -> None:
    start = (change - timedelta(hours=6)).astimezone(BERLIN)
    after = change + timedelta(minutes=asked)
    intervals = [timedelta(minutes=minutes), timedelta(minutes=other)]

    found = Schedule([IntervalClock(each, start) for each in intervals]).next(20, after=after.astimezone(BERLIN) if in_zone else after)

    passed = {start.astimezone(UTC) + number * each for each in intervals for number in range(2000)}
    assert [moment.astimezone(UTC) for moment in found] == sorted(moment for moment in passed if moment > after)[:20]


def test_listed_dates_and_ends_count_instants_where_clocks_show_an_hour_twice() -> None:
    assert texts(Schedule([DatesClock([SECOND, FIRST])]).next(3, after=utc(2026, 1, 1))) == texts([FIRST, SECOND])
    assert texts(Schedule([DatesClock([SECOND, FIRST])]).next(3, after=FIRST)) == texts([SECOND])
    assert len(IntervalSchedule(timedelta(minutes=15), FIRST, end_date=SECOND).next(9, after=utc(2026, 1, 1))) == 5
    assert ClockEvent(FIRST) < ClockEvent(SECOND)
    assert ClockEvent(FIRST) != ClockEvent(SECOND) == SECOND.astimezone(UTC)
    assert len({ClockEvent(SECOND), ClockEvent(SECOND.astimezone(UTC))}) == 1


@given(
    after=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)),  # noqa: DTZ001 - made UTC below
    minutes=st.integers(min_value=1, max_value=3 * 24 * 60),
)
def test_moments_of_an_interval_come_later_than_asked_in_order_and_without_a_gap(after: datetime, minutes: int) -> None:
    interval = timedelta(minutes=minutes)
    asked = after.replace(tzinfo=UTC)
    moments = Schedule([IntervalClock(interval, start_date=datetime(2019, 6, 1, 2, 30, tzinfo=BERLIN))]).next(4, after=asked)

    assert asked < moments[0] <= asked + interval + HOUR
    assert all(abs(b.astimezone(UTC) - a.astimezone(UTC) - interval) <= HOUR for a, b in itertools.pairwise(moments))
    assert moments == sorted(set(moments))


@pytest.mark.parametrize(
    "clock",
    [
        IntervalClock(timedelta(days=1)),
        CronClock("0 0 29 2 *"),
        RRuleClock("RRULE:FREQ=YEARLY"),
        IntervalClock(timedelta(days=300_000)),
    ],
    ids=repr,
)
def test_a_schedule_whose_filters_refuse_everything_says_so(clock: Clock) -> None:
    with pytest.raises(NothingPasses, match=r"refuse all .* moments of its clocks from 2026-01-01 00:00 to"):
        Schedule([clock], filters=[lambda _: False]).next(1, after=utc(2026, 1, 1))


def test_moments_before_the_filters_close_for_ever_are_given() -> None:
    schedule = Schedule([IntervalClock(DAY)], filters=[filters.between_datetimes(utc(2026, 1, 1), utc(2026, 1, 3))])

    assert texts(schedule.next(5, after=utc(2026, 1, 1))) == ["2026-01-02T00:00+00:00", "2026-01-03T00:00+00:00"]


def test_a_moment_each_second_is_found_behind_a_long_weekend() -> None:
    schedule = Schedule([IntervalClock(timedelta(seconds=1))], filters=[filters.is_weekday, filters.between_times(time(9), time(17))])

    assert texts(schedule.next(1, after=utc(2026, 1, 2, 17))) == ["2026-01-05T09:00+00:00"]


@pytest.mark.parametrize(
    "rule", ["MINUTELY;INTERVAL=7", "HOURLY;INTERVAL=5", "DAILY;INTERVAL=3;BYHOUR=4,9", "WEEKLY;INTERVAL=2;BYDAY=MO,TH"]
)
def test_a_rule_that_began_long_ago_gives_the_moments_it_would_have_given(rule: str) -> None:
    began = datetime(2025, 12, 1, 3, 30)  # noqa: DTZ001 - a rule's own times bear no zone
    made = RRuleSchedule(f"RRULE:FREQ={rule}", start_date=began.replace(tzinfo=UTC))
    walked = rrulestr(f"RRULE:FREQ={rule}", dtstart=began)
    after = datetime(2026, 2, 3, 4, 5)  # noqa: DTZ001

    assert [moment.replace(tzinfo=None) for moment in made.next(20, after=after.replace(tzinfo=UTC))] == list(walked.xafter(after, 20))


def test_intervals_without_a_start_count_from_2019_as_in_prefect() -> None:
    clock = IntervalClock(7 * DAY)

    assert Schedule([clock]).next(2, after=utc(2026, 1, 1)) == [utc(2026, 1, 6), utc(2026, 1, 13)]
    assert clock.start_date is None


def test_intervals_that_were_registered_without_a_start_keep_their_moments() -> None:
    registered = {"type": "IntervalClock", "interval_seconds": 7 * 86_400.0, "start_date": None, "end_date": None}

    found = schedule_from({"clocks": [registered]})

    assert found.next(2, after=utc(2026, 1, 1)) == [utc(2026, 1, 8), utc(2026, 1, 15)]


def test_rules_that_were_pickled_before_they_kept_their_start_have_it() -> None:
    clock = RRuleClock(rrule(WEEKLY, dtstart=datetime(2026, 1, 1, 9, tzinfo=BERLIN)), start_date=datetime(2026, 1, 1, 9, tzinfo=BERLIN))
    expected = Schedule([clock]).next(2, after=utc(2026, 6, 1)), clock.serialize()
    del clock._start

    assert (Schedule([clock]).next(2, after=utc(2026, 6, 1)), clock.serialize()) == expected
    assert RRuleClock(rrule(WEEKLY)).start_date is None


def test_a_schedule_without_clocks_has_no_moments() -> None:
    schedule = Schedule([])

    assert (schedule.next(3), schedule.start_date, schedule.end_date) == ([], None, None)
    assert schedule_from(schedule.serialize()).next(1) == []


class EachSecondDay(Clock):
    """A clock of a user's own, as Prefect's documentation derives one."""

    def events(self, after: datetime | None = None) -> Iterator[ClockEvent]:
        bound = after or utc(2026, 1, 1)
        for number in itertools.count(1):
            yield ClockEvent(bound + 2 * number * DAY, self.parameter_defaults, self.labels)


class Shifted(IntervalClock):
    """A clock derived from one of Headwater's."""


def test_a_clock_of_a_user_gives_events_and_is_not_registered() -> None:
    clock = EachSecondDay(parameter_defaults={"x": 1})

    (event,) = Schedule([clock]).next(1, after=utc(2026, 5, 1), return_events=True)

    assert event == ClockEvent(utc(2026, 5, 3), {"x": 1})
    for own in (clock, Shifted(DAY)):
        with pytest.raises(InvalidArgument, match="is your own class"):
            Schedule([own]).serialize()
    with pytest.raises(NotImplementedError, match="needs a method"):
        next(Clock().events())


def test_events_compare_by_their_time_and_equal_moments() -> None:
    early, late = ClockEvent(utc(2026, 1, 1)), ClockEvent(utc(2026, 1, 2), {"x": 1}, ["a"])

    assert early == utc(2026, 1, 1) != late
    assert early < late > utc(2026, 1, 1)
    assert early <= utc(2026, 1, 1) <= early
    assert late >= early
    assert late != ClockEvent(utc(2026, 1, 2), {"x": 1})
    assert late != ClockEvent(utc(2026, 1, 2), {"x": 2}, ["a"])
    assert sorted([late, early]) == [early, late]
    assert len({early, ClockEvent(utc(2026, 1, 1))}) == 1
    with pytest.raises(TypeError):
        _ = early < 5


def test_filters_and_adjustments_take_the_moment_by_its_name() -> None:
    moment = utc(2026, 5, 3)
    assert filters.is_month_start(dt=utc(2026, 5, 1))
    assert filters.is_day_of_week(6)(dt=moment)
    assert adjustments.add(DAY)(dt=moment) == adjustments.next_weekday(dt=moment) == utc(2026, 5, 4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: IntervalClock(None),  # type: ignore[arg-type]
        IntervalSchedule,
        lambda: RRuleClock(42),
        lambda: Schedule(clocks=IntervalClock(DAY)),  # type: ignore[arg-type]
        lambda: CronClock("@daily", start_date="2026"),  # type: ignore[arg-type]
    ],
)
def test_what_is_of_the_wrong_type_is_a_type_error(make: Any) -> None:
    with pytest.raises(TypeError):
        make()


def test_labels_of_clocks_stay_as_they_are_given() -> None:
    assert IntervalClock(DAY, labels=["b", "a"]).labels == ["b", "a"]
    assert IntervalClock(DAY, labels=[]).labels == []
    assert CronClock("@daily", day_or=None).day_or is True
