"""The planner: lets schedules have their runs. It is woken by the broker at each time; it asks for nothing on a schedule of its own."""

from __future__ import annotations

from headwater.server.planner.planner import Planner

__all__ = ["Planner"]
