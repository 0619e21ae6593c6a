"""Schedules in words: short, plain, with the zone wherever it makes a difference, and something for every schedule there is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrule
from hypothesis import given
from hypothesis import strategies as st

from headwater.core.calendar import Schedule, adjustments, filters
from headwater.core.calendar.clocks import Clock, CronClock, DatesClock, IntervalClock, RRuleClock
from headwater.core.calendar.cron import follows_elapsed_time
from headwater.core.calendar.phrases import UNREADABLE, schedule_phrase
from headwater.core.calendar.recurrence import has_steps_within_a_day
from headwater.core.errors import InvalidArgument

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 1, 9, tzinfo=BERLIN)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TO = "\N{EN DASH}"


def phrase(*clocks: Clock, **rest: Any) -> str:
    return schedule_phrase(json.loads(json.dumps(Schedule(clocks, **rest).serialize())), NOW)


CRON = {
    "0 6 * * MON-FRI": f"at 06:00 Mon{TO}Fri, Europe/Berlin",
    "0 6 * * 1,3": "at 06:00 on Mon and Wed, Europe/Berlin",
    "0 6 * * 5-7": f"at 06:00 Fri{TO}Sun, Europe/Berlin",
    "0 6 * * *": "every day at 06:00, Europe/Berlin",
    "0,30 6,18 * * *": "every day at 06:00, 06:30, 18:00 and 18:30, Europe/Berlin",
    "*/15 * * * *": "every 15 minutes",
    "* * * * *": "every minute",
    "0 * * * *": "every hour",
    "30 * * * *": "every hour at minute 30, Europe/Berlin",
    "0 */6 * * *": "every 6 hours, Europe/Berlin",
    "*/10 * * * * *": "every 10 seconds",
    "* * * * * *": "every second",
    "*/15 * * * MON-FRI": f"every 15 minutes Mon{TO}Fri, Europe/Berlin",
    "*/15 9-17 * * MON-FRI": f"every 15 minutes from 09:00 to 17:45 Mon{TO}Fri, Europe/Berlin",
    "0 9-17 * * *": "every hour from 09:00 to 17:00, Europe/Berlin",
    "30 2 1 * *": "at 02:30 on day 1 of each month, Europe/Berlin",
    "0 0 1,15 * *": "at 00:00 on days 1 and 15 of each month, Europe/Berlin",
    "0 0 24 12 *": "at 00:00 on 24 December, Europe/Berlin",
    "0 0 1 1-3 *": f"at 00:00 on day 1 of January{TO}March, Europe/Berlin",
    "0 0 * JUN,AUG MON": "at 00:00 on Mon in June and August, Europe/Berlin",
    "0 0 13 * 5": "at 00:00 on day 13 of each month or on Fri, Europe/Berlin",
    "@daily": "every day at 00:00, Europe/Berlin",
    "@hourly": "every hour",
    "*/7 * * * *": 'cron "*/7 * * * *", Europe/Berlin',
    "0 6 * * MON#2": 'cron "0 6 * * MON#2", Europe/Berlin',
    "0 6 L * *": 'cron "0 6 L * *", Europe/Berlin',
    "15 30 2 * * *": 'cron "15 30 2 * * *", Europe/Berlin',
    "0 1-23/2 * * *": 'cron "0 1-23/2 * * *", Europe/Berlin',
}
RULES = {
    "FREQ=DAILY": "every day at 09:00, Europe/Berlin",
    "FREQ=DAILY;INTERVAL=3;BYHOUR=4,9": "every 3 days at 04:00 and 09:00, Europe/Berlin",
    "FREQ=WEEKLY;BYDAY=MO,TH": "every week on Mon and Thu at 09:00, Europe/Berlin",
    "FREQ=WEEKLY;INTERVAL=2": "every 2 weeks on Thu at 09:00, Europe/Berlin",
    "FREQ=MONTHLY": "on day 1 of each month at 09:00, Europe/Berlin",
    "FREQ=MONTHLY;BYDAY=2TU": "on the second Tue of each month at 09:00, Europe/Berlin",
    "FREQ=MONTHLY;BYDAY=-1FR;COUNT=5": "on the last Fri of each month at 09:00, 5 times, Europe/Berlin",
    "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15": "every 3 months on day 15 at 09:00, Europe/Berlin",
    "FREQ=YEARLY": "every year on 1 January at 09:00, Europe/Berlin",
    "FREQ=YEARLY;UNTIL=20300101T000000": "every year on 1 January at 09:00, until 2030-01-01, Europe/Berlin",
    "FREQ=MINUTELY;INTERVAL=7": "every 7 minutes",
    "FREQ=MONTHLY;BYMONTHDAY=-1": 'rule "FREQ=MONTHLY;BYMONTHDAY=-1", Europe/Berlin',
    "FREQ=YEARLY;BYWEEKNO=20": 'rule "FREQ=YEARLY;BYWEEKNO=20", Europe/Berlin',
}
OTHERS: dict[str, Clock] = {
    "every hour": IntervalClock(timedelta(hours=1)),
    "every 90 seconds": IntervalClock(timedelta(seconds=90)),
    "every 90 minutes": IntervalClock(timedelta(hours=1.5)),
    "every 0.25 seconds": IntervalClock(timedelta(milliseconds=250)),
    "every day at 00:00, UTC": IntervalClock(DAY),
    "every day at 09:00, Europe/Berlin": IntervalClock(DAY, START),
    "every 2 days at 09:00, Europe/Berlin": IntervalClock(2 * DAY, START),
    "every week on Thu at 09:00, Europe/Berlin": IntervalClock(7 * DAY, START),
    "every 36 hours, Europe/Berlin": IntervalClock(1.5 * DAY, START),
    "every day at 09:00, UTC+05:30": IntervalClock(DAY, START.replace(tzinfo=timezone(timedelta(hours=5.5)))),
    "every day at 09:00, Europe/Berlin, from 2027-01-01 09:00, until 2028-01-01 00:00 UTC": IntervalClock(
        DAY, START.replace(year=2027), datetime(2028, 1, 1, tzinfo=UTC)
    ),
    "every hour, until 2026-01-01 09:00": IntervalClock(timedelta(hours=1), START - DAY, START),
    "every day at 06:00, UTC": CronClock("0 6 * * *"),
    "on 2026-01-01 at 09:00, Europe/Berlin": DatesClock([START]),
    "at 3 dates from 2026-01-01 to 2026-01-03, Europe/Berlin": DatesClock([START, START + DAY, START + 2 * DAY]),
    "at 2 dates from 2026-01-01 to 2027-01-01, UTC": DatesClock([START, datetime(2027, 1, 1, tzinfo=UTC)]),
    "at 00:00 on Fri that is day 13 of each month, UTC": CronClock("0 0 13 * 5", day_or=False),
}
CONDITIONS: list[tuple[dict[str, Any], str]] = [
    ({"filters": [filters.is_weekday]}, "only on weekdays"),
    ({"filters": [filters.is_month_end, filters.is_weekend]}, "only on the last day of a month, only on weekends"),
    ({"or_filters": [filters.at_time(time(9)), filters.is_month_start]}, "only at 09:00 or on the first day of a month"),
    ({"not_filters": [filters.on_date(12, 24)]}, "not on 24 December"),
    ({"not_filters": [filters.between_dates(12, 24, 1, 6)]}, "not from 24 December to 6 January"),
    ({"filters": [filters.between_times(time(9), time(17, 30))]}, "only from 09:00 to 17:30"),
    ({"filters": [filters.is_day_of_week(0)]}, "only on Mon"),
    ({"not_filters": [filters.on_datetime(NOW)]}, "not at 2026-06-01 00:00 UTC"),
    ({"filters": [filters.between_datetimes(START, NOW)]}, "only from 2026-01-01 09:00 UTC+01:00 to 2026-06-01 00:00 UTC"),
    ({"adjustments": [adjustments.next_weekday, adjustments.add(timedelta(minutes=5))]}, "moved to the next weekday, 5 minutes later"),
    ({"adjustments": [adjustments.add(timedelta(0)), adjustments.add(timedelta(hours=-1))]}, "1 hour earlier"),
]


@pytest.mark.parametrize("expression", CRON)
def test_cron_expressions_are_said_in_words(expression: str) -> None:
    assert phrase(CronClock(expression, START)) == CRON[expression]


@pytest.mark.parametrize("rule", RULES)
def test_recurrence_rules_are_said_in_words(rule: str) -> None:
    assert phrase(RRuleClock(f"RRULE:{rule}", START)) == RULES[rule]


@pytest.mark.parametrize("words", OTHERS)
def test_other_clocks_are_said_in_words(words: str) -> None:
    assert phrase(OTHERS[words]) == words


@pytest.mark.parametrize(("conditions", "words"), CONDITIONS)
def test_filters_and_adjustments_are_named_behind_the_clock(conditions: dict[str, Any], words: str) -> None:
    assert phrase(IntervalClock(timedelta(hours=1)), **conditions) == f"every hour, {words}"


def test_several_clocks_are_named_one_after_the_other() -> None:
    clocks = IntervalClock(timedelta(hours=1)), CronClock("0 6 * * *")

    assert phrase(*clocks, filters=[filters.is_weekday]) == "every hour; every day at 06:00, UTC; only on weekdays"
    assert phrase() == "never"


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"clocks": None},
        {"clocks": [{"type": "MoonClock"}]},
        {"clocks": [{"type": "CronClock", "cron": "every day"}]},
        {"clocks": [{"type": "CronClock", "cron": "0 6 * * *", "start_date": {"dt": "2026-01-01T00:00:00", "tz": "Mars/Olympus"}}]},
        {"clocks": [{"type": "IntervalClock", "interval_seconds": "60"}]},
        {"clocks": [], "filters": [{"filter": "is_full_moon"}]},
        {"clocks": [], "filters": [7]},
    ],
)
def test_data_of_another_version_is_said_to_be_unreadable(data: Any) -> None:
    assert schedule_phrase(data) == UNREADABLE


zones = st.sampled_from([None, UTC, BERLIN, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Etc/GMT+5"), timezone(timedelta(hours=-3, minutes=-30))])
moments = st.builds(
    lambda moment, zone: moment.replace(tzinfo=zone),
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001 - with and without a zone
    zones,
)
starts = st.one_of(st.none(), moments)


def field(low: int, high: int, *words: str) -> st.SearchStrategy[str]:
    number = st.integers(low, high).map(str)
    span = st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda ends: f"{min(ends)}-{max(ends)}")
    step = st.integers(1, high or 1).map(lambda each: f"*/{each}")
    one = st.one_of(st.just("*"), number, span, step, st.tuples(span, st.integers(1, 9)).map(lambda both: f"{both[0]}/{both[1]}"))
    return st.one_of(one, st.lists(st.one_of(number, span), min_size=2, max_size=4).map(",".join), *map(st.just, words))


expressions = st.tuples(
    st.sampled_from(["", "", "0 ", "* ", "*/5 ", "7 "]),
    field(0, 59),
    field(0, 23),
    field(1, 31, "L", "LW"),
    field(1, 12, "JAN", "MAR-MAY"),
    field(0, 7, "MON-FRI", "FRI#2", "5L", "SUN"),
).map(lambda fields: fields[0] + " ".join(fields[1:]))
rules = st.builds(
    rrule,
    st.integers(0, 6),
    dtstart=st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - rules are on clocks of no zone
    interval=st.integers(1, 400),
    count=st.one_of(st.none(), st.integers(1, 9)),
    byweekday=st.one_of(st.none(), st.lists(st.integers(0, 6), min_size=1, max_size=3)),
    bymonthday=st.one_of(st.none(), st.integers(1, 31), st.integers(-31, -1)),
    bymonth=st.one_of(st.none(), st.lists(st.integers(1, 12), min_size=1, max_size=3)),
    byyearday=st.one_of(st.none(), st.integers(1, 366)),
    bysetpos=st.none(),
)
intervals = st.timedeltas(timedelta(microseconds=1), timedelta(days=50_000))


@st.composite
def clocks(draw: st.DrawFn) -> Clock:
    start = draw(starts)
    end = None if start is None else draw(st.one_of(st.none(), st.just(start + 400 * DAY)))
    kind = draw(st.sampled_from([IntervalClock, CronClock, RRuleClock, DatesClock]))
    try:
        if kind is IntervalClock:
            return IntervalClock(draw(intervals), start, end)
        if kind is CronClock:
            return CronClock(draw(expressions), start, end, day_or=draw(st.booleans()))
        if kind is RRuleClock:
            return RRuleClock(draw(rules), start, end)
        return DatesClock(draw(st.lists(moments, min_size=1, max_size=4)))
    except (InvalidArgument, ValueError):
        return CronClock("0 6 * * *", start)


chosen_filters = st.lists(
    st.one_of(
        st.sampled_from([filters.is_weekday, filters.is_weekend, filters.is_month_start, filters.is_month_end]),
        st.builds(filters.on_datetime, moments),
        st.builds(filters.between_datetimes, moments, moments),
        st.builds(filters.on_date, st.integers(1, 12), st.integers(1, 29)),
        st.builds(filters.between_dates, st.integers(1, 12), st.integers(1, 29), st.integers(1, 12), st.integers(1, 29)),
        st.builds(filters.at_time, st.times()),
        st.builds(filters.between_times, st.times(), st.times()),
        st.builds(filters.is_day_of_week, st.integers(0, 6)),
    ),
    max_size=3,
)
chosen_adjustments = st.lists(st.one_of(st.just(adjustments.next_weekday), st.builds(adjustments.add, st.timedeltas())), max_size=3)
schedules = st.builds(Schedule, st.lists(clocks(), max_size=3), chosen_filters, chosen_filters, chosen_filters, chosen_adjustments)


@given(schedule=schedules)
def test_every_schedule_that_can_be_written_is_said_with_the_zone_where_it_has_times_of_day(schedule: Schedule) -> None:
    data = json.loads(json.dumps(schedule.serialize()))

    told = schedule_phrase(data, NOW)

    assert told != UNREADABLE
    for clock in schedule.clocks:
        if has_times_of_day(clock):
            assert zone_of(clock) in told


def has_times_of_day(clock: Clock) -> bool:
    if isinstance(clock, IntervalClock):
        return clock.interval >= DAY
    if isinstance(clock, CronClock):
        return not follows_elapsed_time(clock.cron)
    return not (isinstance(clock, RRuleClock) and has_steps_within_a_day(clock.rrule_obj))


def zone_of(clock: Clock) -> str:
    if isinstance(clock, DatesClock) and clock.dates[0].tzinfo != clock.dates[-1].tzinfo:
        return ", UTC"
    return f", {getattr(clock.zone, 'key', 'UTC')}"
