"""Check of schedules: whether every time has exactly one outcome, and every run its time. From calendar and log alone, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from headwater.audit.moment import OnProgress, recorded_until
from headwater.audit.schedule_findings import Fault, Finding, Findings, ScheduleReport
from headwater.audit.schedule_walk import GRACE, ScheduleWalk
from headwater.core.events import RunCreated
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog, Recorded

_OF_A_SCHEDULE = (b'"scheduled_by"', b"\\u")
"""What stands in the bytes of a run's creation by a schedule; JSON may spell any letter by its number."""


@dataclass(frozen=True)
class _Awaited:
    """A run that a time has, and that was not created yet."""

    schedule_id: str
    nominal: datetime
    position: Position
    at: datetime


class ScheduleCheck:
    """Takes all commits of a log in order; holds of each schedule what it is and how far, and no history.

    `only` are the ids of the schedules to look at; None: all.
    """

    def __init__(self, *, only: Collection[str] | None = None, format_time: Callable[[datetime], str] = datetime.isoformat) -> None:
        self._only = only
        self._format = format_time
        self._findings = Findings()
        self._walks: dict[str, ScheduleWalk] = {}
        self._awaited: dict[str, _Awaited] = {}
        self._runs = 0

    def take(self, recorded: Recorded) -> None:
        address = subjects.parse(recorded.subject)
        if address is None:
            return
        if address.kind == "schedule" and self._looks_at(address.id):
            self._take_schedule(address.id, recorded)
        elif address.kind == "run" and any(mark in recorded.data for mark in _OF_A_SCHEDULE):
            for event in recorded.events:
                if isinstance(event, RunCreated):
                    self._take_run(event, recorded.position)

    def end(self, now: datetime) -> ScheduleReport:
        """Return what was found. `now` is a moment before the log was read to its end."""
        for walk in self._walks.values():
            walk.end(now)
        for run_id, awaited in self._awaited.items():
            if awaited.at <= now - GRACE:
                words = f"The time {self._format(awaited.nominal)} has run {run_id}, which is not in the log."
                self._findings.add(
                    Finding(
                        schedule_id=awaited.schedule_id,
                        fault=Fault.NO_RUN,
                        words=words,
                        nominal=awaited.nominal,
                        run_id=run_id,
                        positions=(awaited.position,),
                    )
                )
        return ScheduleReport(
            schedules=len(self._walks),
            outcomes=sum(walk.outcomes for walk in self._walks.values()),
            runs=self._runs,
            unexplained=self._findings.unexplained,
            findings=tuple(self._findings.kept),
            finding_count=self._findings.count,
        )

    def _looks_at(self, schedule_id: str) -> bool:
        return self._only is None or schedule_id in self._only

    def _take_schedule(self, schedule_id: str, recorded: Recorded) -> None:
        walk = self._walks.get(schedule_id)
        if walk is None:
            walk = self._walks[schedule_id] = ScheduleWalk(schedule_id, self._findings.add, self._format)
        for event in walk.take(recorded):
            self._awaited[event.run_id] = _Awaited(schedule_id, event.nominal, recorded.position, recorded.commit.at)

    def _take_run(self, created: RunCreated, position: Position) -> None:
        by = created.scheduled_by
        if by is None or by.backfill_id is not None or not self._looks_at(by.schedule_id):
            return
        self._runs += 1
        if self._awaited.pop(created.run_id, None) is None:
            words = f"Run {created.run_id} is of the time {self._format(by.nominal)}, which has no such run by the schedule's record."
            self._findings.add(
                Finding(
                    schedule_id=by.schedule_id,
                    fault=Fault.NO_OUTCOME,
                    words=words,
                    nominal=by.nominal,
                    run_id=created.run_id,
                    positions=(position,),
                )
            )


async def check_schedules(
    log: EventLog,
    *,
    only: Collection[str] | None = None,
    now: datetime | None = None,
    format_time: Callable[[datetime], str] = datetime.isoformat,
    on_progress: OnProgress = lambda _: None,
) -> ScheduleReport:
    """Check the schedules of the log, or `only` those of these ids. Reads the whole log once.

    Raises:
        LogError: the log could not be read.

    """
    now = now or datetime.now(UTC)  # before the log's end is asked for: what is due later may be missing there
    check = ScheduleCheck(only=only, format_time=format_time)
    async for recorded in recorded_until(log, None):
        check.take(recorded)
        if recorded.position % 1_000 == 0:
            on_progress(recorded.position)
    return check.end(now)
