"""The public path of what is in `headwater.core.calendar.occurrence`."""

from __future__ import annotations

from headwater.core.calendar.occurrence import Occurrence

__all__ = ["Occurrence"]
