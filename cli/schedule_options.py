"""What people say of a schedule on the command line, made into its times and policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from headwater.cli.values import parsed_pairs, parsed_span
from headwater.core.calendar.clocks import EPOCH, INTERVALS_FROM, Clock, CronClock, IntervalClock, RRuleClock
from headwater.core.calendar.schedules import Schedule
from headwater.core.errors import InvalidArgument
from headwater.core.events import Missed, Overlap, SchedulePolicies
from headwater.core.values.limits import TIME_MAX, TIME_MIN
from headwater.core.values.plain_values import shortened


@dataclass(frozen=True, kw_only=True)
class TimesWanted:
    """The times as they were given: one of `cron`, `interval` and `rrule`, or none of them."""

    cron: str | None = None
    interval: str | None = None
    rrule: str | None = None
    timezone: str | None = None
    start: str | None = None
    end: str | None = None
    param: tuple[str, ...] = ()
    label: tuple[str, ...] = ()

    @property
    def are_given(self) -> bool:
        return any(each is not None for each in (self.cron, self.interval, self.rrule))

    @property
    def details(self) -> list[str]:
        """The options that say more of times, of those that were given."""
        named = {"--timezone": self.timezone, "--start": self.start, "--end": self.end, "--param": self.param, "--label": self.label}
        return [option for option, value in named.items() if value]

    def timetable(self) -> dict[str, Any]:
        """Return the times as a schedule stores them.

        Raises:
            InvalidArgument: one of the options cannot be read.

        """
        zone = None if self.timezone is None else _zone(self.timezone)
        start = None if self.start is None else _moment(self.start, zone, option="--start")
        end = None if self.end is None else _moment(self.end, zone, option="--end")
        return Schedule([self._clock(zone, start, end)]).serialize()

    def _clock(self, zone: Any, start: datetime | None, end: datetime | None) -> Clock:
        given: dict[str, Any] = {
            "end_date": end,
            "parameter_defaults": parsed_pairs(self.param, option="--param") or None,
            "labels": list(self.label) or None,
        }

        def begins(default: datetime) -> datetime | None:
            # The zone of a clock is that of its start: always the same one, so that the same words are the same schedule.
            return start or (None if zone is None else default.replace(tzinfo=zone))

        if self.cron is not None:
            return CronClock(self.cron, begins(INTERVALS_FROM), **given)
        if self.rrule is not None:
            return RRuleClock(self.rrule, begins(EPOCH), **given)
        assert self.interval is not None
        return IntervalClock(parsed_span(self.interval, option="--interval"), begins(INTERVALS_FROM), **given)


@dataclass(frozen=True, kw_only=True)
class PoliciesWanted:
    """The policies as they were given; what was not stays as it is."""

    missed: Missed | None = None
    window: str | None = None
    overlap: Overlap | None = None
    jitter: str | None = None
    pause_on_failure: str | None = None
    max_runs: str | None = None

    @property
    def are_given(self) -> bool:
        return any(value is not None for value in vars(self).values())

    def changes(self) -> dict[str, Any]:
        """Return the fields of `SchedulePolicies` that are to change.

        Raises:
            InvalidArgument: one of the options cannot be read.

        """
        changes: dict[str, Any] = {}
        if self.missed is not None:
            changes["missed"] = self.missed
        if self.overlap is not None:
            changes["overlap"] = self.overlap
        if self.window is not None:
            changes["window_seconds"] = parsed_span(self.window, option="--window").total_seconds()
        if self.jitter is not None:
            changes["jitter_seconds"] = parsed_span(self.jitter, option="--jitter").total_seconds()
        if self.pause_on_failure is not None:
            changes["pause_on_failure"] = _number(self.pause_on_failure, option="--pause-on-failure")
        if self.max_runs is not None:
            changes["max_runs"] = _number(self.max_runs, option="--max-runs")
        return changes


def as_data(timetable: Mapping[str, Any], policies: SchedulePolicies) -> dict[str, Any]:
    """Return times and policies as `Schedule.serialize` writes them."""
    import msgspec

    return {**timetable, "policies": msgspec.to_builtins(policies)}


def _zone(name: str) -> Any:
    from zoneinfo import available_timezones

    from headwater.core.calendar.wall_clock import zone_named

    try:
        return UTC if name.upper() == "UTC" else zone_named(name)
    except (InvalidArgument, OSError) as error:
        known = {zone.lower(): zone for zone in available_timezones()}
        near = get_close_matches(name.lower(), known, n=3) or [each for each in known if each.endswith(f"/{name.lower()}")]
        suggestion = f"Did you mean {' or '.join(known[each] for each in near[:3])}?" if near else "Such as Europe/Berlin, or UTC."
        raise InvalidArgument(f"--timezone: no time zone is called {shortened(name)!r} on this machine.", hint=suggestion) from error


def _moment(text: str, zone: Any, *, option: str) -> datetime:
    """Return the time on the schedule's own clock: one without a zone is there, and one of another zone is moved there."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(
            f"{option} {shortened(text)!r} is not a time.", hint="Write it like 2026-11-22 or 2026-11-22T08:30."
        ) from None
    if not TIME_MIN.year < found.year < TIME_MAX.year:
        raise InvalidArgument(f"{option} {text!r} is out of range.", hint=f"Give a time between {TIME_MIN.year} and {TIME_MAX.year}.")
    if found.tzinfo is None:
        return found.replace(tzinfo=zone or UTC)
    return found if zone is None else found.astimezone(zone)


def _number(text: str, *, option: str) -> int | None:
    if text.lower() == "none":
        return None
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:10]) < 2**31:
        raise InvalidArgument(f"{option} takes a number from 1, or `none`, and {shortened(text)!r} is neither.")
    return int(text[:10])
