"""The public path of what is in `headwater.core.calendar.policies`."""

from __future__ import annotations

from headwater.core.calendar.policies import Missed, Overlap, PolicyOptions, SchedulePolicies, schedule_policies

__all__ = ["Missed", "Overlap", "PolicyOptions", "SchedulePolicies", "schedule_policies"]
