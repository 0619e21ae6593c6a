"""Moments on the wall clock of a time zone, where times of day are skipped and repeated, in most zones twice a year.

A wall time that does not exist is taken for the end of the gap; one that is shown twice, for the first time of the two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headwater.core.errors import InvalidArgument
from headwater.core.values.moments import assume_utc, instant

DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def localize(moment: datetime, zone: tzinfo) -> datetime:
    """Return the first instant at which the clocks of the zone show this (a moment without zone), or a later time if they never do."""
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if _offset(first) < _offset(second):
        return _end_of_gap(moment, second.astimezone(UTC), first.astimezone(UTC), zone)
    return first.astimezone(UTC).astimezone(zone)


def existing(moment: datetime) -> datetime:
    """Return the moment, which has a time zone; where the zone's clocks never show it, the end of the gap."""
    zone, wall = moment.tzinfo or UTC, moment.replace(tzinfo=None)
    return localize(wall, zone) if _offset(moment.replace(fold=0)) < _offset(moment.replace(fold=1)) else moment


def is_repeated(moment: datetime) -> bool:
    """Return whether the clocks of the moment's zone show its time twice."""
    return _offset(moment.replace(fold=0)) > _offset(moment.replace(fold=1))


def each_once(walls: Iterable[datetime], zone: tzinfo) -> Iterator[datetime]:
    """Yield when the clocks of the zone show these times, which have no zone and are in order: each once, as `localize` says.

    Several that fall on one instant, in or next to a gap, give one moment.
    """
    last: datetime | None = None
    for wall in walls:
        moment = localize(wall, zone)
        at = instant(moment)
        if last is None or at > last:
            last = at
            yield moment


def whenever_shown(walls: Iterable[datetime], zone: tzinfo) -> Iterator[datetime]:
    """Yield each moment at which the clocks of the zone show one of these times: two where it is repeated, none where it is skipped."""
    second_times: deque[datetime] = deque()
    for wall in walls:
        first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if _offset(first) < _offset(second):
            continue
        while second_times and instant(second_times[0]) < instant(first):
            yield second_times.popleft()
        yield first
        if is_repeated(first):
            second_times.append(second)
    yield from second_times


def shown_at(moment: datetime, zone: tzinfo) -> datetime:
    """Return what the clocks of the zone show at the moment, without the zone. What they show first after it is later than that."""
    return moment.astimezone(zone).replace(tzinfo=None)


def shown_again_after(moment: datetime, zone: tzinfo) -> datetime:
    """Return a time that is earlier than all that the clocks of the zone show after the moment, be it for the second time."""
    local = moment.astimezone(zone)
    put_back = _offset(local) - _offset((moment.astimezone(UTC) + DAY).astimezone(zone))
    return local.replace(tzinfo=None, fold=0) - max(put_back, timedelta(0))


def _end_of_gap(wall: datetime, before: datetime, behind: datetime, zone: tzinfo) -> datetime:
    """Return the first second from which on clocks show this time or a later one: it is between the two instants."""
    before, behind = (each.replace(microsecond=0) for each in (before, behind + _SECOND))
    while (between := (behind - before) // _SECOND) > 1:
        middle = before + between // 2 * _SECOND
        before, behind = (before, middle) if shown_at(middle, zone) >= wall else (middle, behind)
    return behind.astimezone(zone)


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta(0)


def written(moment: datetime | None) -> dict[str, Any] | None:
    """Return the moment as JSON values, with the name of its zone, which an offset alone would not tell."""
    if moment is None:
        return None
    zone = moment.tzinfo
    name = zone.key if isinstance(zone, ZoneInfo) else None
    if name is None and zone is not None and zone != UTC and not isinstance(zone, type(UTC)):
        name = getattr(zone, "name", None) or getattr(zone, "zone", None)
    data = {"dt": moment.replace(tzinfo=None).isoformat() if name else assume_utc(moment).isoformat(), "tz": name}
    return {**data, "fold": 1} if name and moment.fold and is_repeated(moment) else data


def read(data: dict[str, Any] | None) -> datetime | None:
    """Return the moment that `written` wrote.

    Raises:
        InvalidArgument: this machine knows no such time zone.

    """
    if data is None:
        return None
    moment = datetime.fromisoformat(data["dt"])
    return moment.replace(tzinfo=zone_named(data["tz"]), fold=data.get("fold", 0)) if data.get("tz") else moment


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
