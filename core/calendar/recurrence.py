"""Recurrence rules of RFC 5545, as `dateutil` knows them."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from headwater.core.calendar.wall_clock import DAY
from headwater.core.values.moments import standard_moment


def begun_shortly_before(rule: Any, moment: datetime) -> Any:
    """Return a rule with the same moments from there on: a rule is walked through from its start, which may be millions of minutes ago."""
    from dateutil import rrule

    steps = {rrule.WEEKLY: 7 * DAY, rrule.DAILY: DAY, rrule.HOURLY: DAY / 24, rrule.MINUTELY: DAY / 1440, rrule.SECONDLY: DAY / 86_400}
    step = steps.get(rule._freq)  # noqa: SLF001 - dateutil tells it in no other way
    if step is None or rule._count is not None:  # noqa: SLF001
        return rule
    step *= rule._interval  # noqa: SLF001
    whole = (moment - rule._dtstart) // step - 1  # noqa: SLF001
    return rule if whole <= 0 else rule.replace(dtstart=rule._dtstart + whole * step)  # noqa: SLF001


def has_steps_within_a_day(rule: Any) -> bool:
    """Return whether the rule is one of each hour, minute or second, or of some of them in steps, and not of certain times of day."""
    from dateutil import rrule

    if rule._freq < rrule.HOURLY:  # noqa: SLF001
        return False
    return not rule._byhour or (rule._freq > rrule.HOURLY and not rule._byminute)  # noqa: SLF001


def without_zone(moment: datetime | None, zone: tzinfo) -> datetime | None:
    """Return what the clocks of the zone show at the moment."""
    if moment is None:
        return None
    plain = standard_moment(moment)
    return plain if plain.tzinfo is None else plain.astimezone(zone).replace(tzinfo=None)
