"""The times that a schedule should have outcomes for, by its calendar and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from headwater.core.calendar.occurrence import Occurrence
from headwater.core.calendar.schedules import NothingPasses, Schedule, schedule_from
from headwater.core.events import ScheduleSpec

_INSTANT = timedelta(microseconds=1)

Span = tuple[datetime, datetime]
"""Times over the first moment up to the second."""


class ExpectedTimes:
    """The times of a spec; None has none. `problem` says why its calendar cannot be read: then nothing is known of its times.

    Those who ask for times in their order pay for each once.
    """

    def __init__(self, spec: ScheduleSpec | None) -> None:
        self.problem = ""
        self._calendar: Schedule | None = None
        self._end = None if spec is None else spec.policies.end
        self._coming: Iterator[Occurrence] = iter(())
        self._next: Occurrence | None = None
        self._reached: datetime | None = None
        if spec is None:
            return
        try:
            self._calendar = schedule_from(spec.timetable)
        except Exception as error:  # noqa: BLE001 - the log may hold anything
            self._fails(error)

    def between(self, after: datetime, until: datetime) -> Iterator[Occurrence]:
        """Yield the times over `after` up to `until`, in order."""
        if after >= until:
            return
        if after != self._reached:
            self._coming, self._next = self._times(after), None
        self._reached = None  # until all of them were taken
        while True:
            each = self._next or next(self._coming, None)
            self._next = None
            if each is None or each.nominal > until:
                self._next, self._reached = each, until
                return
            yield each

    def has(self, nominal: datetime, clock: str) -> bool:
        """Tell whether this is one of its times."""
        return any(each.clock == clock for each in self.of_instant(nominal))

    def of_instant(self, nominal: datetime) -> list[Occurrence]:
        """Return the times of this instant, of all clocks."""
        found = []
        for each in self._times(nominal - _INSTANT):
            if each.nominal > nominal:
                break
            found.append(each)
        return found

    def first_after(self, moment: datetime) -> Occurrence | None:
        """Return the next time after a moment; None where there is none."""
        return next(self._times(moment), None)

    def _times(self, after: datetime) -> Iterator[Occurrence]:
        if self._calendar is None:
            return
        try:
            for each in self._calendar.occurrences(after):
                if self._end is not None and each.nominal > self._end:
                    return
                yield each
        except NothingPasses:
            return
        except Exception as error:  # noqa: BLE001 - the log may hold anything
            self._fails(error)

    def _fails(self, error: Exception) -> None:
        self._calendar = None
        self.problem = f"Its times cannot be read: {type(error).__name__}: {error}"


def not_covered(after: datetime, until: datetime, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield what of the time over `after` up to `until` lies in none of the spans, in order."""
    for since, to in sorted(spans):
        if since >= until:
            break
        if since > after:
            yield after, since
        after = max(after, to)
    if after < until:
        yield after, until
