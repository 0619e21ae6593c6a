"""The public path of what is in `headwater.core.calendar.clocks`."""

from __future__ import annotations

from headwater.core.calendar.clocks import (
    EPOCH,
    INTERVALS_FROM,
    Clock,
    ClockEvent,
    CronClock,
    DatesClock,
    IntervalClock,
    RRuleClock,
    clock_from,
)

__all__ = ["EPOCH", "INTERVALS_FROM", "Clock", "ClockEvent", "CronClock", "DatesClock", "IntervalClock", "RRuleClock", "clock_from"]
