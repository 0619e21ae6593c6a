"""What a check of schedules found: times without an outcome, with two, and runs that do not fit."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from headwater.core.log.commit import Position
from headwater.core.values.limits import Instant

FINDINGS_MAX = 10_000
"""So many findings are reported; the others are counted."""


class Fault(StrEnum):
    """What can be wrong with a schedule's record."""

    UNEXPLAINED = "unexplained"
    """A time has no outcome, though later ones have."""
    OVERDUE = "overdue"
    """A time is over, and no server has decided what becomes of it."""
    DOUBLED = "doubled"
    """A time has two outcomes."""
    NOT_A_TIME = "not a time"
    """An outcome is recorded of a time that the schedule does not have."""
    NO_RUN = "no run"
    """A time has a run that is not in the log."""
    NO_OUTCOME = "no outcome"
    """A run says that it is of a time which has no run by the schedule's record."""
    UNTOLD = "untold"
    """What the schedule is does not follow from its events: one is missing that set, paused, resumed or deleted it."""
    UNREADABLE = "unreadable"
    """The times of the schedule, or a commit on it, cannot be read."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, in words; of several times in a row the first and the last, and how many they are."""

    schedule_id: str
    fault: Fault
    words: str
    nominal: Instant | None = None
    until: Instant | None = None
    times: int = 1
    run_id: str | None = None
    positions: tuple[Position, ...] = ()


class ScheduleReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at and found; of very many findings the first. `outcomes` counts times that were fired or skipped."""

    schedules: int
    outcomes: int
    runs: int
    unexplained: int
    """How many times have no outcome."""
    findings: tuple[Finding, ...]
    finding_count: int = 0


class Findings:
    """Collects findings, of very many the first."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.count = 0
        self.unexplained = 0

    def add(self, finding: Finding) -> None:
        self.count += 1
        if finding.fault in {Fault.UNEXPLAINED, Fault.OVERDUE}:
            self.unexplained += finding.times
        if len(self.kept) < FINDINGS_MAX:
            self.kept.append(finding)
