"""Which times of a schedule are due, and which of them its policy lets have runs; when the next one is. Pure: the time is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from headwater.core.calendar.occurrence import Occurrence
from headwater.core.calendar.schedules import NothingPasses, Schedule
from headwater.core.events import Missed, SchedulePolicies
from headwater.core.values.identifiers import derived_id, digest
from headwater.core.values.json_bytes import json_bytes
from headwater.core.values.limits import TIME_MAX

ON_TIME_SECONDS = 5.0
"""A time whose run is made so soon after it was not missed: servers are restarted, and machines are busy."""
AT_ONCE = 100
"""So many times at most are decided in one commit."""
AT_ONCE_BYTES = 256 * 1024
"""So much may their parameters have together."""
WALKED_MAX = 20_000
"""Of times that are due, so many are walked through at once: more would keep all else waiting."""
_LAST = TIME_MAX - timedelta(days=1)
"""Later times are none that the log can hold."""
COUNTED_MAX = 10_000
"""Times that are too old to have runs are counted up to here."""
_LOOKED_BACK = tuple(timedelta(seconds=seconds) for seconds in (60, 3_600, 86_400, 8 * 86_400, 32 * 86_400, 400 * 86_400, 1_500 * 86_400))


@dataclass(frozen=True)
class DueTimes:
    """Times that are due, of those over `decided`: `chosen` may have runs. All up to `until` were looked at.

    `left_out` is how many have none by the policy (None: too many to count), `missed` whether any of them was late. `next_wake` is when
    the time after these is to be decided; None: there is none.
    """

    chosen: tuple[Occurrence, ...]
    until: datetime
    left_out: int | None = 0
    missed: bool = False
    next_wake: datetime | None = None


def due_times(schedule: Schedule, policies: SchedulePolicies, *, decided: datetime, now: datetime) -> DueTimes:
    """Return the times over `decided` that are due now."""
    # What is on time was not missed, however short the window is.
    since = now - timedelta(seconds=max(policies.window_seconds, ON_TIME_SECONDS))
    too_old, counted_to = _count_old(schedule, policies, decided, since)
    found = _DueAfter(schedule, policies, counted_to, now)
    if policies.missed is Missed.ALL:
        return _all(found, too_old, counted_to)
    span = now - counted_to
    while (walked := list(islice(found, WALKED_MAX + 1))) and len(walked) > WALKED_MAX:
        # Too many to walk through: of the last part of the span, the newest are found as well.
        span, too_old = span / 4, None
        counted_to = now - span
        found = _DueAfter(schedule, policies, counted_to, now)
    newest: dict[str, Occurrence] = {}
    oldest: dict[str, Occurrence] = {}
    number, until = 0, counted_to
    for each in walked:
        newest[each.clock] = each
        oldest.setdefault(each.clock, each)
        number, until = number + 1, each.nominal
    late = {clock: is_late(oldest[clock], now) or newest[clock] != oldest[clock] for clock in newest}
    chosen = sorted(newest.values(), key=lambda each: (each.nominal, each.clock))
    if policies.missed is Missed.NONE:
        chosen = [each for each in chosen if not is_late(each, now)]
    left_out = None if too_old is None else too_old + number - len(chosen)
    missed = left_out != 0 or (policies.missed is Missed.MERGE and any(late.values()))
    return DueTimes(tuple(chosen), until, left_out, missed, found.next_wake)


def _all(found: _DueAfter, too_old: int | None, counted_to: datetime) -> DueTimes:
    chosen: list[Occurrence] = []
    size = 0
    for each in found:
        size += len(json_bytes(each.parameters))
        if (len(chosen) >= AT_ONCE or (size > AT_ONCE_BYTES and chosen)) and each.nominal != chosen[
            -1
        ].nominal:  # of one time, all clocks are decided together
            return DueTimes(tuple(chosen), chosen[-1].nominal, too_old, missed=True, next_wake=wake_at(each))
        chosen.append(each)
    several = len({each.nominal for each in chosen}) > 1
    until = chosen[-1].nominal if chosen else counted_to
    return DueTimes(tuple(chosen), until, too_old, missed=several or too_old != 0, next_wake=found.next_wake)


def _count_old(schedule: Schedule, policies: SchedulePolicies, decided: datetime, since: datetime) -> tuple[int | None, datetime]:
    """Return how many times over `decided` are before `since` (None: too many to count), and up to where times were passed over."""
    if decided >= since:
        return 0, decided
    number, last = 0, decided
    for each in _times(schedule, policies, decided):
        if each.nominal >= since:
            break
        number, last = number + 1, each.nominal
        if number > COUNTED_MAX:
            return None, since - timedelta(microseconds=1)
    return number, last


class _DueAfter:
    """The times after `after` that are due; once they were all taken, `next_wake` tells when the next one is."""

    def __init__(self, schedule: Schedule, policies: SchedulePolicies, after: datetime, now: datetime) -> None:
        self._times = _times(schedule, policies, after)
        self._now = now
        self.next_wake: datetime | None = None

    def __iter__(self) -> Iterator[Occurrence]:
        for each in self._times:
            if (wake := wake_at(each)) > self._now:
                self.next_wake = wake
                return
            yield each


def _times(schedule: Schedule, policies: SchedulePolicies, after: datetime) -> Iterator[Occurrence]:
    """Yield the times in order, to the schedule's end; one whose filters let nothing pass has ended."""
    try:
        for each in schedule.occurrences(after):
            if (policies.end is not None and each.nominal > policies.end) or max(each.nominal, each.due) > _LAST:
                return
            yield each
    except NothingPasses:
        return


