"""The moments of clocks where those on the wall are changed, against what the rule says, walked minute by minute in every time zone.

A time that is skipped comes at the end of the gap, one that is repeated comes the first time; what goes in steps within a day
comes whenever clocks show a time that fits.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from harness.time_zones import DAY, Transition, names_by_history, transitions_of

from headwater.core.calendar import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule, schedule_from
from headwater.core.calendar.clocks import Clock, CronClock, DatesClock, IntervalClock, RRuleClock
from headwater.core.calendar.wall_clock import localize

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
ODD = {  # what no zone does in the five years that the test of all of them walks through
    "Pacific/Apia": 2011,  # a day was skipped
    "Pacific/Kwajalein": 1993,  # the same
    "America/Sao_Paulo": 2018,  # midnight
    "Africa/Casablanca": 2018,  # the last winter, after which the zone's summer time is negative
    "Asia/Gaza": 2011,  # twice in a year, at odd times
    "Asia/Pyongyang": 2018,  # half an hour, for good
    "America/Caracas": 2007,  # half an hour back, for good
}
Fits = Callable[[datetime], bool]


def transitions() -> Iterator[tuple[str, Transition]]:
    for (_, changes), names in names_by_history().items():
        # One of each kind and weekday; where other years differ in nothing, the rule says nothing else of them.
        seen = {(each.before, each.after, each.at.time(), each.at.weekday()): each for each in changes}
        yield from ((names[0], each) for each in seen.values())
    for name, year in ODD.items():
        start = datetime(year, 1, 1, tzinfo=UTC)
        yield from ((name, each) for each in transitions_of(name, start, start + 365 * DAY))


def around(change: Transition, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Return each minute of the days around the change, with what clocks show then."""
    first = (change.at - DAY).replace(second=0) - MINUTE
    number = int((2 * DAY + change.length) / MINUTE) + 2
    instants = sorted({*(first + minute * MINUTE for minute in range(number)), change.at})
    return [(instant, instant.astimezone(zone).replace(tzinfo=None)) for instant in instants]


def once(fits: Fits, change: Transition, zone: ZoneInfo) -> list[datetime]:
    minutes = around(change, zone)
    walls = (minutes[0][1] + number * MINUTE for number in range(1, int((2 * DAY + 2 * change.length) / MINUTE) + 3))
    wanted = deque(wall.replace(second=0) for wall in walls if fits(wall))
    found = []
    for instant, shown in minutes[1:]:
        # What clocks jump over comes where they arrive, and what they show again has come already.
        if wanted and wanted[0] <= shown:
            found.append(instant)
        while wanted and wanted[0] <= shown:
            wanted.popleft()
    return found


def shown(fits: Fits, change: Transition, zone: ZoneInfo) -> list[datetime]:
    return [instant for instant, wall in around(change, zone)[1:] if fits(wall) and wall.second == 0]


def given(clock: Clock, change: Transition, zone: ZoneInfo, number: int | None = None) -> list[datetime]:
    minutes = around(change, zone)
    events = (event.start_time.astimezone(UTC) for event in Schedule([clock]).events(minutes[0][0]))
    until = itertools.takewhile(lambda moment: moment <= minutes[-1][0], events)
    return list(itertools.islice(until, number))


