"""The warden: sees that no run is stuck for want of somebody who lives."""

from __future__ import annotations

from headwater.server.warden.warden import Warden

__all__ = ["Warden"]
