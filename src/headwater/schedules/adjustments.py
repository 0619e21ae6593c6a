"""The public path of what is in `headwater.core.calendar.adjustments`."""

from __future__ import annotations

from headwater.core.calendar.adjustments import Adjustment, add, adjustment_as_json, adjustment_from, next_weekday

__all__ = ["Adjustment", "add", "adjustment_as_json", "adjustment_from", "next_weekday"]