def clocks_with_rule(change: Transition, zone: ZoneInfo) -> Iterator[tuple[str, Clock, list[datetime]]]:
    """Yield clocks whose moments the change concerns, with those that the rule gives them."""
    start, middle = (change.at - 60 * DAY).astimezone(zone).replace(hour=0, minute=0, second=0, fold=0), change.middle
    hours = sorted({(middle.hour + number) % 24 for number in range(-1, 3)})

    def daily(wall: datetime) -> bool:
        return (wall.hour, wall.minute) == (middle.hour, middle.minute)

    def listed(wall: datetime) -> bool:
        return wall.hour in hours and wall.minute in {0, 30}

    def in_steps(wall: datetime) -> bool:
        return wall.minute % 15 == 0

    def in_one_hour(wall: datetime) -> bool:
        return wall.hour == middle.hour and in_steps(wall)

    in_list = ",".join(map(str, hours))
    at_middle = datetime.combine(start.date(), middle.time(), zone)
    yield "daily", CronClock(f"{middle.minute} {middle.hour} * * *", start), once(daily, change, zone)
    yield "in six fields", CronClock(f"0 {middle.minute} {middle.hour} * * *", start), once(daily, change, zone)
    yield "interval", IntervalClock(DAY, localize(at_middle.replace(tzinfo=None), zone)), once(daily, change, zone)
    yield "rule", RRuleClock("RRULE:FREQ=DAILY", at_middle), once(daily, change, zone)
    yield "listed", CronClock(f"0,30 {in_list} * * *", start), once(listed, change, zone)
    yield "listed rule", RRuleClock(f"RRULE:FREQ=HOURLY;BYHOUR={in_list};BYMINUTE=0,30", start), once(listed, change, zone)
    yield (
        "weekdays",
        CronClock(f"{middle.minute} {middle.hour} * * MON-FRI", start),
        once(lambda wall: daily(wall) and wall.weekday() < 5, change, zone),
    )
    yield "hourly", CronClock("0 * * * *", start), shown(lambda wall: wall.minute == 0, change, zone)
    yield "in steps", CronClock("*/15 * * * *", start), shown(in_steps, change, zone)
    yield "in one hour", CronClock(f"*/15 {middle.hour} * * *", start), shown(in_one_hour, change, zone)
    yield "rule in steps", RRuleClock("RRULE:FREQ=MINUTELY;INTERVAL=15", start), shown(in_steps, change, zone)


@pytest.fixture(scope="module")
def cases() -> list[tuple[str, str, Clock, Transition, list[datetime]]]:
    return [
        (name, kind, clock, change, expected)
        for name, change in transitions()
        for kind, clock, expected in clocks_with_rule(change, ZoneInfo(name))
    ]


def test_every_name_of_a_time_zone_is_in_one_of_the_histories() -> None:
    assert {name for names in names_by_history().values() for name in names} == available_timezones()


def test_the_moments_are_those_that_the_rule_gives(cases: list[tuple[str, str, Clock, Transition, list[datetime]]]) -> None:
    wrong = [
        (name, kind, clock, change.at) for name, kind, clock, change, expected in cases if given(clock, change, ZoneInfo(name)) != expected
    ]

    assert wrong == []
    assert len(cases) > 800


def test_one_moment_after_the_other_gives_the_same_as_all_at_once(
    cases: list[tuple[str, str, Clock, Transition, list[datetime]]],
) -> None:
    """As the server goes on: from the moment it stored last, which it knows in UTC."""
    wrong = []
    for name, kind, clock, change, expected in cases:
        schedule, chained = Schedule([clock]), []
        near = [moment for moment in expected if abs(moment - change.at) <= change.length + timedelta(minutes=90)]
        after = near[0] - MINUTE if near else change.at
        for _ in near:
            (after,) = (moment.astimezone(UTC) for moment in schedule.next(1, after=after))
            chained.append(after)
        if chained != near:
            wrong.append((name, kind, clock, change.at))

    assert wrong == []


def test_whatever_moment_is_asked_after_the_rest_is_the_same(cases: list[tuple[str, str, Clock, Transition, list[datetime]]]) -> None:
    wrong = []
    for number, (name, kind, clock, change, expected) in enumerate(cases):
        for minutes in (-61, -30, -1, 0, 1, 29, 60)[number % 3 :: 3]:
            after = change.at + minutes * MINUTE
            rest = [moment for moment in expected if moment > after][:3]
            if [moment.astimezone(UTC) for moment in Schedule([clock]).next(len(rest), after=after)] != rest:
                wrong.append((name, kind, clock, change.at, minutes))

    assert wrong == []


