"""The run monitor: sees that no run is stuck for want of somebody who lives."""

from __future__ import annotations

from headwater.server.monitor.monitor import RunMonitor

__all__ = ["RunMonitor"]
