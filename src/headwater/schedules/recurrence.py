"""The public path of what is in `headwater.core.calendar.recurrence`."""

from __future__ import annotations

from headwater.core.calendar.recurrence import begun_shortly_before, without_zone

__all__ = ["begun_shortly_before", "without_zone"]
