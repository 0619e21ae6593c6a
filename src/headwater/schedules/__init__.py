"""Schedules: when a flow runs by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.core.calendar import CronSchedule, IntervalSchedule, RRuleSchedule, Schedule, schedule_from
from headwater.schedules import adjustments, clocks, filters

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.schedules import clock as clock
    from headwater.schedules import clock_event as clock_event
    from headwater.schedules import occurrence as occurrence
    from headwater.schedules import recurrence as recurrence
    from headwater.schedules import schedules as schedules
    from headwater.schedules import wall_clock as wall_clock

__all__ = ["CronSchedule", "IntervalSchedule", "RRuleSchedule", "Schedule", "adjustments", "clocks", "filters", "schedule_from"]
