"""The form that sets a schedule: filled with what holds, and read with an error beside each field that cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

import msgspec

from headwater.core.calendar.clock import Clock
from headwater.core.calendar.clocks import INTERVALS_FROM, CronClock, IntervalClock
from headwater.core.calendar.policies import check_policies
from headwater.core.calendar.schedules import Schedule
from headwater.core.errors import HeadwaterError, InvalidArgument
from headwater.core.events import Missed, Overlap, SchedulePolicies, ScheduleSpec
from headwater.core.values.labels import label_set
from headwater.core.values.plain_values import NotPlain, decoded, shortened
from headwater.web.schedules.clocks import cron_clock, interval_clock, zone_of
from headwater.web.schedules.next_times import calendar_of

UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}
YEARS = range(1900, 2500)
"""Clocks stumble at the ends of the calendar."""
_NUMBER_CHARACTERS_MAX = 12
_EMPTY = {
    **dict.fromkeys(
        ("slug", "cron", "every", "start", "zone", "parameters", "labels", "pause_on_failure", "max_runs", "end", "jitter"), ""
    ),
    "kind": "cron",
    "unit": "minutes",
    "zone": "UTC",
    "missed": Missed.LATEST.value,
    "overlap": Overlap.SKIP.value,
    "window_hours": "24",
}

T = TypeVar("T")


@dataclass
class ScheduleForm:
    """What is in the fields, and what is wrong with them, by their names; `""` names the form as a whole.

    `cannot_show`: the times that hold are more than the form can say, and what it sets takes their place. `data` is what it says, in the
    form in which schedules are set, once it was read without an error; `next` and `seal` are those of its preview.
    """

    fields: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    cannot_show: bool = False
    data: dict[str, Any] | None = None
    open: bool = False
    next: list[datetime] = field(default_factory=list)
    seal: str = ""
    notice: str = ""

    @property
    def policies_differ(self) -> bool:
        """Whether the fields of the policies hold something else than where nothing is said, or something wrong."""
        names = ("missed", "overlap", "window_hours", "jitter", "pause_on_failure", "max_runs", "end")
        return any(self.fields[name] != _EMPTY[name] or name in self.errors for name in names)


def form_of(spec: ScheduleSpec | None, slug: str = "") -> ScheduleForm:
    """Return the form filled with these times and policies."""
    fields = {**_EMPTY, "slug": slug}
    if spec is None:
        return ScheduleForm(fields)
    calendar = calendar_of(spec)
    shown = calendar is not None and _fill_clock(fields, calendar)
    _fill_policies(fields, spec.policies)
    return ScheduleForm(fields, cannot_show=not shown)


def _fill_clock(fields: dict[str, str], calendar: Schedule) -> bool:
    """Fill in the one clock of the calendar; tell whether that is all of it."""
    if len(calendar.clocks) != 1:
        return False
    clock: Clock = calendar.clocks[0]
    zone = getattr(clock.zone, "key", "UTC" if clock.zone is UTC else None)
    match clock:
        case CronClock() if clock.day_or and zone is not None:
            fields |= {"kind": "cron", "cron": clock.cron}
        case IntervalClock() if zone is not None:
            seconds = clock.interval.total_seconds()
            unit = next(name for name, size in reversed(UNITS.items()) if seconds % size == 0 or size == 1)
            fields |= {"kind": "interval", "every": f"{seconds / UNITS[unit]:g}", "unit": unit}
        case _:
            return False
    start = None if clock.start_date is None else clock.start_date.replace(tzinfo=None)
    if start is not None and start != INTERVALS_FROM.replace(tzinfo=None):
        fields["start"] = start.isoformat(timespec="seconds")
    fields["zone"] = zone
    fields["parameters"] = json.dumps(clock.parameter_defaults, ensure_ascii=False) if clock.parameter_defaults else ""
    fields["labels"] = "" if clock.labels is None else ", ".join(clock.labels)
    plain = clock.end_date is None and clock.labels != []
    return plain and not (calendar.filters or calendar.or_filters or calendar.not_filters or calendar.adjustments)


def _fill_policies(fields: dict[str, str], policies: SchedulePolicies) -> None:
    fields |= {
        "missed": policies.missed.value,
        "overlap": policies.overlap.value,
        "window_hours": f"{policies.window_seconds / 3_600:g}",
        "jitter": f"{policies.jitter_seconds:g}" if policies.jitter_seconds else "",
        "pause_on_failure": "" if policies.pause_on_failure is None else str(policies.pause_on_failure),
        "max_runs": "" if policies.max_runs is None else str(policies.max_runs),
    }
    if policies.end is not None:
        # The form's times are on the clocks of its time zone.
        fields["end"] = policies.end.astimezone(zone_of(fields["zone"])).replace(tzinfo=None).isoformat(timespec="seconds")


def read_form(given: Mapping[str, Any]) -> ScheduleForm:
    """Return the form as it was filled in: with `data`, or with what is wrong."""
    form = ScheduleForm({name: _text(given, name, usual) for name, usual in _EMPTY.items()}, open=True)
    clock = _read_clock(form)
    policies = _read_policies(form)
    if not form.errors and clock is not None:
        form.data = {**Schedule([clock]).serialize(), "policies": msgspec.to_builtins(policies)}
    return form


def _read_clock(form: ScheduleForm) -> Clock | None:
    fields = form.fields
    zone = tried(form.errors, "zone", lambda: zone_of(fields["zone"])) or UTC
    given: dict[str, Any] = {
        "start": tried(form.errors, "start", lambda: _wall_time(fields["start"])),
        "parameters": tried(form.errors, "parameters", lambda: parameters_of(fields["parameters"])),
    }
    given["labels"] = tried(form.errors, "labels", lambda: _labels(fields["labels"]))
    if fields["kind"] != "interval":
        return tried(form.errors, "cron", lambda: cron_clock(fields["cron"], zone, **given))
    if fields["unit"] not in UNITS:
        fields["unit"] = _EMPTY["unit"]
    return tried(form.errors, "every", lambda: interval_clock(_number(fields["every"]) * UNITS[fields["unit"]], zone, **given))


def _read_policies(form: ScheduleForm) -> SchedulePolicies:
    fields = form.fields
    zone: tzinfo = tried(form.errors, "zone", lambda: zone_of(fields["zone"])) or UTC
    wanted: dict[str, Any] = {
        "missed": tried(form.errors, "missed", lambda: _choice(Missed, fields["missed"])) or Missed.LATEST,
        "overlap": tried(form.errors, "overlap", lambda: _choice(Overlap, fields["overlap"])) or Overlap.SKIP,
    }
    numbers: dict[str, tuple[str, Callable[[], Any]]] = {
        "window_hours": ("window_seconds", lambda: _number(fields["window_hours"]) * 3_600),
        "jitter": ("jitter_seconds", lambda: _number(fields["jitter"])),
        "pause_on_failure": ("pause_on_failure", lambda: _count(fields["pause_on_failure"])),
        "max_runs": ("max_runs", lambda: _count(fields["max_runs"])),
        "end": ("end", lambda: _end(fields["end"], zone)),
    }
    for name, (policy, read) in numbers.items():
        if not fields[name]:
            continue
        value = tried(form.errors, name, read)
        if value is not None:
            tried(form.errors, name, lambda policy=policy, value=value: check_policies(SchedulePolicies(**{policy: value})))  # type: ignore[misc]
            wanted[policy] = value
    return SchedulePolicies(**wanted)


def tried(errors: dict[str, str], name: str, read: Callable[[], T]) -> T | None:
    """Return what is read; where it cannot be, None, and the reason is noted among the errors, under the field's name."""
    try:
        return read()
    except HeadwaterError as error:
        errors[name] = f"{error} {error.hint}" if error.hint else str(error)
        return None


