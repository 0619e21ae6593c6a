"""The words of which phrases about schedules are made: days, months, times, spans and zones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

_TO = "\N{EN DASH}"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
TIMES_MAX = 6
"""More times of day than these are not listed."""
_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_IN_A_RANGE = 3


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return the words as "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def is_range(numbers: Sequence[int]) -> bool:
    """Return whether they are at least three and follow each other without a gap."""
    return len(numbers) >= _IN_A_RANGE and all(after == before + 1 for before, after in pairwise(numbers))


def weekdays(numbers: Iterable[int]) -> str:
    """Return the days of the week of these numbers, of which 0 is Monday: those from one to another, or "on Mon and Thu"."""
    days = sorted(set(numbers))
    return f"{WEEKDAYS[days[0]]}{_TO}{WEEKDAYS[days[-1]]}" if is_range(days) else f"on {listed([WEEKDAYS[day] for day in days])}"


def months(numbers: Iterable[int]) -> str:
    """Return the months of these numbers, of which 1 is January."""
    chosen = sorted(set(numbers))
    names = [MONTHS[month - 1] for month in chosen]
    return f"{names[0]}{_TO}{names[-1]}" if is_range(chosen) else listed(names)


def days_of_months(days: Iterable[int], in_months: Iterable[int]) -> str:
    """Return the days of months, of all where none are named: "on day 1 of each month", "on 24 December"."""
    numbers, chosen = sorted(set(days)), sorted(set(in_months))
    if len(numbers) == 1 and len(chosen) == 1:
        return f"on {numbers[0]} {MONTHS[chosen[0] - 1]}"
    if is_range(numbers):
        word = f"days {numbers[0]}{_TO}{numbers[-1]}"
    else:
        word = f"day{'s' if numbers[1:] else ''} {listed([str(number) for number in numbers])}"
    return f"on {word} of {months(chosen) if chosen else 'each month'}"


def time_of_day(hour: int, minute: int, second: int = 0) -> str:
    """Return "06:00", with the seconds where there are some."""
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")


def span(seconds: float) -> str:
    """Return the time in the largest unit of which it is a whole number: "90 seconds"."""
    name, size = next((unit for unit in _UNITS if seconds % unit[1] == 0), _UNITS[-1])
    number = seconds / size
    text = f"{number:.0f}" if number % 1 == 0 else f"{number:.6f}".rstrip("0")
    return f"{text} {name}{'' if number == 1 else 's'}"


def every(seconds: float) -> str:
    """Return "every hour", "every 90 seconds"."""
    return f"every {span(seconds).removeprefix('1 ')}"


def zone_name(zone: tzinfo | None, moment: datetime | None = None) -> str:
    """Return the name of the time zone, or of its offset at the moment where it has no name of a place."""
    name = getattr(zone, "key", None)
    if zone is None or zone is UTC or name is not None:
        return str(name or "UTC")
    offset = zone.utcoffset(moment) or timedelta(0)
    sign, minutes = "-" if offset < timedelta(0) else "+", int(abs(offset).total_seconds()) // 60
    return f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}" if minutes else "UTC"


def moment_text(moment: datetime) -> str:
    """Return the date and the time on the moment's own clock, without the zone."""
    return f"{moment.date().isoformat()} {time_of_day(moment.hour, moment.minute, moment.second)}"
