"""When the clocks of the world are changed: every time zone of tzdata, and each history of transitions once."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Transition:
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        return self.after > self.before

    @property
    def length(self) -> timedelta:
        return abs(self.after - self.before)

    @property
    def middle(self) -> datetime:
        """What clocks show in the middle of what they skip or repeat."""
        shown = min(self.at + self.before, self.at + self.after) + self.length / 2
        return shown.replace(tzinfo=None, second=0)


def transitions_of(name: str, first: datetime = FIRST, last: datetime = LAST) -> tuple[Transition, ...]:
    zone = ZoneInfo(name)
    days = [first + number * DAY for number in range((last - first).days + 1)]
    offsets = [offset_at(zone, day) for day in days]
    changed = (pair for pair in itertools.pairwise(zip(days, offsets, strict=True)) if pair[0][1] != pair[1][1])
    return tuple(Transition(_between(zone, day, next_day), before, after) for (day, before), (next_day, after) in changed)


def offset_at(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    former = offset_at(zone, before)
    while (seconds := (after - before) // SECOND) > 1:
        middle = before + seconds // 2 * SECOND
        before, after = (middle, after) if offset_at(zone, middle) == former else (before, middle)
    return after


@cache
def names_by_history() -> dict[tuple[timedelta, tuple[Transition, ...]], tuple[str, ...]]:
    """All names of zones, by what their clocks did from the first to the last day: names in one tuple agree at each moment."""
    found = defaultdict(list)
    for name in sorted(available_timezones()):
        found[offset_at(ZoneInfo(name), FIRST), transitions_of(name)].append(name)
    return {history: tuple(names) for history, names in found.items()}
