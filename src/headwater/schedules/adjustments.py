"""The public path of what is in `headwater.sdk.schedules.adjustments`."""

from __future__ import annotations

from headwater.sdk.schedules.adjustments import Adjustment, add, adjustment_as_json, adjustment_from, next_weekday

__all__ = ["Adjustment", "add", "adjustment_as_json", "adjustment_from", "next_weekday"]