def texts(moments: list[datetime]) -> list[str]:
    return [moment.isoformat(timespec="minutes") for moment in moments]


def test_in_berlin_a_skipped_time_comes_at_three_and_a_repeated_one_the_first_time() -> None:
    start = datetime(2026, 1, 1, 2, 30, tzinfo=BERLIN)
    for schedule in (CronSchedule("30 2 * * *", start), IntervalSchedule(start, DAY), RRuleSchedule("RRULE:FREQ=DAILY", start)):
        assert texts(schedule.next(2, after=datetime(2026, 3, 28, 12, tzinfo=UTC))) == ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]
        assert texts(schedule.next(2, after=datetime(2026, 10, 24, 12, tzinfo=UTC))) == ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]


def test_times_that_fall_on_one_instant_give_one_moment() -> None:
    schedule = CronSchedule("0,30 2,3 * * *", datetime(2026, 1, 1, tzinfo=BERLIN))

    assert texts(schedule.next(3, after=datetime(2026, 3, 28, 12, tzinfo=UTC))) == [
        "2026-03-29T03:00+02:00",
        "2026-03-29T03:30+02:00",
        "2026-03-30T02:00+02:00",
    ]


def test_a_gap_that_ends_between_two_minutes_is_found_to_the_second() -> None:
    schedule = CronSchedule("30 0 * * *", datetime(1972, 1, 1, tzinfo=ZoneInfo("Africa/Monrovia")))

    (moment,) = schedule.next(1, after=datetime(1972, 1, 6, 12, tzinfo=UTC))

    assert moment.isoformat() == "1972-01-07T00:44:30+00:00"


def test_a_day_that_was_skipped_comes_at_its_end() -> None:
    schedule = CronSchedule("30 2 * * *", datetime(2011, 1, 1, tzinfo=ZoneInfo("Pacific/Apia")))

    assert texts(schedule.next(3, after=datetime(2011, 12, 29, 0, tzinfo=UTC))) == [
        "2011-12-29T02:30-10:00",
        "2011-12-31T00:00+14:00",
        "2011-12-31T02:30+14:00",
    ]


def test_an_hour_on_lord_howe_comes_whenever_clocks_show_it() -> None:
    schedule = CronSchedule("*/10 3 * * *", datetime(2026, 1, 1, tzinfo=ZoneInfo("Australia/Lord_Howe")))

    assert texts(schedule.next(2, after=datetime(2026, 10, 3, 15, 40, tzinfo=UTC))) == ["2026-10-04T03:00+11:00", "2026-10-04T03:10+11:00"]


def test_listed_dates_starts_and_ends_that_do_not_exist_are_the_end_of_the_gap() -> None:
    skipped = datetime.combine(datetime(2026, 3, 29, tzinfo=BERLIN), time(2, 30), BERLIN)
    before = datetime(2026, 3, 1, tzinfo=UTC)

    assert texts(Schedule([DatesClock([skipped])]).next(2, after=before)) == ["2026-03-29T03:00+02:00"]
    assert texts(IntervalSchedule(skipped, DAY).next(1, after=before)) == ["2026-03-29T03:00+02:00"]
    assert texts(CronSchedule("*/30 * * * *", before, end_date=skipped).next(99, after=skipped - 2 * timedelta(hours=1)))[-1:] == [
        "2026-03-29T01:00+00:00"
    ]


def test_which_of_two_times_that_look_the_same_is_meant_survives_serialisation() -> None:
    second = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    schedule = Schedule([DatesClock([second])])

    again = schedule_from(schedule.serialize())

    assert again.next(1, after=datetime(2026, 1, 1, tzinfo=UTC)) == [second]
    assert texts(again.next(1, after=datetime(2026, 1, 1, tzinfo=UTC))) == ["2026-10-25T02:30+01:00"]
