"""A schedule's life, walked commit by commit beside its calendar: each time must have exactly one outcome.

A time is fired or skipped, or lies in a span that has one outcome as a whole: a pause, times that were missed and left out, times that
were replaced by others. The walk trusts no `after` and no `decided` of the events: what is missing there is what it looks for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from headwater.audit.expected_times import ExpectedTimes, Span, not_covered
from headwater.audit.schedule_findings import Fault, Finding
from headwater.core.events import (
    AnyEvent,
    ScheduleCaughtUp,
    ScheduleDeleted,
    ScheduleFired,
    SchedulePaused,
    ScheduleResumed,
    ScheduleSet,
    ScheduleSkipped,
)
from headwater.core.log.protocol import Recorded
from headwater.core.schedules.state import ScheduleState, evolve

GRACE = timedelta(seconds=5)
"""A time that passed so shortly ago need not have been decided yet, nor its run been made."""
COUNTED_MAX = 10_000
"""Times without an outcome are counted up to here, of those between two that have one."""
_END = datetime.max.replace(tzinfo=UTC)

Point = ScheduleFired | ScheduleSkipped
Key = tuple[datetime, str]


@dataclass
class _Decided:
    """What one commit decides: times by themselves, and spans."""

    points: dict[Key, Point] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)


class ScheduleWalk:
    """Takes the commits of one schedule in order. What is wrong is handed to `found`."""

    def __init__(self, schedule_id: str, found: Callable[[Finding], None], format_time: Callable[[datetime], str]) -> None:
        self._id = schedule_id
        self._found = found
        self._format = format_time
        self._state = ScheduleState()
        self._expected = ExpectedTimes(None)
        self._decided: datetime | None = None
        self._pause: tuple[datetime, datetime | None] | None = None
        self._position = 0
        self._found_at = 0
        self._generation = 0
        self.outcomes = 0

    def take(self, recorded: Recorded) -> list[ScheduleFired]:
        """Take a commit in; return the times that have runs by it."""
        self._position = recorded.position
        if recorded.dead_letter is not None:
            self._report(Fault.UNREADABLE, f"The commit at position {recorded.position} cannot be read: {recorded.dead_letter}")
            return []
        decided, fired = _Decided(), []
        for event in recorded.events:
            match event:
                case ScheduleFired() | ScheduleSkipped():
                    if self._note(decided, event) and isinstance(event, ScheduleFired):
                        fired.append(event)
                case ScheduleCaughtUp():
                    decided.spans.append((event.since, event.until))
                case ScheduleSet() | ScheduleDeleted() | SchedulePaused() | ScheduleResumed():
                    self._settle(decided)
                    decided = _Decided()
                    self._change(event)
                case _:
                    pass
        self._settle(decided)
        if recorded.events:
            self._compare(recorded.events[-1])
        return fired

    def end(self, now: datetime) -> None:
        """Look for times that are over, and were not decided."""
        if self._decided is None:
            return
        until = now - GRACE
        paused = [] if self._pause is None else [(self._pause[0], self._pause[1] or _END)]
        self._account(until, paused, {}, Fault.OVERDUE)

    def _note(self, decided: _Decided, event: Point) -> bool:
        """Take in the outcome of one time; tell whether it is the first one."""
        self.outcomes += 1
        key = (event.nominal, event.clock)
        if key in decided.points or (self._decided is not None and event.nominal <= self._decided):
            self._report(Fault.DOUBLED, f"The time {self._format(event.nominal)} has a second outcome: {_outcome(event)}.", event)
            return False
        if self._pause is not None and event.nominal > self._pause[0]:
            since = self._format(self._pause[0])
            self._report(
                Fault.DOUBLED, f"The time {self._format(event.nominal)} is in the pause since {since}, and {_outcome(event)} too.", event
            )
        decided.points[key] = event
        return True

    def _settle(self, decided: _Decided) -> None:
        """Compare what was decided together with the calendar."""
        ends = [nominal for nominal, _ in decided.points] + [until for _, until in decided.spans]
        if not ends:
            return
        if self._decided is None:
            self._decided = min([nominal for nominal, _ in decided.points] + [since for since, _ in decided.spans]) - timedelta(seconds=1)
        if self._pause is not None:
            decided.spans.append((self._pause[0], _END))
        self._account(max(ends), decided.spans, decided.points)

    def _change(self, event: ScheduleSet | ScheduleDeleted | SchedulePaused | ScheduleResumed) -> None:
        """Take in what changes the times that are to come."""
        match event:
            case ScheduleSet() | ScheduleDeleted():
                self._decided = self._decided or event.until
                self._account(event.until, [(event.since, event.until), *self._paused_until(_END)], {})
                self._learn(event)
            case SchedulePaused():
                self._generation += 1
                self._decided = self._decided or event.since
                if self._pause is None:
                    self._account(event.since, [], {})
                    self._pause = (event.since, event.until)
                else:
                    self._pause = (self._pause[0], event.until)
            case ScheduleResumed():
                self._generation += 1
                self._decided = self._decided or event.at
                self._account(event.at, self._paused_until(event.at), {})
                self._pause = None

    def _compare(self, last: AnyEvent) -> None:
        """Compare what followed from the commits with what the last event says: an event that set or paused it may be missing."""
        before, after = self._state.spec, getattr(last, "after", None)
        self._learn(last)
        if after is None:
            return
        pause = None if after.pause is None else (after.pause.since, after.pause.until)
        if self._found_at != self._position and (self._state.spec, pause, after.decided, after.generation) != (
            before,
            self._pause,
            self._decided,
            self._generation,
        ):
            what = "Its times" if self._state.spec != before else "How far it is" if pause == self._pause else "Whether it is paused"
            self._report(Fault.UNTOLD, f"{what} changed up to position {self._position}, and no event says so.")
        self._pause, self._decided, self._generation = pause, after.decided, after.generation

    def _learn(self, event: AnyEvent) -> None:
        """Take in what the schedule is from here on."""
        before, self._state = self._state.spec, evolve(self._state, event)
        if self._state.spec != before:
            self._generation += 1
            self._expected = ExpectedTimes(self._state.spec)
            self._tell_problem()

    def _paused_until(self, moment: datetime) -> list[Span]:
        return [] if self._pause is None else [(self._pause[0], moment)]

    def _account(self, until: datetime, spans: list[Span], points: dict[Key, Point], fault: Fault = Fault.UNEXPLAINED) -> None:
        """Look whether each time that was not decided, up to `until`, has one of these outcomes, and each outcome is of a time."""
        assert self._decided is not None
        left = dict(points)
        problem = self._expected.problem
        for after, to in not_covered(self._decided, until, spans):
            without: list[datetime] = []
            for each in self._expected.between(after, to):
                if left.pop((each.nominal, each.clock), None) is None:
                    without.append(each.nominal)
                    if len(without) >= COUNTED_MAX:
                        break
            self._report_gap(without, fault)
        for point in left.values():
            if not problem and not self._expected.has(point.nominal, point.clock):
                why = "" if self._state.exists else ": it had no times then"
                words = f"{self._format(point.nominal)} is {_outcome(point)}, and is not a time of the schedule{why}."
                self._report(Fault.NOT_A_TIME, words, point)
        if not problem:
            self._tell_problem()
        self._decided = max(self._decided, until)

    def _report_gap(self, without: list[datetime], fault: Fault) -> None:
        if not without:
            return
        first, last, number = without[0], without[-1], len(without)
        times = f"{number:,} times from {self._format(first)} to {self._format(last)} have"
        what = f"The time {self._format(first)} has" if number == 1 else f"More than {times}" if number >= COUNTED_MAX else times
        because = ": no server has decided what becomes of them" if fault is Fault.OVERDUE else ", though the schedule went on"
        words = f"{what} no outcome{because}."
        self._add(Finding(schedule_id=self._id, fault=fault, words=words, nominal=first, until=last, times=number))

    def _tell_problem(self) -> None:
        if self._expected.problem:
            self._report(Fault.UNREADABLE, f"{self._expected.problem}.")

    def _report(self, fault: Fault, words: str, point: Point | None = None) -> None:
        run_id = point.run_id if isinstance(point, ScheduleFired) else None
        nominal = None if point is None else point.nominal
        self._add(Finding(schedule_id=self._id, fault=fault, words=words, nominal=nominal, run_id=run_id))

    def _add(self, finding: Finding) -> None:
        self._found_at = self._position
        self._found(replace(finding, positions=(self._position,)))


def _outcome(point: Point) -> str:
    return f"fired (run {point.run_id})" if isinstance(point, ScheduleFired) else "skipped"
