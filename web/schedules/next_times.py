"""When schedules are due next, and whether one is late: worked out where it is shown, from how far each is."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from headwater.core.calendar.occurrence import Occurrence
from headwater.core.calendar.schedules import Schedule, schedule_from
from headwater.core.events import ScheduleSpec
from headwater.core.queries import ScheduleRow
from headwater.core.schedules.due import ON_TIME_SECONDS, upcoming, wake_at

LATE_AFTER = timedelta(seconds=ON_TIME_SECONDS)
KEPT = 8
"""So many next times of a schedule are remembered."""
_REMEMBERED_MAX = 10_000

_log = logging.getLogger(__name__)
_remembered: OrderedDict[tuple[str, int], tuple[Occurrence, ...]] = OrderedDict()


@dataclass(frozen=True)
class Due:
    """The first time of a schedule that has no outcome: `nominal`, to be decided at `due`."""

    nominal: datetime
    due: datetime


def calendar_of(spec: ScheduleSpec) -> Schedule | None:
    """Return the calendar of the times; None where this version cannot read them."""
    return _read(msgspec.json.encode(spec.timetable))


@lru_cache(maxsize=2_000)
def _read(timetable: bytes) -> Schedule | None:
    try:
        return schedule_from(msgspec.json.decode(timetable))
    except Exception as error:  # noqa: BLE001 - the log may hold anything
        _log.debug("A schedule cannot be read: %s: %s", type(error).__name__, error)
        return None


def next_times(row: ScheduleRow, now: datetime, number: int) -> list[Occurrence]:
    """Return the next times of the schedule that will have runs, at most so many; those that are late are not among them."""
    since = _goes_on(row)
    if since is None or row.spec is None or (calendar := calendar_of(row.spec)) is None:
        return []
    found = [each for each in _following(row, calendar) if each.nominal > now]
    if len(found) >= number or (found and len(_following(row, calendar)) < KEPT):
        return found[:number]
    return upcoming(calendar, row.spec.policies, decided=max(since, now), number=number)


def late(row: ScheduleRow, now: datetime) -> Due | None:
    """Return the time of the schedule that should have had its outcome by now; None where there is none."""
    first = first_due(row)
    return None if first is None or first.due + LATE_AFTER >= now else first


def first_due(row: ScheduleRow) -> Due | None:
    """Return the first time of an active schedule that has no outcome, be it over or to come; None where there is none."""
    if not row.active or row.spec is None or (calendar := calendar_of(row.spec)) is None:
        return None
    first = next(iter(_following(row, calendar)), None)
    return None if first is None else Due(first.nominal, wake_at(first))


def changes_at(rows: Iterable[ScheduleRow], now: datetime) -> datetime | None:
    """Return when one of the schedules is late, where nothing happens before; None where none will be."""
    moments = [first.due + LATE_AFTER for row in rows if (first := first_due(row)) is not None]
    return min((moment for moment in moments if moment > now), default=None)


def _goes_on(row: ScheduleRow) -> datetime | None:
    """Return after which moment times have runs; None where the schedule is paused without an end."""
    return row.decided if row.active else row.paused_until


def _following(row: ScheduleRow, calendar: Schedule) -> tuple[Occurrence, ...]:
    """Return the first times without an outcome. They stay the same until the schedule changes, so they are looked up once."""
    key = (row.id, row.position)
    if key not in _remembered:
        since = _goes_on(row)
        assert row.spec is not None
        try:
            _remembered[key] = () if since is None else tuple(upcoming(calendar, row.spec.policies, decided=since, number=KEPT))
        except Exception:  # noqa: BLE001 - the log may hold anything; one schedule is not to take every page with it
            _log.warning("The times of schedule %s cannot be worked out", row.id, exc_info=True)
            _remembered[key] = ()
        while len(_remembered) > _REMEMBERED_MAX:
            _remembered.popitem(last=False)
    _remembered.move_to_end(key)
    return _remembered[key]
