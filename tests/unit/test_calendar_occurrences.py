"""What a schedule gives the server: nominal moments, when runs are due, and what tells apart clocks of one moment."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.core.calendar import CronSchedule, Occurrence, Schedule, adjustments, filters, schedule_from
from headwater.core.calendar.clocks import Clock, ClockEvent, CronClock, DatesClock, IntervalClock
from headwater.core.calendar.occurrence import clock_digest
from headwater.core.calendar.schedules import NothingPasses

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def first(schedule: Schedule, number: int, after: datetime = START) -> list[Occurrence]:
    return list(itertools.islice(schedule.occurrences(after), number))


def test_the_nominal_moment_is_the_clocks_and_the_run_is_due_after_the_adjustments() -> None:
    clock = CronClock("0 9 3 1 *", START.astimezone(BERLIN))
    schedule = Schedule([clock], adjustments=[adjustments.next_weekday, adjustments.add(HOUR)])

    (found,) = first(schedule, 1)

    assert found == Occurrence(datetime(2026, 1, 3, 8, tzinfo=UTC), datetime(2026, 1, 5, 9, tzinfo=UTC), {}, None, "")
    assert found.nominal.tzinfo is found.due.tzinfo is UTC
    with pytest.raises(FrozenInstanceError):
        found.due = START  # type: ignore[misc]


def test_adjustments_that_bring_moments_out_of_order_leave_the_nominal_ones_in_order() -> None:
    schedule = Schedule([IntervalClock(24 * HOUR)], adjustments=[lambda moment: moment + (10 - moment.day) * 72 * HOUR])

    found = first(schedule, 5)

    assert [each.nominal for each in found] == sorted(each.nominal for each in found)
    assert [each.due for each in found] == [event.start_time for event in schedule.next(5, START, return_events=True)]


def test_clocks_of_one_moment_differ_by_their_parameters_and_labels() -> None:
    north, south, labelled, plain = (
        DatesClock([START + HOUR], **given)
        for given in ({"parameter_defaults": {"region": "north"}}, {"parameter_defaults": {"region": "south"}}, {"labels": ["b", "a"]}, {})
    )

    found = first(Schedule([north, south, labelled, plain, north, DatesClock([START + HOUR], labels=["a", "b"])]), 9)

    assert [(each.parameters, each.labels) for each in found] == [
        ({"region": "north"}, None),
        ({"region": "south"}, None),
        ({}, ("b", "a")),
        ({}, None),
    ]
    assert len({each.clock for each in found}) == 4
    assert [len(each.clock) for each in found] == [12, 12, 12, 0]


def test_the_digest_is_the_same_in_all_versions_and_after_serialisation() -> None:
    clock = DatesClock([START + HOUR], parameter_defaults={"b": [1, None], "a": "ü"}, labels=["x"])
    stored = json.loads(json.dumps(Schedule([clock]).serialize()))

    assert clock_digest({"a": "ü", "b": [1, None]}, ["x", "x"]) == "2d45b8ea433f"
    assert first(schedule_from(stored), 1)[0].clock == first(Schedule([clock]), 1)[0].clock == "2d45b8ea433f"
    assert clock_digest({}, []) != clock_digest({}, None) == ""
    assert len(clock_digest({"x": {1: 2, "y": START, None: object}}, None)) == 12


class Own(Clock):
    """A clock of a user's own, whose moments have no time zone and come with other parameters each time."""

    def events(self, after: datetime | None = None) -> Iterator[ClockEvent]:
        bound = (after or START).replace(tzinfo=None)
        for number in itertools.count(1):
            yield ClockEvent(bound + number * HOUR, {"number": number})


def test_own_clocks_that_only_have_events_give_occurrences() -> None:
    found = first(Schedule([Own()], filters=[lambda moment: moment.hour != 1]), 2)

    assert [(each.nominal, each.parameters) for each in found] == [(START + 2 * HOUR, {"number": 2}), (START + 3 * HOUR, {"number": 3})]


def test_filters_that_refuse_everything_raise_the_same_as_in_events() -> None:
    with pytest.raises(NothingPasses):
        next(Schedule([CronClock("@daily")], filters=[lambda _: False]).occurrences(START))


def test_events_that_are_equal_come_once_though_another_is_between_them() -> None:
    one, other = DatesClock([START + HOUR]), DatesClock([START + HOUR], labels=["a"])

    assert len(Schedule([one, other, one, other]).next(9, START)) == 2


@given(
    minutes=st.lists(st.integers(1, 3000), min_size=1, max_size=3),
    asked=st.integers(0, 3000),
    labels=st.lists(st.sampled_from([None, ["a"], ["b"]]), min_size=3, max_size=3),
)
def test_going_on_after_the_nominal_moment_gives_the_rest(minutes: list[int], asked: int, labels: list[list[str] | None]) -> None:
    clocks = [IntervalClock(timedelta(minutes=each), START, labels=label) for each, label in zip(minutes, labels, strict=False)]
    schedule = Schedule(clocks, filters=[filters.is_weekday], adjustments=[adjustments.add(HOUR)])

    found = first(schedule, 12)
    after = START + timedelta(minutes=asked)

    assert len({(each.nominal, each.clock) for each in found}) == 12
    rest = [each for each in found if each.nominal > after]
    assert first(schedule, len(rest), after) == rest


def test_the_default_is_what_comes_from_now_on() -> None:
    now = datetime.now(UTC)

    assert next(CronSchedule("* * * * *").occurrences()).nominal > now