def is_late(time: Occurrence, now: datetime) -> bool:
    """Tell whether the time's run would be made too late to be called on time."""
    return (now - time.nominal).total_seconds() > ON_TIME_SECONDS


def wake_at(time: Occurrence) -> datetime:
    """Return when a time is to be decided: then, or earlier where its adjustments have its run start before it."""
    return min(time.nominal, time.due)


def next_wake(schedule: Schedule, policies: SchedulePolicies, *, decided: datetime) -> datetime | None:
    """Return when the next time after `decided` is to be decided; None where there is none."""
    return next((wake_at(each) for each in _times(schedule, policies, decided)), None)


def upcoming(schedule: Schedule, policies: SchedulePolicies, *, decided: datetime, number: int) -> list[Occurrence]:
    """Return the next times after `decided`, at most so many."""
    return [each for each, _ in zip(_times(schedule, policies, decided), range(number), strict=False)]


def interval_start(schedule: Schedule, policies: SchedulePolicies, time: Occurrence, *, decided: datetime, now: datetime) -> datetime:
    """Return where the interval begins that a merged run of this time stands for: at the time before the first that was missed."""
    since = max(decided, now - timedelta(seconds=policies.window_seconds))
    first = next((each for each in _times(schedule, policies, since) if each.clock == time.clock), time)
    for span in _LOOKED_BACK:
        before = None
        for count, each in enumerate(_times(schedule, policies, first.nominal - span)):
            if each.nominal >= first.nominal or count > COUNTED_MAX:
                break
            before = each if each.clock == time.clock else before
        if before is not None:
            return before.nominal
    return decided


def due_with_jitter(schedule: Schedule, policies: SchedulePolicies, schedule_id: str, time: Occurrence) -> datetime:
    """Return when the run of this time is due: by its adjustments, and later by a part of the jitter that depends on the time alone.

    It stays before the schedule's next time.
    """
    seconds = policies.jitter_seconds
    if not seconds:
        return time.due
    following = next((each.nominal for each in _times(schedule, policies, time.nominal)), None)
    if following is not None:
        seconds = min(seconds, (following - time.nominal).total_seconds())
    share = int(digest("jitter", schedule_id, time.nominal.isoformat(), length=12), 16) / 16**12
    return time.due + timedelta(seconds=share * seconds)


def scheduled_run_id(schedule_id: str, time: Occurrence, backfill_id: str = "") -> str:
    """Return the id of the run of this time: all servers that make it make the same one."""
    return derived_id("scheduled run", schedule_id, time.clock, time.nominal.isoformat(), backfill_id)
