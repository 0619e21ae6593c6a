"""Schedules in words, as pages and the command line show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from headwater.core.calendar.adjustments import add, next_weekday
from headwater.core.calendar.clock import Clock
from headwater.core.calendar.clocks import EPOCH, INTERVALS_FROM, CronClock, DatesClock, IntervalClock, RRuleClock
from headwater.core.calendar.cron_phrases import cron_phrase
from headwater.core.calendar.filters import (
    Filter,
    at_time,
    between_dates,
    between_datetimes,
    between_times,
    is_day_of_week,
    is_month_end,
    is_month_start,
    is_weekday,
    is_weekend,
    on_date,
    on_datetime,
)
from headwater.core.calendar.rule_phrases import rule_phrase
from headwater.core.calendar.schedules import schedule_from
from headwater.core.calendar.wall_clock import DAY
from headwater.core.calendar.wording import MONTHS, WEEKDAYS, every, listed, moment_text, span, time_of_day, weekdays, zone_name
from headwater.core.errors import InvalidArgument
from headwater.core.values.moments import assume_utc, instant

UNREADABLE = "a schedule that this version cannot read"
_PLAIN: dict[Filter, str] = {
    is_weekday: "on weekdays",
    is_weekend: "on weekends",
    is_month_start: "on the first day of a month",
    is_month_end: "on the last day of a month",
}


def schedule_phrase(data: Mapping[str, Any], now: datetime | None = None) -> str:
    """Return in words what `Schedule.serialize` wrote, such as "at 06:00 on Mon, Europe/Berlin".

    A start is named where it is later than `now`, which is this moment by default.
    """
    try:
        schedule = schedule_from(data)
    except (InvalidArgument, LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return UNREADABLE
    at = instant(now) if now is not None else datetime.now(UTC)
    clocks = [_clock(clock, at) for clock in schedule.clocks]
    if not clocks:
        return "never"
    conditions = [f"only {_condition(each)}" for each in schedule.filters]
    if schedule.or_filters:
        conditions.append(f"only {listed([_condition(each) for each in schedule.or_filters], 'or')}")
    conditions += [f"not {_condition(each)}" for each in schedule.not_filters]
    conditions += [moved for each in schedule.adjustments if (moved := _moved(each))]
    return (", " if len(clocks) == 1 else "; ").join(["; ".join(clocks), *conditions])


def _clock(clock: Clock, now: datetime) -> str:
    if isinstance(clock, DatesClock):
        return _dates(clock.dates)
    zone = zone_name(clock.zone, clock.start_date)
    told = _kind(clock, zone)
    start, end = clock.start_date, clock.end_date
    if start is not None and start not in {EPOCH, INTERVALS_FROM} and instant(start) > now:
        told += f", from {_moment(start, zone)}"
    return told + (f", until {_moment(end, zone)}" if end is not None else "")


def _kind(clock: Clock, zone: str) -> str:
    if isinstance(clock, CronClock):
        return cron_phrase(str(clock.cron), day_or=clock.day_or, zone=zone)
    if isinstance(clock, RRuleClock):
        return rule_phrase(clock.rrule_obj, zone)
    return _interval(clock, zone) if isinstance(clock, IntervalClock) else repr(clock)


def _interval(clock: IntervalClock, zone: str) -> str:
    start = clock.start_date or INTERVALS_FROM
    if clock.interval < DAY:
        return every(clock.interval.total_seconds())
    if clock.interval % DAY:
        return f"{every(clock.interval.total_seconds())}, {zone}"
    at = f"at {time_of_day(start.hour, start.minute, start.second)}, {zone}"
    if clock.interval == 7 * DAY:
        return f"every week {weekdays([start.weekday()])} {at}"
    return f"{every(clock.interval.total_seconds())} {at}"


def _dates(dates: list[datetime]) -> str:
    first, last = dates[0], dates[-1]
    if first.tzinfo != last.tzinfo:
        first, last = first.astimezone(UTC), last.astimezone(UTC)
    zone = zone_name(first.tzinfo, first)
    if len(dates) == 1:
        return f"on {first.date()} at {time_of_day(first.hour, first.minute, first.second)}, {zone}"
    return f"at {len(dates)} dates from {first.date()} to {last.date()}, {zone}"


def _moment(moment: datetime, zone: str) -> str:
    own = zone_name(moment.tzinfo, moment)
    return moment_text(moment) if own == zone else f"{moment_text(moment)} {own}"


def _condition(chosen: Filter) -> str:
    match chosen:
        case on_datetime(dt=moment):
            return f"at {_in_words(moment)}"
        case between_datetimes(start=start, end=end):
            return f"from {_in_words(start)} to {_in_words(end)}"
        case on_date(month=month, day=day):
            return f"on {day} {MONTHS[month - 1]}"
        case between_dates(start_month, start_day, end_month, end_day):
            return f"from {start_day} {MONTHS[start_month - 1]} to {end_day} {MONTHS[end_month - 1]}"
        case at_time(time=at):
            return f"at {time_of_day(at.hour, at.minute, at.second)}"
        case between_times(start=earliest, end=latest):
            times = (time_of_day(each.hour, each.minute, each.second) for each in (earliest, latest))
            return "from {} to {}".format(*times)
        case is_day_of_week(day_of_week=number):
            return f"on {WEEKDAYS[number]}"
        case _:
            return _PLAIN[chosen]


def _in_words(moment: datetime) -> str:
    aware = assume_utc(moment)
    return f"{moment_text(aware)} {zone_name(aware.tzinfo, aware)}"


def _moved(adjustment: Callable[[datetime], datetime]) -> str:
    if adjustment is next_weekday:
        return "moved to the next weekday"
    seconds = adjustment.interval.total_seconds() if isinstance(adjustment, add) else 0
    return f"{span(abs(seconds))} {'later' if seconds > 0 else 'earlier'}" if seconds else ""
