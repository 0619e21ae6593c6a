"""A month of a schedule: which day a moment belongs to, what became of its times, and how many are to come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from headwater.core.calendar.clocks import IntervalClock
from headwater.core.calendar.schedules import Schedule
from headwater.core.calendar.wall_clock import zone_named
from headwater.core.events import ScheduleSpec
from headwater.core.queries import ScheduleDayRow, ScheduleRow
from headwater.core.values.identifiers import new_id
from headwater.web.schedules.month import fill, month_of
from headwater.web.schedules.next_times import changes_at, late, next_times

BERLIN = zone_named("Europe/Berlin")
NOW = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)


def row(every: timedelta, *, decided: datetime = NOW, **more: Any) -> ScheduleRow:
    spec = ScheduleSpec(Schedule([IntervalClock(every)]).serialize())
    known = {"id": new_id(), "flow_group_id": new_id(), "flow_name": "etl", "project_id": new_id(), "project_name": "warehouse", "slug": ""}
    pause = {"pause_cause": None, "pause_note": "", "paused_since": None, "paused_until": None}
    told = {"failures": 0, "runs_made": 0, "last_nominal": None, "last_run_id": None, "created": NOW, "updated": NOW, "updated_by": "ana"}
    row = {"registered": spec, "set_by_user": None, "active": True, "decided": decided, "position": 1, **known, **pause, **told, **more}
    return ScheduleRow(**row)


def test_days_begin_by_the_clocks_of_the_time_zone_also_where_these_change() -> None:
    month = month_of("", NOW, BERLIN)

    assert (month.title, month.before, month.after, month.zone_name) == ("October 2026", "2026-09", "2026-11", "Europe/Berlin")
    assert [day.date for day in month.days if day.is_today] == [date(2026, 10, 25)]
    lengths = {end - start for start, end in zip(month.starts, month.starts[1:], strict=False)}
    assert lengths == {timedelta(hours=24), timedelta(hours=25)}
    assert all(len(week) == 7 for week in month.weeks)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "soon", "99999-01", "-", "1-1", "\uff12\uff10\uff12\uff16-\uff11\uff11"])
def test_a_month_that_is_none_is_the_one_that_is_now(text: str) -> None:
    assert month_of(text, NOW, UTC).title == "October 2026"


def test_what_became_of_times_is_counted_by_day() -> None:
    counts = [
        ScheduleDayRow(schedule_id="s", day=0, outcome="fired", because=None, state=state, count=count)
        for state, count in (("Success", 4), ("Failed", 2), ("TimedOut", 1), ("Cancelled", 1), ("Running", 1), (None, 1))
    ]
    counts.append(ScheduleDayRow(schedule_id="s", day=1, outcome="skipped", because="overlap", state=None, count=2))
    counts.append(ScheduleDayRow(schedule_id="s", day=1, outcome="paused", because="failures", state=None, count=1))

    first, second, third, *_ = fill(month_of("2026-09", NOW, UTC), counts, [], NOW).days

    assert (first.fired, first.succeeded, first.failed, first.cancelled, first.open) == (10, 4, 3, 1, 2)
    assert second.skipped == [(2, "an earlier run had not ended")]
    assert second.notes == ["paused, since too many runs in a row failed"]
    assert third.is_empty


def test_times_to_come_are_counted_from_now_to_the_end_of_the_month() -> None:
    daily = row(timedelta(hours=6))

    days = {day.date.day: day.coming for day in fill(month_of("2026-10", NOW, UTC), [], [daily], NOW).days}

    assert (days[23], days[24], days[25], days[31]) == (0, 0, 4, 4)
    paused = row(timedelta(hours=6), active=False, paused_until=datetime(2026, 10, 30, tzinfo=UTC))
    days = {day.date.day: day.coming for day in fill(month_of("2026-10", NOW, UTC), [], [paused], NOW).days}
    assert (days[29], days[30]) == (0, 3), "a pause ends after the time at which it does"


def test_times_that_are_too_many_are_not_all_counted() -> None:
    days = fill(month_of("2026-11", NOW, UTC), [], [row(timedelta(seconds=1))], NOW).days

    assert not days[0].counted
    assert not days[-1].counted
    assert not days[-1].is_empty


def test_a_schedule_is_late_five_seconds_after_its_time_and_the_page_changes_then() -> None:
    hourly = row(timedelta(hours=1), decided=NOW - timedelta(hours=1))
    due = datetime(2026, 10, 24, 23, tzinfo=UTC)

    assert late(hourly, due + timedelta(seconds=5)) is None
    found = late(hourly, due + timedelta(seconds=6))
    assert found is not None
    assert (found.nominal, found.due) == (due, due)
    assert changes_at([hourly], due) == due + timedelta(seconds=5)
    assert late(row(timedelta(hours=1), decided=due - timedelta(hours=3), active=False), NOW) is None


def test_next_times_are_those_after_now_also_where_earlier_ones_are_late() -> None:
    minutely = row(timedelta(minutes=1), decided=NOW - timedelta(hours=5))

    assert [each.nominal for each in next_times(minutely, NOW, 2)] == [NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)]
    assert next_times(row(timedelta(minutes=1), active=False), NOW, 2) == []
    unreadable = ScheduleSpec({"clocks": [{"type": "of a newer version"}]})
    assert next_times(row(timedelta(minutes=1), registered=unreadable), NOW, 2) == []
