"""Datetimes and durations of pendulum, pandas and freezegun, at each place that takes a moment or a duration."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import freezegun
import pandas as pd
import pendulum
import pytest
from dateutil.rrule import DAILY, rrule
from hypothesis import example, given
from hypothesis import strategies as st

from headwater import DateTimeParameter, Flow, Parameter, task
from headwater.core.calendar import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule, adjustments, clocks, filters, schedule_from
from headwater.core.errors import InvalidArgument
from headwater.core.values.json_bytes import json_bytes
from headwater.core.values.moments import assume_utc, of_class, parsed_moment, standard_moment, standard_span
from headwater.sdk.language.decorators import pause_task
from headwater.sdk.results.serializers import DateTimeSerializer
from headwater.sdk.states import signals
from headwater.sdk.states.state import Cached, Paused, Queued, Retrying, Scheduled, State

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [UTC, NEW_YORK, timezone(timedelta(hours=-3, minutes=-30))]
STANDARD = datetime(2027, 3, 10, 9, 30, tzinfo=NEW_YORK)
AFTER = datetime(2027, 3, 9, tzinfo=UTC)
MOMENTS: dict[str, datetime] = {
    "pendulum": pendulum.datetime(2027, 3, 10, 9, 30, tz="America/New_York"),
    "pandas": pd.Timestamp("2027-03-10 09:30", tz="America/New_York"),
    "freezegun": freezegun.api.FakeDatetime(2027, 3, 10, 9, 30, tzinfo=NEW_YORK),
}
SPANS: dict[str, timedelta] = {
    "duration": pendulum.duration(days=1),
    "interval": pendulum.datetime(2027, 1, 2) - pendulum.datetime(2027, 1, 1),
    "pandas": pd.Timedelta(days=1),
}


def _signal(moment: datetime) -> Any:
    return signals.RETRY("again", start_time=moment).state.start_time  # type: ignore[attr-defined]


def _parameter_of(moment: datetime) -> Any:
    with Flow("f") as flow:
        parameter = DateTimeParameter("when")()
    return flow.run(when=moment).result[parameter].result


def _scheduled(schedule: Schedule) -> Any:
    again = schedule_from(json.loads(json_bytes(schedule.serialize())))
    assert again.next(3, after=AFTER) == schedule.next(3, after=AFTER)
    return schedule.next(3, after=AFTER)


PLACES: dict[str, Callable[[datetime], Any]] = {
    "the start of an interval of hours": lambda moment: _scheduled(IntervalSchedule(moment, timedelta(hours=5))),
    "the start of an interval of days": lambda moment: _scheduled(IntervalSchedule(moment, timedelta(days=2))),
    "the end of an interval": lambda moment: _scheduled(IntervalSchedule(interval=timedelta(hours=1), end_date=moment + timedelta(days=2))),
    "the start of a cron": lambda moment: _scheduled(CronSchedule("15 4 * * *", start_date=moment)),
    "the start of a rule": lambda moment: _scheduled(RRuleSchedule(rrule(DAILY), start_date=moment)),
    "the rule's own start": lambda moment: _scheduled(RRuleSchedule(rrule(DAILY, dtstart=moment, until=moment + timedelta(days=9)))),
    "listed dates": lambda moment: _scheduled(Schedule([clocks.DatesClock([moment + timedelta(hours=1), moment])])),
    "a filter by a moment": lambda moment: _scheduled(
        Schedule([clocks.IntervalClock(timedelta(hours=1), STANDARD, end_date=moment)], filters=[filters.on_datetime(moment)])
    ),
    "a filter between moments": lambda moment: _scheduled(
        Schedule([clocks.IntervalClock(timedelta(hours=1))], filters=[filters.between_datetimes(moment, moment + timedelta(days=9))])
    ),
    "what a filter is asked": lambda moment: filters.between_times(time(9), time(10))(moment) and filters.on_datetime(STANDARD)(moment),
    "a scheduled state": lambda moment: Scheduled(start_time=moment).start_time,
    "a paused state": lambda moment: Paused(start_time=moment).start_time,
    "a retrying state": lambda moment: Retrying(start_time=moment).start_time,
    "a queued state": lambda moment: Queued(start_time=moment).start_time,
    "the end of a cached result": lambda moment: Cached(cached_result_expiration=moment).cached_result_expiration,
    "a state as JSON": lambda moment: State.deserialize(json.loads(json.dumps(Scheduled(start_time=moment).serialize()))),
    "a signal": _signal,
    "a serializer": lambda moment: DateTimeSerializer().deserialize(DateTimeSerializer().serialize(moment)),
    "JSON on the log": json_bytes,
    "a parameter for a moment": _parameter_of,
}


@pytest.mark.parametrize("kind", MOMENTS)
@pytest.mark.parametrize("place", PLACES)
def test_a_moment_of_another_library_counts_as_the_standard_one(place: str, kind: str) -> None:
    found, expected = PLACES[place](MOMENTS[kind]), PLACES[place](STANDARD)

    assert found == expected
    for moment in found if isinstance(found, list) else [found]:
        assert type(moment) is type(expected[0] if isinstance(expected, list) else expected)


@pytest.mark.parametrize("kind", MOMENTS)
@pytest.mark.parametrize(
    "following",
    [
        lambda moment: IntervalSchedule(timedelta(hours=1)).next(3, after=moment),
        lambda moment: IntervalSchedule(timedelta(days=1), STANDARD).next(3, after=moment),
        lambda moment: [next(iter(clocks.CronClock("0 * * * *", STANDARD).events(after=moment))).start_time],
    ],
)
def test_what_follows_a_moment_of_another_library_is_of_that_library(following: Callable[[datetime], list[datetime]], kind: str) -> None:
    found = following(MOMENTS[kind])

    assert found == following(STANDARD)
    assert {type(moment) for moment in found} == {type(MOMENTS[kind])}


@pytest.mark.parametrize("kind", MOMENTS)
@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2262, 1, 1), timezones=st.sampled_from(ZONES)),  # noqa: DTZ001 - hypothesis adds them
    st.booleans(),
)
@example(datetime(2038, 11, 7, 1, tzinfo=NEW_YORK), True)
@example(datetime(2018, 11, 4, 1, 30, tzinfo=NEW_YORK), False)
def test_a_moment_of_another_class_is_the_same_on_the_same_clock(kind: str, moment: datetime, is_second: bool) -> None:
    moment = moment.replace(fold=is_second).astimezone(UTC).astimezone(moment.tzinfo)  # none of those that clocks skip

    other = of_class(moment, type(MOMENTS[kind]))

    assert type(other) is type(MOMENTS[kind])
    assert standard_moment(other) == moment
    assert other.astimezone(UTC) == moment.astimezone(UTC)
    assert other.isoformat() == moment.isoformat()


def test_a_pendulum_moment_is_followed_by_ones_with_pendulums_methods() -> None:
    following = CronSchedule("0 8 * * *", start_date=MOMENTS["pendulum"]).next(2, after=MOMENTS["pendulum"])

    assert [moment.in_tz("UTC").hour for moment in following] == [13, 13]  # type: ignore[attr-defined]


def _of_task(**settings: Any) -> Any:
    made = task(lambda: 1, **{"name": "t", **settings})
    return made.retry_delay, made.cache_for, made.timeout


def _pause(span: timedelta) -> Any:
    with pytest.raises(signals.PAUSE) as raised:
        pause_task(duration=span)
    return type(raised.value.state.start_time)  # type: ignore[attr-defined]


SPAN_PLACES: dict[str, Callable[[timedelta], Any]] = {
    "the interval of a clock": lambda span: _scheduled(Schedule([clocks.IntervalClock(span, STANDARD)])),
    "the interval of a schedule, given first": lambda span: _scheduled(IntervalSchedule(span)),
    "an adjustment": lambda span: _scheduled(Schedule([clocks.CronClock("@daily")], adjustments=[adjustments.add(span)])),
    "retry_delay": lambda span: _of_task(max_retries=1, retry_delay=span),
    "cache_for": lambda span: _of_task(cache_for=span),
    "timeout": lambda span: _of_task(timeout=span),
    "pause_task": _pause,
    "JSON on the log": json_bytes,
}


@pytest.mark.parametrize("kind", SPANS)
@pytest.mark.parametrize("place", SPAN_PLACES)
def test_a_duration_of_another_library_counts_as_the_standard_one(place: str, kind: str) -> None:
    found, expected = SPAN_PLACES[place](SPANS[kind]), SPAN_PLACES[place](timedelta(days=1))

    assert found == expected
    if isinstance(found, tuple):
        assert [type(each) for each in found] == [type(each) for each in expected]


def test_time_that_freezegun_stops_goes_through_a_run_and_onto_the_log() -> None:
    with freezegun.freeze_time("2027-03-10 09:30:00"), Flow("frozen") as flow:
        now = task(lambda: datetime.now(UTC), name="now")()
    with freezegun.freeze_time("2027-03-10 09:30:00"):
        state = flow.run()
        assert json_bytes(state.result[now].result) == b'"2027-03-10T09:30:00Z"'
        assert IntervalSchedule(timedelta(hours=1)).next(1) == [datetime(2027, 3, 10, 10, tzinfo=UTC)]
        assert type(standard_moment(datetime.now(UTC))).__module__ == "datetime"


def test_parameters_at_run_time_are_passed_on_as_they_are_given() -> None:
    with Flow("f") as flow:
        parameter = Parameter("x")()

    given_moment = MOMENTS["pendulum"]

    assert flow.run(x=given_moment).result[parameter].result is given_moment


@given(
    st.datetimes(min_value=datetime.fromisoformat("1900-01-01"), max_value=datetime.fromisoformat("2200-01-01")),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.integers(0, 1),
)
def test_a_moment_of_pendulum_is_the_same_moment_on_the_same_clock(naive: datetime, zone: str, fold: int) -> None:
    there = pendulum.instance(naive.replace(tzinfo=ZoneInfo(zone), fold=fold))

    here = standard_moment(there)

    assert type(here) is datetime
    assert here.astimezone(UTC) == pendulum.instance(there).in_timezone("UTC")
    assert here.replace(tzinfo=None) == there.naive()
    assert str(here.tzinfo) == ("UTC" if zone == "UTC" else zone)


@given(st.timedeltas(min_value=timedelta(days=-30_000), max_value=timedelta(days=30_000)))
def test_a_duration_of_another_library_is_as_long(span: timedelta) -> None:
    durations = [pendulum.duration(days=span.days, seconds=span.seconds, microseconds=span.microseconds), pd.Timedelta(span)]

    for there in durations:
        here = standard_span(there)
        assert type(here) is timedelta
        assert here == span


def test_zones_of_other_libraries_become_those_of_the_standard_library() -> None:
    cases: list[tuple[Any, tzinfo | None]] = [
        (pendulum.datetime(2027, 1, 1), UTC),
        (pendulum.parse("2027-01-01T00:00:00+05:30"), timezone(timedelta(hours=5, minutes=30))),
        (pendulum.datetime(2027, 1, 1, tz="Europe/Berlin"), ZoneInfo("Europe/Berlin")),
        (pendulum.naive(2027, 1, 1), None),
    ]
    for there, zone in cases:
        assert standard_moment(there).tzinfo == zone
        assert assume_utc(there).tzinfo == (zone or UTC)


class NamedAsInPytz(tzinfo):
    """A zone of pytz tells its name as `zone`; put into a datetime as it is, it counts local mean time."""

    zone = "Europe/Berlin"

    def utcoffset(self, _: datetime | None) -> timedelta:
        return timedelta(minutes=53)

    def dst(self, _: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, _: datetime | None) -> str:
        return "LMT"


class OfAnUnknownName(NamedAsInPytz):
    zone = "Nowhere/Land"


class NamedAsInPendulum2(tzinfo):
    """A zone of pendulum 2 tells its name as `name`, and loses which of two hours is meant where the standard library counts with it."""

    def __init__(self, name: str, offset: timedelta | None) -> None:
        self.name, self.offset = name, offset

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return self.offset if moment is None else timedelta(hours=-4)

    def dst(self, _: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, _: datetime | None) -> str:
        return self.name


@pytest.mark.parametrize(
    ("named", "standard"),
    [
        (NamedAsInPendulum2("America/New_York", None), NEW_YORK),
        (NamedAsInPendulum2("UTC", timedelta(0)), UTC),
        (NamedAsInPendulum2("-04:00", timedelta(hours=-4)), timezone(timedelta(hours=-4))),
    ],
)
def test_zones_of_pendulum_2_become_those_of_the_standard_library(named: tzinfo, standard: tzinfo) -> None:
    assert standard_moment(datetime(2018, 11, 4, 1, tzinfo=named)).tzinfo == standard


def test_an_interval_counts_the_hour_that_clocks_show_twice_also_where_its_start_is_of_pendulum_2() -> None:
    start = datetime(2018, 11, 3, 23, tzinfo=NamedAsInPendulum2("America/New_York", None))
    moments = IntervalSchedule(timedelta(hours=1), start).next(4, after=start)

    assert [moment.astimezone(UTC).hour for moment in moments] == [4, 5, 6, 7]


def test_a_zone_that_tells_its_name_is_the_one_of_that_name() -> None:
    there = datetime(2027, 1, 1, tzinfo=NamedAsInPytz())

    assert standard_moment(there) == datetime(2027, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    unknown = datetime(2027, 1, 1, tzinfo=OfAnUnknownName())
    assert standard_moment(unknown) is unknown


def test_a_moment_without_a_zone_is_kept_in_utc() -> None:
    serializer = DateTimeSerializer()

    assert serializer.deserialize(serializer.serialize(STANDARD.replace(tzinfo=None))) == STANDARD.replace(tzinfo=UTC)
    assert serializer.deserialize(b"2027-069") == datetime(2027, 3, 10, tzinfo=UTC)


def test_what_is_not_a_moment_is_refused_where_it_is_given() -> None:
    with pytest.raises(InvalidArgument, match="NaT"):
        IntervalSchedule(interval=timedelta(hours=1), start_date=pd.NaT)


@pytest.mark.parametrize("text", ["2027-03-10", "20270310", "2027-03-10T00:00", "2027-W10-3", "2027-069", "2027-03-10 00:00:00+00:00"])
def test_texts_are_read_as_prefect_reads_them(text: str) -> None:
    assert parsed_moment(text) == pendulum.parse(text) == datetime(2027, 3, 10, tzinfo=UTC)
    assert _parameter_of(text) == datetime(2027, 3, 10, tzinfo=UTC)  # type: ignore[arg-type]
