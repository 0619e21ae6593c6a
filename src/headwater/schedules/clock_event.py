"""The public path of what is in `headwater.sdk.schedules.clock_event`."""

from __future__ import annotations

from headwater.sdk.schedules.clock_event import ClockEvent

__all__ = ["ClockEvent"]
