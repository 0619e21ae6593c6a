"""Moments on the wall clock of a time zone, where hours are skipped and repeated twice a year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headwater.core.errors import InvalidArgument
from headwater.core.values.moments import assume_utc


def localize(moment: datetime, zone: tzinfo) -> datetime:
    """Return when the clocks of the zone show this (a moment without zone): the first time of two, the hour after where never."""
    local = moment.replace(tzinfo=zone, fold=0)
    # A time that is skipped does not survive the way to UTC and back; it comes out as many hours later as were skipped.
    return local.astimezone(UTC).astimezone(zone)


def written(moment: datetime | None) -> dict[str, Any] | None:
    """Return the moment as JSON values, with the name of its zone, which an offset alone would not tell."""
    if moment is None:
        return None
    zone = moment.tzinfo
    name = zone.key if isinstance(zone, ZoneInfo) else None
    if name is None and zone is not None and zone != UTC and not isinstance(zone, type(UTC)):
        name = getattr(zone, "name", None) or getattr(zone, "zone", None)
    return {"dt": moment.replace(tzinfo=None).isoformat() if name else assume_utc(moment).isoformat(), "tz": name}


def read(data: dict[str, Any] | None) -> datetime | None:
    """Return the moment that `written` wrote.

    Raises:
        InvalidArgument: this machine knows no such time zone.

    """
    if data is None:
        return None
    moment = datetime.fromisoformat(data["dt"])
    return moment.replace(tzinfo=zone_named(data["tz"])) if data.get("tz") else moment


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of this name.

    Raises:
        InvalidArgument: this machine knows none of this name.

    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidArgument(
            f"No time zone is called {name!r} on this machine.", hint="Correct the name, or install the package tzdata."
        ) from error


DAY = timedelta(days=1)
