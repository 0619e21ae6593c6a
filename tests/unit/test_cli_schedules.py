"""What people say of schedules on the command line, and how schedules are said there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from headwater.cli.schedule_lookup import split_names
from headwater.cli.schedule_options import PoliciesWanted, TimesWanted
from headwater.cli.schedule_words import next_times, state_of, state_sentence, times_of_row, times_words
from headwater.cli.values import parsed_span
from headwater.core.calendar import schedule_from
from headwater.core.calendar.phrases import schedule_phrase
from headwater.core.errors import InvalidArgument
from headwater.core.events import Missed, Overlap, SchedulePolicies, ScheduleSpec
from headwater.core.operations.schedules import spec_of
from headwater.core.queries.rows import ScheduleRow
from headwater.core.schedules.policy_phrases import policy_phrases

NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)


def row(spec: ScheduleSpec | None, **more: Any) -> ScheduleRow:
    facts: dict[str, Any] = {
        "id": "s", "flow_group_id": "g", "flow_name": "etl", "project_id": "p", "project_name": "tutorial", "slug": "", "registered": spec,
        "set_by_user": None, "active": True, "decided": NOW, "pause_cause": None, "pause_note": "", "paused_since": None,
        "paused_until": None, "failures": 0, "runs_made": 0, "last_nominal": None, "last_run_id": None, "created": NOW, "updated": NOW,
        "updated_by": "cli:ana@host", "position": 1,
    }  # fmt: skip
    return ScheduleRow(**{**facts, **more})


def spec(**options: Any) -> ScheduleSpec:
    return spec_of(TimesWanted(**options).timetable())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cron": "0 6 * * MON-FRI", "timezone": "Europe/Berlin"}, "at 06:00 Mon\N{EN DASH}Fri, Europe/Berlin"),
        ({"cron": "0 6 * * *"}, "every day at 06:00, UTC"),
        ({"interval": "10m"}, "every 10 minutes"),
        ({"interval": "1w", "timezone": "Europe/Berlin"}, "every week on Tue at 00:00, Europe/Berlin"),
        ({"rrule": "RRULE:FREQ=MONTHLY;BYDAY=2TU"}, "on the second Tue of each month at 00:00, UTC"),
        (
            {"cron": "@daily", "start": "2090-01-01", "end": "2091-01-01"},
            "every day at 00:00, UTC, from 2090-01-01 00:00, until 2091-01-01 00:00",
        ),
    ],
)
def test_times_are_read_as_they_are_said(options: dict[str, Any], words: str) -> None:
    assert schedule_phrase(TimesWanted(**options).timetable()) == words


def test_the_same_words_are_the_same_schedule_whenever_they_are_said() -> None:
    each: list[dict[str, Any]] = [
        {"cron": "0 6 * * *", "timezone": "Europe/Berlin"},
        {"interval": "1h"},
        {"rrule": "FREQ=DAILY", "timezone": "UTC"},
    ]
    for options in each:
        assert TimesWanted(**options).timetable() == TimesWanted(**options).timetable()


def test_starts_and_ends_are_on_the_clock_of_the_schedule() -> None:
    made = schedule_from(
        TimesWanted(cron="0 6 * * *", timezone="Europe/Berlin", start="2026-12-01", end="2026-12-31T12:00+00:00").timetable()
    )

    assert made.start_date == datetime(2026, 12, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    assert made.end_date == datetime(2026, 12, 31, 13, tzinfo=ZoneInfo("Europe/Berlin"))


def test_parameters_and_labels_are_those_of_its_runs() -> None:
    (each,) = next_times(spec(cron="@daily", param=("region=north", "limit=3"), label=("gpu",)), NOW, 1)

    assert (each.parameters, each.labels) == ({"region": "north", "limit": 3}, ("gpu",))


@pytest.mark.parametrize(
    ("options", "words", "hint"),
    [
        ({"cron": "0 6 * *"}, "not a cron expression", "Five fields"),
        ({"cron": "0 6 * * *", "timezone": "Europe/Berln"}, "no time zone is called 'Europe/Berln'", "Did you mean Europe/Berlin"),
        ({"cron": "0 6 * * *", "timezone": "berlin"}, "no time zone is called 'berlin'", "Did you mean Europe/Berlin?"),
        ({"cron": "0 6 * * *", "timezone": "../etc"}, "no time zone is called", "Such as Europe/Berlin"),
        ({"interval": "10"}, "'10' is not a length of time", "10m"),
        ({"interval": "0m"}, "must be greater than 0", ""),
        ({"interval": "9999999999999w"}, "longer than any time", ""),
        ({"rrule": "FREQ=NEVER"}, "is not a recurrence rule", "RRULE"),
        ({"cron": "@daily", "start": "soon"}, "--start 'soon' is not a time", "2026-11-22"),
        ({"cron": "@daily", "end": "9999-12-31"}, "--end '9999-12-31' is out of range", ""),
        ({"cron": "@daily", "param": ("region",)}, "--param takes NAME=VALUE", ""),
    ],
)
def test_what_cannot_be_read_is_said_with_what_to_write(options: dict[str, Any], words: str, hint: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        TimesWanted(**options).timetable()

    assert words in str(caught.value)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5_400), ("2d", 172_800), ("1w", 604_800), ("0.5h", 1_800), (".5m", 30)]
)
def test_lengths_of_time_are_sums_of_numbers_with_units(text: str, seconds: float) -> None:
    assert parsed_span(text, option="--interval") == timedelta(seconds=seconds)


def test_policies_change_what_is_named_and_nothing_else() -> None:
    assert PoliciesWanted().changes() == {}
    given = PoliciesWanted(missed=Missed.ALL, window="2d", overlap=Overlap.ALLOW, jitter="5m", pause_on_failure="3", max_runs="none")
    assert given.changes() == {
        "missed": Missed.ALL,
        "window_seconds": 172_800.0,
        "overlap": Overlap.ALLOW,
        "jitter_seconds": 300.0,
        "pause_on_failure": 3,
        "max_runs": None,
    }


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "99999999999", "²"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="takes a number from 1, or `none`"):
        PoliciesWanted(max_runs=text).changes()


def test_the_whole_name_is_that_of_a_flow_before_a_part_of_it_is() -> None:
    assert list(split_names("etl")) == [("etl", "")]
    assert list(split_names("a/b/c")) == [("a/b/c", ""), ("a/b", "c"), ("a", "b/c")]
    assert list(split_names("/a/")) == [("/a/", "")]


def test_policies_are_said_where_they_are_not_the_default() -> None:
    assert list(policy_phrases(SchedulePolicies())) == []
    assert len(list(policy_phrases(SchedulePolicies(), defaults=True))) == 3
    said = list(policy_phrases(SchedulePolicies(jitter_seconds=600, pause_on_failure=1, max_runs=1_000, end=NOW, missed=Missed.MERGE)))
    assert said == [
        "one run stands for all times that were missed",
        "runs are due up to 10 minutes later than their times",
        "it is paused when a run fails",
        "it is paused when it has made 1,000 runs",
        "no time after 2026-11-28 06:00:00 UTC has a run",
    ]


def test_the_state_says_who_paused_it_or_what_did_until_when_and_why() -> None:
    daily = spec(cron="@daily")
    assert (state_of(row(daily)), state_sentence(row(daily))) == ("active", "active")
    by_user = row(daily, active=False, pause_cause="user", paused_since=NOW, pause_note="Moving.")
    assert state_of(by_user) == "paused"
    assert state_sentence(by_user).startswith("paused by cli:ana@host for times after ")
    assert state_sentence(by_user).endswith("until it is resumed: Moving")
    failed = row(daily, active=False, pause_cause="failures", paused_since=NOW)
    assert state_of(failed) == "paused (too many failures)"
    assert "since too many of its runs in a row failed" in state_sentence(failed)


def test_one_that_is_paused_for_good_has_no_next_time_and_one_that_goes_on_has_those_after_the_pause() -> None:
    daily = spec(cron="@daily")
    later = datetime(2090, 6, 1, 12, tzinfo=UTC)

    assert times_of_row(row(daily, active=False, paused_since=NOW)) == []
    assert times_of_row(row(daily, active=False, paused_since=NOW, paused_until=later), 1)[0].nominal == datetime(2090, 6, 2, tzinfo=UTC)
    assert len(times_of_row(row(daily))) == 5


def test_times_that_cannot_be_read_are_said_and_have_no_next_one() -> None:
    strange = ScheduleSpec({"clocks": [{"type": "MoonClock"}]})

    assert times_words(strange) == "a schedule that this version cannot read"
    assert next_times(strange, NOW) == []
    assert times_words(None) == "never"
