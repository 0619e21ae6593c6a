"""Filters: functions of a moment that tell whether a run may start then. Their times are those of the moment's time zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.core.values.moments import instant, standard_moment

Filter = Callable[[datetime], bool]


def expect(what: str, value: object, kind: type, example: str) -> None:
    """Refuse a setting of another kind.

    Raises:
        InvalidArgument: it is.

    """
    if not isinstance(value, kind):
        raise InvalidArgument(f"{what}) must be a {kind.__name__}, not {value!r}.", hint=f"Write {example}, for example.")


def _expect_day(month: int, day: int, what: str) -> None:
    try:
        date(2000, month, day)  # a leap year: 29 February is a day
    except (TypeError, ValueError):
        raise InvalidArgument(
            f"{what}: there is no day {day!r} of month {month!r}.", hint="First the month, 1 to 12, then the day."
        ) from None


def is_weekday(dt: datetime) -> bool:
    """Return whether the moment `dt` is on a Monday to Friday."""
    return dt.weekday() < 5  # noqa: PLR2004 - Saturday


def is_weekend(dt: datetime) -> bool:
    """Return whether the moment `dt` is on a Saturday or Sunday."""
    return not is_weekday(dt)


def is_month_start(dt: datetime) -> bool:
    """Return whether the moment `dt` is on the first day of a month."""
    return dt.day == 1


def is_month_end(dt: datetime) -> bool:
    """Return whether the moment `dt` is on the last day of a month."""
    return (dt + timedelta(days=1)).day == 1


@dataclass(frozen=True)
class on_datetime:  # noqa: N801 - read as a word, as in filters=[at_time(time(9))]
    """Passes exactly the moment `dt`. Raises InvalidArgument where that is not a datetime."""

    dt: datetime

    def __post_init__(self) -> None:
        expect("on_datetime(dt", self.dt, datetime, "datetime(2027, 1, 1, 6)")
        object.__setattr__(self, "dt", standard_moment(self.dt))

    def __call__(self, dt: datetime) -> bool:
        return instant(dt) == instant(self.dt)


@dataclass(frozen=True)
class between_datetimes:  # noqa: N801 - see on_datetime
    """Passes the moments from `start` to `end`, both included. Raises InvalidArgument where one is not a datetime."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name, moment in (("start", self.start), ("end", self.end)):
            expect(f"between_datetimes({name}", moment, datetime, "datetime(2027, 1, 1, 6)")
            object.__setattr__(self, name, standard_moment(moment))

    def __call__(self, dt: datetime) -> bool:
        return instant(self.start) <= instant(dt) <= instant(self.end)


@dataclass(frozen=True)
class on_date:  # noqa: N801 - see on_datetime
    """Passes one day of each year: `month` 1 to 12, `day` 1 to 31. Raises InvalidArgument where there is no such day."""

    month: int
    day: int

    def __post_init__(self) -> None:
        _expect_day(self.month, self.day, "on_date")

    def __call__(self, dt: datetime) -> bool:
        return (dt.month, dt.day) == (self.month, self.day)


@dataclass(frozen=True)
class between_dates:  # noqa: N801 - see on_datetime
    """Passes the days of each year from one to another, both included; over the new year where the second is the earlier.

    Args:
        start_month, end_month: 1 to 12.
        start_day, end_day: 1 to 31.

    Raises:
        InvalidArgument: there is no such day.

    """

    start_month: int
    start_day: int
    end_month: int
    end_day: int

    def __post_init__(self) -> None:
        _expect_day(self.start_month, self.start_day, "between_dates")
        _expect_day(self.end_month, self.end_day, "between_dates")

    def __call__(self, dt: datetime) -> bool:
        start, end, day = (self.start_month, self.start_day), (self.end_month, self.end_day), (dt.month, dt.day)
        return start <= day <= end if start <= end else day >= start or day <= end


@dataclass(frozen=True)
class at_time:  # noqa: N801 - see on_datetime
    """Passes the `time` of each day, in the time zone of the moment. Raises InvalidArgument where that is not a time."""

    time: time

    def __post_init__(self) -> None:
        expect("at_time(time", self.time, time, "time(6, 30)")

    def __call__(self, dt: datetime) -> bool:
        return dt.time() == self.time


@dataclass(frozen=True)
class between_times:  # noqa: N801 - see on_datetime
    """Passes the times of each day from `start` to `end`, both included; over midnight where the second is the earlier.

    Raises:
        InvalidArgument: one of them is not a time.

    """

    start: time
    end: time

    def __post_init__(self) -> None:
        for name, moment in (("start", self.start), ("end", self.end)):
            expect(f"between_times({name}", moment, time, "time(6, 30)")

    def __call__(self, dt: datetime) -> bool:
        now = dt.time()
        return self.start <= now <= self.end if self.start <= self.end else now >= self.start or now <= self.end


@dataclass(frozen=True)
class is_day_of_week:  # noqa: N801 - see on_datetime
    """Passes one day of each week: `day_of_week` 0 is Monday, 6 Sunday. Raises InvalidArgument for other numbers."""

    day_of_week: int

    def __post_init__(self) -> None:
        if self.day_of_week not in range(7):
            raise InvalidArgument(f"is_day_of_week: there is no day {self.day_of_week!r} of a week.", hint="0 is Monday, 6 is Sunday.")

    def __call__(self, dt: datetime) -> bool:
        return dt.weekday() == self.day_of_week


_PLAIN = {each.__name__: each for each in (is_weekday, is_weekend, is_month_start, is_month_end)}
_MADE = {each.__name__: each for each in (on_datetime, between_datetimes, on_date, between_dates, at_time, between_times, is_day_of_week)}


def filter_as_json(chosen: Filter) -> dict[str, Any] | None:
    """Return a filter of this module as JSON values; None for others."""
    name = getattr(chosen, "__name__", type(chosen).__name__)
    if _PLAIN.get(name) is chosen:
        return {"filter": name}
    if type(chosen) is not _MADE.get(name):
        return None
    values = {each.name: getattr(chosen, each.name) for each in fields(chosen)}
    return {
        "filter": name,
        **{key: value.isoformat() if isinstance(value, date | datetime | time) else value for key, value in values.items()},
    }


def filter_from(data: dict[str, Any]) -> Filter:
    """Return the filter that `filter_as_json` wrote."""
    values = {key: value for key, value in data.items() if key != "filter"}
    plain = _PLAIN.get(data["filter"])
    if plain is not None:
        return plain
    kind: Any = _MADE[data["filter"]]
    parse = datetime.fromisoformat if "datetime" in data["filter"] else time.fromisoformat
    made: Filter = kind(**{key: parse(value) if isinstance(value, str) else value for key, value in values.items()})
    return made
