"""Which times of a span a backfill is for, by how the runs of the schedule stand. Pure: what is known of runs is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from headwater.core.backfills.rules import TIMES_MAX
from headwater.core.calendar.occurrence import Occurrence
from headwater.core.calendar.schedules import NothingPasses, Schedule
from headwater.core.errors import InvalidArgument
from headwater.core.events import BackfillChoice, BackfillTime
from headwater.core.states import FAILED, StateName

LOOKED_AT_MAX = 100_000
"""So many times of a span are looked at: an eleventh of a year of minutes."""

Stands = Mapping[tuple[datetime, str], str]
"""A time and the clock that has it, to the state of the last run that it has."""


def choose_times(
    schedule: Schedule, since: datetime, until: datetime, choice: BackfillChoice, stands: Stands, *, reverse: bool = False
) -> tuple[BackfillTime, ...]:
    """Return the times from `since` to `until`, both included, that are to have runs: in order, or the newest first.

    Raises:
        InvalidArgument: the span ends before it begins, or has more times than a backfill may have.

    """
    if until < since:
        raise InvalidArgument(f"The span ends ({until.isoformat()}) before it begins ({since.isoformat()}).", hint="Exchange the two.")
    chosen = [_time(each) for each in _between(schedule, since, until) if _is_chosen(choice, stands.get((each.nominal, each.clock)))]
    if len(chosen) > TIMES_MAX:
        raise InvalidArgument(
            f"The span has {len(chosen):,} times that are to have runs; one backfill may have {TIMES_MAX:,}.",
            hint="Choose a shorter span, and backfill the rest after it.",
        )
    return tuple(reversed(chosen)) if reverse else tuple(chosen)


def _between(schedule: Schedule, since: datetime, until: datetime) -> Iterable[Occurrence]:
    try:
        for number, each in enumerate(schedule.occurrences(since - timedelta(microseconds=1))):
            if each.nominal > until:
                return
            if number >= LOOKED_AT_MAX:
                raise InvalidArgument(f"The span has more than {LOOKED_AT_MAX:,} times.", hint="Choose a shorter span.")
            yield each
    except NothingPasses:
        return


def _is_chosen(choice: BackfillChoice, state: str | None) -> bool:
    match choice:
        case BackfillChoice.ALL:
            return True
        case BackfillChoice.MISSING:
            return state is None
        case BackfillChoice.FAILED:
            return state in FAILED or state == StateName.CANCELLED


def _time(each: Occurrence) -> BackfillTime:
    labels = None if each.labels is None else tuple(each.labels)
    return BackfillTime(nominal=each.nominal, clock=each.clock, parameters=dict(each.parameters), labels=labels)
