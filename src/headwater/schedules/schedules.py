"""The public path of what is in `headwater.core.calendar.schedules`."""

from __future__ import annotations

from headwater.core.calendar.schedules import (
    LOOKED_AHEAD_MAX,
    MISSES_MAX,
    CronSchedule,
    IntervalSchedule,
    NothingPasses,
    RRuleSchedule,
    Schedule,
    schedule_from,
)

__all__ = [
    "LOOKED_AHEAD_MAX",
    "MISSES_MAX",
    "CronSchedule",
    "IntervalSchedule",
    "NothingPasses",
    "RRuleSchedule",
    "Schedule",
    "schedule_from",
]
