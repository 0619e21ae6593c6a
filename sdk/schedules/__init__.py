"""Schedules: when a flow runs by itself."""

from __future__ import annotations

from headwater.sdk.schedules import adjustments, clocks, filters
from headwater.sdk.schedules.schedules import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule, schedule_from

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
