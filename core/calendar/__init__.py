"""The calendar: when a flow runs by itself. Flows import it from `headwater.schedules`."""

from __future__ import annotations

from headwater.core.calendar import adjustments, clocks, filters
from headwater.core.calendar.occurrence import Occurrence
from headwater.core.calendar.schedules import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule, schedule_from

__all__ = [
    "CronSchedule",
    "IntervalSchedule",
    "Occurrence",
    "RRuleSchedule",
    "Schedule",
    "adjustments",
    "clocks",
    "filters",
    "schedule_from",
]
