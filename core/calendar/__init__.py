"""Schedules: when a flow runs by itself."""

from __future__ import annotations

from headwater.core.calendar import adjustments, clocks, filters
from headwater.core.calendar.schedules import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule, schedule_from

__all__ = [
    "CronSchedule",
    "IntervalSchedule",
    "RRuleSchedule",
    "Schedule",
    "adjustments",
    "clocks",
    "filters",
    "schedule_from",
]
