"""The public path of what is in `headwater.sdk.schedules.recurrence`."""

from __future__ import annotations

from headwater.sdk.schedules.recurrence import begun_shortly_before, without_zone

__all__ = ["begun_shortly_before", "without_zone"]
