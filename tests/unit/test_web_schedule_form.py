"""The form of a schedule: it says what holds, and tells beside each field what cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater.core.calendar import filters
from headwater.core.calendar.clocks import CronClock, DatesClock, IntervalClock
from headwater.core.calendar.schedules import Schedule, schedule_from
from headwater.core.calendar.wall_clock import zone_named
from headwater.core.events import Missed, Overlap, SchedulePolicies, ScheduleSpec
from headwater.core.operations.schedules import spec_of
from headwater.web.schedules.form import form_of, read_form

BERLIN = zone_named("Europe/Berlin")
USUAL = SchedulePolicies()
START = datetime(2026, 1, 5, 6, tzinfo=BERLIN)


def spec(*clocks: Any, policies: SchedulePolicies = USUAL, **more: Any) -> ScheduleSpec:
    return ScheduleSpec(Schedule(clocks, **more).serialize(), policies)


@pytest.mark.parametrize(
    "held",
    [
        spec(CronClock("0 6 * * MON-FRI")),
        spec(CronClock("0 6 * * MON-FRI", START)),
        spec(CronClock("*/5 * * * *", datetime(2019, 1, 1, tzinfo=BERLIN), parameter_defaults={"table": "ö"}, labels=["a", "b"])),
        spec(IntervalClock(timedelta(minutes=90), START)),
        spec(IntervalClock(timedelta(weeks=2))),
        spec(
            CronClock("0 6 * * *", START),
            policies=SchedulePolicies(
                missed=Missed.ALL,
                overlap=Overlap.QUEUE_ALL,
                window_seconds=7_200,
                jitter_seconds=2.5,
                pause_on_failure=3,
                max_runs=10,
                end=datetime(2027, 3, 1, 5, tzinfo=UTC),
            ),
        ),
    ],
)
def test_what_the_form_shows_it_sets_again(held: ScheduleSpec) -> None:
    shown = form_of(held)

    read = read_form(shown.fields)

    assert (shown.cannot_show, read.errors) == (False, {})
    assert read.data is not None
    again = spec_of(read.data)
    assert again.policies == held.policies
    since = datetime(2026, 2, 1, tzinfo=UTC)
    ours, theirs = schedule_from(again.timetable), schedule_from(held.timetable)
    assert ours.next(20, since, return_events=True) == theirs.next(20, since, return_events=True)


@pytest.mark.parametrize(
    "held",
    [
        spec(CronClock("0 6 * * *"), CronClock("0 7 * * *")),
        spec(CronClock("0 6 1 * MON", day_or=False)),
        spec(CronClock("0 6 * * *", end_date=datetime(2030, 1, 1, tzinfo=UTC))),
        spec(CronClock("0 6 * * *"), filters=[filters.is_weekday]),
        spec(DatesClock([START])),
        ScheduleSpec({"clocks": [{"type": "of a newer version"}]}),
    ],
)
def test_times_that_the_fields_cannot_say_are_not_taken_for_what_they_show(held: ScheduleSpec) -> None:
    assert form_of(held).cannot_show


@pytest.mark.parametrize(
    ("filled", "field", "words"),
    [
        ({"cron": "every day"}, "cron", "is not a cron expression"),
        ({"cron": ""}, "cron", "is not a cron expression"),
        ({"kind": "interval", "every": "soon"}, "every", "is not a number"),
        ({"kind": "interval", "every": "0"}, "every", "from 1 seconds"),
        ({"kind": "interval", "every": "nan"}, "every", "from 1 seconds"),
        ({"kind": "interval", "every": "1e300"}, "every", "from 1 seconds"),
        ({"zone": "Mars/Olympus"}, "zone", "No time zone is called"),
        ({"zone": "Europe"}, "zone", "No time zone is called"),
        ({"start": "soon"}, "start", "is not a time"),
        ({"parameters": "{"}, "parameters", "not JSON"),
        ({"parameters": "[1]"}, "parameters", "not a JSON object"),
        ({"labels": "\x07"}, "labels", "control character"),
        ({"missed": "some"}, "missed", "not one of the choices"),
        ({"overlap": "some"}, "overlap", "not one of the choices"),
        ({"window_hours": "-1"}, "window_hours", "between 0 seconds and ten years"),
        ({"jitter": "inf"}, "jitter", "between 0 seconds and ten years"),
        ({"pause_on_failure": "0"}, "pause_on_failure", "at least 1"),
        ({"max_runs": "many"}, "max_runs", "is not a whole number"),
        ({"end": "0001-01-01T00:00", "zone": "Asia/Tokyo"}, "end", "out of range"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_what_was_typed_is_kept(filled: dict[str, str], field: str, words: str) -> None:
    given = {"kind": "cron", "cron": "0 6 * * *", **filled}

    read = read_form(given)

    assert list(read.errors) == [field]
    assert words in read.errors[field]
    assert read.data is None
    assert {name: read.fields[name] for name in given} == given


def test_an_unknown_unit_is_read_as_minutes() -> None:
    assert read_form({"kind": "interval", "every": "5", "unit": "moons"}).fields["unit"] == "minutes"
