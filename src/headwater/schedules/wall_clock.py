"""The public path of what is in `headwater.core.calendar.wall_clock`."""

from __future__ import annotations

from headwater.core.calendar.wall_clock import DAY, read, written
from headwater.core.calendar.wall_clock import localize as on_the_wall
from headwater.core.calendar.wall_clock import zone_named as zone_called

__all__ = ["DAY", "on_the_wall", "read", "written", "zone_called"]
