"""The run monitor: recovers runs whose agent is gone, and wakes those that nothing else would."""

from __future__ import annotations

from headwater.server.monitor.monitor import RunMonitor

__all__ = ["RunMonitor"]