def _text(given: Mapping[str, Any], name: str, usual: str) -> str:
    value = given.get(name, usual)
    return value.strip() if isinstance(value, str) else usual


def _choice(kind: Callable[[str], T], text: str) -> T:
    try:
        return kind(text)
    except ValueError:
        raise InvalidArgument(f"{shortened(text)!r} is not one of the choices.") from None


def _number(text: str) -> float:
    try:
        return float(text[:_NUMBER_CHARACTERS_MAX]) if len(text) <= _NUMBER_CHARACTERS_MAX else float("nan")
    except ValueError:
        raise InvalidArgument(f"{shortened(text)!r} is not a number.") from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004 - larger ones are no limits
        raise InvalidArgument(f"{shortened(text)!r} is not a whole number.", hint="Leave the field empty for no limit.")
    return int(text)


def _wall_time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        wall = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise InvalidArgument(f"{shortened(text)!r} is not a time.", hint="Write it like 2026-11-22T08:30.") from None
    if wall.year not in YEARS:
        raise InvalidArgument(f"{shortened(text)!r} is out of range.", hint=f"Years go from {YEARS[0]} to {YEARS[-1]}.")
    return wall


def _end(text: str, zone: tzinfo) -> datetime | None:
    wall = _wall_time(text)
    return None if wall is None else wall.replace(tzinfo=zone).astimezone(UTC)


def _labels(text: str) -> list[str] | None:
    labels = [label for part in text.split(",") if (label := part.strip())]
    label_set(labels)
    return labels or None


def parameters_of(text: str) -> dict[str, Any]:
    """Return the object that is written as JSON; an empty one where nothing is.

    Raises:
        InvalidArgument: it is not one.

    """
    if not text:
        return {}
    try:
        value = decoded(text)
    except NotPlain as error:  # NotJson is one of them
        raise InvalidArgument(f"This is not JSON: {error}.", hint='Write it like {"name": "value"}.') from None
    if not isinstance(value, dict):
        raise InvalidArgument("This is not a JSON object.", hint='Write it like {"name": "value"}.')
    return value
