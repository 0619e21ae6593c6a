"""The calendars of schedules, read from what events hold. Read once each: most times, a schedule is looked at again and again."""

from __future__ import annotations

import logging

from headwater.core.calendar.schedules import Schedule, schedule_from
from headwater.core.events import ScheduleSpec

KEPT_MAX = 20_000

_log = logging.getLogger(__name__)


class Timetables:
    """Calendars by schedule. One that cannot be read, as of a newer version or a stranger's, gets a sentence in the log of the server."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[ScheduleSpec, Schedule | None]] = {}

    def of(self, schedule_id: str, spec: ScheduleSpec) -> Schedule | None:
        """Return the calendar of the schedule; None where it cannot be read."""
        known = self._known.get(schedule_id)
        if known is not None and known[0] == spec:
            return known[1]
        calendar: Schedule | None = None
        try:
            calendar = schedule_from(spec.timetable)
        except Exception as error:  # noqa: BLE001 - the log may hold anything
            _log.error("Schedule %s cannot be read, and makes no runs: %s: %s", schedule_id, type(error).__name__, error)
        self._known[schedule_id] = (spec, calendar)
        if len(self._known) > KEPT_MAX:
            del self._known[next(iter(self._known))]
        return calendar
