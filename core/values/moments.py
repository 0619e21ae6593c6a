"""Moments and durations of the user's as those of the standard library.

Pendulum, pandas and freezegun derive classes of their own from `datetime` and `timedelta`. These pass every `isinstance`, and then count,
divide, print and encode otherwise. So what a user gives is converted where it comes in, and nothing behind that meets another kind.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headwater.core.errors import InvalidArgument

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSET = re.compile(r"[+-]\d\d:\d\d(:\d\d)?")
"""What pendulum 2 calls a fixed offset."""
_SECOND = timedelta(seconds=1)


def standard_moment(moment: datetime) -> datetime:
    """Return the moment as a `datetime` of the standard library, on the same clock; what is below a microsecond is dropped.

    Raises:
        InvalidArgument: it is pandas' `NaT`, which is not a moment.

    """
    kind = standard_class(type(moment))
    zone = standard_zone(moment.tzinfo)
    if kind is type(moment) and zone is moment.tzinfo:
        return moment
    if moment != moment:  # noqa: PLR0124 - so only NaT is
        raise InvalidArgument("NaT is not a moment.", hint="Give a datetime.")
    parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond)
    first: datetime = kind(*parts, tzinfo=zone)
    second: datetime = first.replace(fold=1)
    # Pendulum marks each moment as the second of two, also where there is one.
    return second if moment.fold and first.utcoffset() != second.utcoffset() else first


def assume_utc(moment: datetime) -> datetime:
    """Return the moment as `standard_moment` does, and with a time zone: one without is in UTC.

    The rule for programs: for what Python code gives, for GraphQL, and for what is stored. It means the same on every machine.
    """
    plain = standard_moment(moment)
    return plain if plain.tzinfo is not None else plain.replace(tzinfo=UTC)


def as_local(moment: datetime) -> datetime:
    """Return the moment in this machine's time zone; one without a zone is there already.

    The rule for what a person types into a terminal, who reads the time off a clock nearby.

    Raises:
        InvalidArgument: the zone's offset leads out of the years that there are.

    """
    try:
        return standard_moment(moment).astimezone()
    except (OverflowError, ValueError, OSError):
        raise InvalidArgument(
            f"The time {moment.isoformat()} is out of range.", hint="Give a time between the years 1678 and 2262."
        ) from None


def instant(moment: datetime) -> datetime:
    """Return the moment in UTC; one without a zone is there already.

    Python compares two moments of one zone by what clocks show, which in the hour that these show twice is the same for two instants.
    """
    return assume_utc(moment).astimezone(UTC)


def of_class(moment: datetime, kind: type[datetime]) -> datetime:
    """Return the moment, which has a time zone, as one of this class: who gives pendulum's gets such ones back, with their methods."""
    if kind is standard_class(kind):
        return moment
    seconds = (moment - _EPOCH) // _SECOND  # as a float, far years would lose microseconds
    same = kind.fromtimestamp(seconds, UTC).replace(microsecond=moment.microsecond)
    name = getattr(moment.tzinfo, "key", None)
    # In the hour that clocks show twice, pendulum 2 loses which of the two is meant where the zone is one of the standard library,
    # and freezegun in any zone.
    by_name = getattr(same, "in_timezone", None)
    there = same.astimezone(moment.tzinfo) if name is None or by_name is None else by_name(name)
    return there if there.utcoffset() == moment.utcoffset() else there.replace(fold=moment.fold)


def standard_span(span: timedelta) -> timedelta:
    """Return the duration as a `timedelta` of the standard library; a month of pendulum's counts 30 days, as it does there."""
    return timedelta.__add__(span, timedelta(0))


def standard_zone(zone: tzinfo | None) -> tzinfo | None:
    """Return the time zone as one of the standard library, by its name or its offset; a kind that has neither stays as it is."""
    if zone is None or type(zone) is timezone:
        return zone
    # zoneinfo and pendulum 3 call it `key`, pytz `zone`, pendulum 2 `name`.
    name = getattr(zone, "key", None) or getattr(zone, "zone", None) or getattr(zone, "name", None)
    if name == "UTC":
        return UTC
    if type(zone) is ZoneInfo:
        return zone
    if isinstance(name, str) and not _OFFSET.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return zone
    offset = zone.utcoffset(None)
    return zone if offset is None else timezone(offset)


def parsed_moment(text: str) -> datetime:
    """Return the moment that the text names in one of the forms of ISO 8601; one without a time zone is in UTC.

    Raises:
        ValueError: it names none.

    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        from dateutil.parser import isoparse

        moment = isoparse(text)
    return assume_utc(moment)


def standard_value(value: Any) -> Any:
    """Return a moment or duration of another kind as one of the standard library: for encoders, which know only these.

    Raises:
        TypeError: it is neither.

    """
    if isinstance(value, datetime):
        return standard_moment(value)
    if isinstance(value, timedelta):
        return standard_span(value)
    raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")


def standard_class(kind: type) -> Any:
    """Return the class of the standard library's `datetime` that this one is, or is derived from.

    Looked up among the bases, since freezegun puts its own class in the place of every global that names the standard one.
    """
    return next(each for each in kind.__mro__ if each.__module__ == "datetime")
