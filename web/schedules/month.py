"""A month of schedules: what became of the times of each day, and how many are to come."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from headwater.core.queries import ScheduleDayRow, ScheduleRow
from headwater.core.schedules.describe import SKIP_PHRASES
from headwater.core.schedules.due import upcoming
from headwater.web.schedules.next_times import calendar_of
from headwater.web.schedules.words import MISSED_WORDS, PAUSE_WORDS
from headwater.web.state_styles import Group, group_of

COMING_COUNTED_MAX = 1_500
"""Times to come are counted up to so many; schedules that have one each second have millions in a month."""
YEARS = range(1971, 2200)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = calendar.month_name


@dataclass
class Day:
    """A day, from `starts` to the last second before the next one, `ends`.

    `skipped` and `notes` are in words; `counted` is false where times to come are too many to count.
    """

    date: date
    starts: datetime
    ends: datetime
    is_today: bool = False
    fired: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    skipped: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    coming: int = 0
    counted: bool = True

    @property
    def open(self) -> int:
        """How many of its runs have not ended, or were deleted."""
        return self.fired - self.succeeded - self.failed - self.cancelled

    @property
    def is_empty(self) -> bool:
        return not (self.fired or self.skipped or self.notes or self.coming) and self.counted


@dataclass(frozen=True)
class Month:
    """A month on the clocks of a time zone, week by week; days of other months are None."""

    first: date
    zone: tzinfo
    days: tuple[Day, ...]

    @property
    def title(self) -> str:
        return f"{MONTHS[self.first.month]} {self.first.year}"

    @property
    def zone_name(self) -> str:
        return str(getattr(self.zone, "key", "") or "UTC")

    @property
    def weeks(self) -> list[list[Day | None]]:
        cells: list[Day | None] = [*[None] * self.first.weekday(), *self.days]
        cells += [None] * (-len(cells) % 7)
        return [cells[start : start + 7] for start in range(0, len(cells), 7)]

    @property
    def before(self) -> str:
        """The month before, as addresses name it."""
        return month_name(self.first - timedelta(days=1))

    @property
    def after(self) -> str:
        return month_name(self.first + timedelta(days=31))

    @property
    def starts(self) -> tuple[datetime, ...]:
        """The beginning of each day, and the end of the last."""
        dates = [*(day.date for day in self.days), self.days[-1].date + timedelta(days=1)]
        return tuple(_midnight(each, self.zone) for each in dates)


def month_name(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def month_of(text: str, now: datetime, zone: tzinfo) -> Month:
    """Return the month that the text names, such as 2026-11; the one that is now where it names none. Its days are empty."""
    today = now.astimezone(zone).date()
    first = today.replace(day=1)
    year, _, number = text.partition("-")
    if all(part.isascii() and part.isdigit() and len(part) < 5 for part in (year, number)):  # noqa: PLR2004 - the digits of a year
        asked = (int(year), int(number))
        if asked[0] in YEARS and 1 <= asked[1] <= 12:  # noqa: PLR2004
            first = date(*asked, 1)
    length = calendar.monthrange(first.year, first.month)[1]
    dates = [first + timedelta(days=number) for number in range(length + 1)]
    starts = [_midnight(each, zone) for each in dates]
    days = (Day(day, starts[at], starts[at + 1] - timedelta(seconds=1), day == today) for at, day in enumerate(dates[:-1]))
    return Month(first, zone, tuple(days))


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def fill(month: Month, counts: Iterable[ScheduleDayRow], rows: Sequence[ScheduleRow], now: datetime) -> Month:
    """Fill in what became of times, and count those to come."""
    for count in counts:
        if 0 <= count.day < len(month.days):
            _note(month.days[count.day], count)
    starts = month.starts
    for row in rows:
        _count_coming(month, starts, row, now)
    return month


def _note(day: Day, row: ScheduleDayRow) -> None:
    because = row.because or ""
    match row.outcome:
        case "fired":
            day.fired += row.count
            group = None if row.state is None else group_of(row.state)
            day.succeeded += row.count if group is Group.SUCCESSFUL else 0
            day.failed += row.count if group is Group.FAILED else 0
            day.cancelled += row.count if row.state == "Cancelled" else 0
        case "skipped":
            day.skipped.append((row.count, str(SKIP_PHRASES.get(because, because))))  # type: ignore[call-overload]
        case "caught_up":
            day.notes.append(f"caught up: {MISSED_WORDS.get(because, because)}")  # type: ignore[call-overload]
        case "paused":
            day.notes.append(PAUSE_WORDS.get(because, "paused"))
        case _:
            day.notes.append(row.outcome)


def _count_coming(month: Month, starts: tuple[datetime, ...], row: ScheduleRow, now: datetime) -> None:
    since = row.decided if row.active else row.paused_until
    if since is None or row.spec is None or (found := calendar_of(row.spec)) is None:
        return
    begin = max(since, now, starts[0] - timedelta(microseconds=1))
    if begin >= starts[-1]:
        return
    days = {day.date: day for day in month.days}
    number = 0
    for each in upcoming(found, row.spec.policies, decided=begin, number=COMING_COUNTED_MAX):
        if each.nominal >= starts[-1]:
            return
        number += 1
        last = days[each.nominal.astimezone(month.zone).date()]
        last.coming += 1
    if number == COMING_COUNTED_MAX:
        for day in month.days:
            day.counted = day.counted and day.date < last.date
