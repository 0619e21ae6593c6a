"""The public path of what is in `headwater.sdk.engine.clock`."""

from __future__ import annotations

from headwater.sdk.engine.clock import Clock, SystemClock

__all__ = ["Clock", "SystemClock"]
