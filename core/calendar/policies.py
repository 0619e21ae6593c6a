"""How the times of a schedule become runs: what of those that were missed, and of those at which an earlier run has not ended."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypedDict

import msgspec

from headwater.core.errors import InvalidArgument
from headwater.core.values.limits import Instant, Int32
from headwater.core.values.moments import assume_utc, standard_span

SECONDS_MAX = 10 * 366 * 86_400.0
"""Ten years: no gap between two times that people mean is longer."""


class Missed(StrEnum):
    """What becomes of times that passed while no server could make their runs."""

    LATEST = "latest"
    """The newest has a run; the others are left out."""
    ALL = "all"
    """Each has a run."""
    NONE = "none"
    """None has a run."""
    MERGE = "merge"
    """All of them together have one run, which gets the interval that it stands for."""


class Overlap(StrEnum):
    """What becomes of a time at which an earlier run of the same schedule has not ended."""

    SKIP = "skip"
    """It has no run."""
    QUEUE_ONE = "queue_one"
    """Its run waits until the earlier one has ended; one run at most waits."""
    QUEUE_ALL = "queue_all"
    """Its run waits until those before it have ended."""
    CANCEL_RUNNING = "cancel_running"
    """The earlier run is cancelled, and this one starts when that has ended."""
    ALLOW = "allow"
    """Its run starts beside the earlier one."""


class SchedulePolicies(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a schedule's times become runs. Durations are in seconds; None: no limit."""

    missed: Missed = Missed.LATEST
    window_seconds: float = 86_400.0
    """A missed time older than this has no run."""
    overlap: Overlap = Overlap.SKIP
    jitter_seconds: float = 0.0
    """Runs are due up to so much later than their times, by an amount that depends on the time alone."""
    pause_on_failure: Int32 | None = None
    """The schedule is paused when so many of its runs in a row failed."""
    end: Instant | None = None
    """No later time has a run."""
    max_runs: Int32 | None = None
    """The schedule is paused when it has made so many runs."""


class PolicyOptions(TypedDict, total=False):
    """Policies as people write them. What is left out has its default: `missed="latest"`, `window=timedelta(days=1)`, `overlap="skip"`.

    Attributes:
        missed: "latest", "all", "none" or "merge".
        window: how old a missed time may be to have a run; a timedelta, or seconds.
        overlap: "skip", "queue_one", "queue_all", "cancel_running" or "allow".
        jitter: runs are due up to so much later; a timedelta, or seconds.
        pause_on_failure: after how many failed runs in a row the schedule is paused.
        end: no later time has a run; in UTC where it has no zone.
        max_runs: after how many runs the schedule is paused.

    """

    missed: str
    window: timedelta | float
    overlap: str
    jitter: timedelta | float
    pause_on_failure: int
    end: datetime
    max_runs: int


_NAMES = tuple(PolicyOptions.__annotations__)


def schedule_policies(options: Mapping[str, Any]) -> SchedulePolicies:
    """Return these policies; an option that is None has its default.

    Raises:
        InvalidArgument: there is no such policy, or it cannot have this value.

    """
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in _NAMES:
            near = difflib.get_close_matches(name, _NAMES, 1)
            known = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(_NAMES)}."
            raise InvalidArgument(f"A schedule has no policy {name!r}.", hint=known)
    policies = SchedulePolicies(
        missed=_one_of(Missed, "missed", given.get("missed", Missed.LATEST)),
        window_seconds=_seconds("window", given.get("window", 86_400.0)),
        overlap=_one_of(Overlap, "overlap", given.get("overlap", Overlap.SKIP)),
        jitter_seconds=_seconds("jitter", given.get("jitter", 0.0)),
        pause_on_failure=_number("pause_on_failure", given.get("pause_on_failure")),
        end=_moment(given.get("end")),
        max_runs=_number("max_runs", given.get("max_runs")),
    )
    check_policies(policies)
    return policies


def check_policies(policies: SchedulePolicies) -> None:
    """Refuse policies that mean nothing.

    Raises:
        InvalidArgument: a duration is negative or longer than ten years, or a number is below 1.

    """
    for name, seconds in (("window", policies.window_seconds), ("jitter", policies.jitter_seconds)):
        if not math.isfinite(seconds) or not 0 <= seconds <= SECONDS_MAX:
            raise InvalidArgument(f"The {name} of a schedule must be between 0 seconds and ten years, not {seconds:g} seconds.")
    for name, number in (("pause_on_failure", policies.pause_on_failure), ("max_runs", policies.max_runs)):
        if number is not None and number < 1:
            raise InvalidArgument(f"The {name} of a schedule must be at least 1, not {number}.", hint="Leave it out for no limit.")


def _one_of(kind: Any, name: str, value: object) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise InvalidArgument(f"{name}={value!r} is not a policy.", hint=f"There are: {', '.join(kind)}.") from None


def _seconds(name: str, value: object) -> float:
    if isinstance(value, timedelta):
        return standard_span(value).total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidArgument(f"{name}={value!r} is not a duration.", hint=f"Write {name}=timedelta(minutes=10), or seconds.")
    return float(value)


def _number(name: str, value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise InvalidArgument(f"{name}={value!r} is not a whole number.")
    return value


def _moment(value: object) -> datetime | None:
    if value is not None and not isinstance(value, datetime):
        raise InvalidArgument(f"end={value!r} is not a datetime.", hint="Write end=datetime(2027, 1, 1).")
    return None if value is None else assume_utc(value)
