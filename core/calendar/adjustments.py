"""Adjustments: functions that move a moment after the filters have let it pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from headwater.core.calendar.filters import expect, is_weekday
from headwater.core.values.moments import standard_span

Adjustment = Callable[[datetime], datetime]


@dataclass(frozen=True)
class add:  # noqa: N801 - read as a word, as in adjustments=[add(timedelta(hours=1))]
    """Moves each moment by `interval`. Raises InvalidArgument where that is not a timedelta."""

    interval: timedelta

    def __post_init__(self) -> None:
        expect("add(interval", self.interval, timedelta, "timedelta(hours=1)")
        object.__setattr__(self, "interval", standard_span(self.interval))

    def __call__(self, dt: datetime) -> datetime:
        return dt + self.interval


def next_weekday(dt: datetime) -> datetime:
    """Return the moment `dt`, or where that is on a Saturday or Sunday the same time of day on the Monday after."""
    while not is_weekday(dt):
        dt += timedelta(days=1)
    return dt


def adjustment_as_json(chosen: Adjustment) -> dict[str, Any] | None:
    """Return an adjustment of this module as JSON values; None for others."""
    if chosen is next_weekday:
        return {"adjustment": "next_weekday"}
    return {"adjustment": "add", "seconds": chosen.interval.total_seconds()} if isinstance(chosen, add) else None


def adjustment_from(data: dict[str, Any]) -> Adjustment:
    """Return the adjustment that `adjustment_as_json` wrote."""
    return next_weekday if data["adjustment"] == "next_weekday" else add(timedelta(seconds=data["seconds"]))
