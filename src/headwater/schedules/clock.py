"""The public path of what is in `headwater.sdk.schedules.clock`."""

from __future__ import annotations

from headwater.sdk.schedules.clock import Clock

__all__ = ["Clock"]
