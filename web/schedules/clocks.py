"""Clocks as pages and GraphQL take them: a cron expression or an interval, on the clocks of a time zone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from headwater.core.calendar.clocks import INTERVALS_FROM, CronClock, IntervalClock
from headwater.core.calendar.wall_clock import zone_named
from headwater.core.errors import InvalidArgument

SECONDS_MAX = 10 * 366 * 86_400
_ZONE_CHARACTERS_MAX = 100


def zone_of(name: str) -> tzinfo:
    """Return the time zone of this name; UTC where it is empty.

    Raises:
        InvalidArgument: this machine knows none of this name.

    """
    if name in {"", "UTC"}:
        return UTC
    try:
        return zone_named(name[:_ZONE_CHARACTERS_MAX])
    except OSError:  # such as the name of a folder of zones
        raise InvalidArgument(f"No time zone is called {name!r}.", hint="Write it like Europe/Berlin.") from None


def cron_clock(
    cron: str,
    zone: tzinfo,
    *,
    start: datetime | None = None,
    parameters: Mapping[str, Any] | None = None,
    labels: Iterable[str] | None = None,
) -> CronClock:
    """Return the clock of this expression. `start`, without a zone, is on the zone's clocks.

    Raises:
        InvalidArgument: it is not a cron expression, or it never names a time.

    """
    clock = CronClock(cron, _start(start, zone), None, parameters, labels)
    if next(iter(clock.events(datetime.now(UTC))), None) is None:
        raise InvalidArgument(f"{cron!r} names no time to come.", hint="Five fields, such as '0 6 * * MON-FRI'.")
    return clock


def interval_clock(
    seconds: float,
    zone: tzinfo,
    *,
    seconds_min: float = 1,
    start: datetime | None = None,
    parameters: Mapping[str, Any] | None = None,
    labels: Iterable[str] | None = None,
) -> IntervalClock:
    """Return the clock of this interval, counted from `start` on the zone's clocks, else from the beginning of 2019 there.

    Raises:
        InvalidArgument: the interval is too short or too long.

    """
    if not math.isfinite(seconds) or not seconds_min <= seconds <= SECONDS_MAX:
        raise InvalidArgument(f"An interval has from {seconds_min:g} seconds to ten years, not {seconds:g} seconds.")
    return IntervalClock(timedelta(seconds=seconds), _start(start, zone), None, parameters, labels)


def _start(start: datetime | None, zone: tzinfo) -> datetime | None:
    # The zone of a clock is that of its start: where none is asked for, it has one in the past, unless UTC holds anyway.
    if start is not None:
        return start.replace(tzinfo=zone)
    return None if zone is UTC else INTERVALS_FROM.replace(tzinfo=zone)
