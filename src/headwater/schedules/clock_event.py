"""The public path of what is in `headwater.core.calendar.clock_event`."""

from __future__ import annotations

from headwater.core.calendar.clock_event import ClockEvent

__all__ = ["ClockEvent"]
