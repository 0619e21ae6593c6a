"""The public path of what is in `headwater.core.calendar.clock`."""

from __future__ import annotations

from headwater.core.calendar.clock import Clock

__all__ = ["Clock"]
