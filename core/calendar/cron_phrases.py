"""Cron expressions in words."""

from __future__ import annotations

from typing import NoReturn

from headwater.core.calendar.cron import cron_fields
from headwater.core.calendar.wording import TIMES_MAX, days_of_months, every, is_range, listed, months, time_of_day, weekdays

_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_EVERY = "*"


class _TooOdd(Exception):
    """The expression is better shown than told."""


def cron_phrase(expression: str, *, day_or: bool, zone: str) -> str:
    """Return the expression in words, with the zone where that makes a difference; where it is too odd for words, itself."""
    try:
        times, days = _times(expression), _days(expression, day_or=day_or)
    except _TooOdd:
        return f'cron "{expression}", {zone}'
    if times.startswith("at ") and not days:
        return f"every day {times}, {zone}"
    if not days and times in {"every hour", "every minute", "every second"}:
        return times
    in_steps_of_an_hour = times.startswith("every ") and times.endswith(("minutes", "seconds"))
    phrase = f"{times} {days}" if days else times
    return phrase if in_steps_of_an_hour and not days else f"{phrase}, {zone}"


def _times(expression: str) -> str:
    second, minute, hour = ["0", *cron_fields(expression)][-6:-3]
    if second != "0":
        if (minute, hour) != (_EVERY, _EVERY):
            raise _TooOdd
        return every(_step(second, 60) or _too_odd())
    minutes = _step(minute, 60)
    if hour == _EVERY and minutes:
        return every(60 * minutes)
    if hour.startswith(_EVERY):
        hours, at = _step(hour, 24), _numbers(minute, 0, 59)
        if not hours or len(at) > 1:
            raise _TooOdd
        return every(3600 * hours) + (f" at minute {at[0]}" if at != [0] else "")
    chosen = _numbers(hour, 0, 23)
    if minutes:
        if len(chosen) > 1 and not is_range(chosen):
            raise _TooOdd
        return f"{every(60 * minutes)} from {time_of_day(chosen[0], 0)} to {time_of_day(chosen[-1], 60 - minutes)}"
    at = _numbers(minute, 0, 59)
    if len(chosen) * len(at) <= TIMES_MAX:
        return f"at {listed([time_of_day(each, minute) for each in chosen for minute in at])}"
    if len(at) > 1 or not is_range(chosen):
        raise _TooOdd
    return f"every hour from {time_of_day(chosen[0], at[0])} to {time_of_day(chosen[-1], at[0])}"


def _days(expression: str, *, day_or: bool) -> str:
    day, month, weekday = cron_fields(expression)[-3:]
    in_months = [] if month == _EVERY else _numbers(month, 1, 12, _MONTHS, first=1)
    on_weekdays = "" if weekday == _EVERY else weekdays((number - 1) % 7 for number in _numbers(weekday, 0, 7, _DAYS))
    if day == _EVERY:
        return " ".join(part for part in (on_weekdays, f"in {months(in_months)}" if in_months else "") if part)
    on_days = days_of_months(_numbers(day, 1, 31), in_months)
    if not on_weekdays:
        return on_days
    on_weekdays = on_weekdays if on_weekdays.startswith("on ") else f"on {on_weekdays}"
    if not day_or:
        return f"{on_weekdays} that is {on_days.removeprefix('on ')}" if "days" not in on_days else _too_odd()
    return f"{on_days} or {on_weekdays}" if not in_months else _too_odd()


def _too_odd() -> NoReturn:
    raise _TooOdd


def _step(field: str, whole: int) -> int:
    """Return n of a field `*/n` that is the same in each hour or day; 0 of another field."""
    if field == _EVERY:
        return 1
    star, slash, step = field.partition("/")
    if star != _EVERY or not slash:
        return 0
    if not step.isdecimal() or not int(step) or whole % int(step):
        raise _TooOdd
    return int(step)


def _numbers(field: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0) -> list[int]:
    """Return the numbers of a field of numbers, names, lists and ranges, in order."""

    def number(text: str) -> int:
        found = names.index(text) + first if text in names else int(text) if text.isdecimal() else -1
        return found if low <= found <= high else _too_odd()

    found: set[int] = set()
    for part in field.split(","):
        start, _, end = part.partition("-")
        found.update(range(number(start), number(end or start) + 1))
    return sorted(found)
