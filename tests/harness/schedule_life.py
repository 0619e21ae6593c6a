"""The life of a schedule in virtual time, decided by the real calendar and rules: for tests of whatever reads its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from msgspec import convert
from msgspec.structs import replace

from headwater.core.calendar import Schedule, schedule_from
from headwater.core.calendar.adjustments import add
from headwater.core.calendar.clocks import CronClock, IntervalClock
from headwater.core.errors import CommandRejected
from headwater.core.events import (
    AnyEvent,
    Missed,
    Origin,
    Overlap,
    RunCreated,
    RunScheduled,
    ScheduledBy,
    ScheduleFired,
    SchedulePolicies,
    ScheduleSpec,
    SkipReason,
    StorageReference,
)
from headwater.core.log import subjects
from headwater.core.log.codec import encode
from headwater.core.log.commit import new_commit
from headwater.core.log.protocol import Recorded
from headwater.core.schedules.commands import (
    DecideTimes,
    DeleteSchedule,
    PauseSchedule,
    ResumeSchedule,
    RunStanding,
    ScheduleCommand,
    SetSchedule,
    TimeDue,
)
from headwater.core.schedules.due import due_times, due_with_jitter, next_wake, scheduled_run_id
from headwater.core.schedules.rules import RULES
from headwater.core.schedules.state import ScheduleState
from headwater.core.values.identifiers import derived_id, flow_group_id, flow_version_id, schedule_id

PROJECT = derived_id("project", "tutorial")
GROUP = flow_group_id(PROJECT, "etl")
FLOW = flow_version_id(GROUP, 1)
SCHEDULE = schedule_id(GROUP)
START = datetime(2026, 11, 28, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hour(number: float) -> datetime:
    return START + number * HOUR


def hourly(**parameters: Any) -> dict[str, Any]:
    return Schedule([CronClock("0 * * * *", parameter_defaults=parameters or None)]).serialize()


TIMETABLES: list[dict[str, Any]] = [
    hourly(),
    Schedule([CronClock("0 */3 * * *"), CronClock("30 7 * * *")]).serialize(),
    # Two clocks that share instants, and one of them has more.
    Schedule(
        [CronClock("0 * * * *", parameter_defaults={"region": "north"}), IntervalClock(2 * HOUR, parameter_defaults={"region": "south"})]
    ).serialize(),
    # Runs that are due before their times: they are decided early.
    Schedule([CronClock("0 */2 * * *")], adjustments=[add(timedelta(minutes=-90))]).serialize(),
    Schedule([IntervalClock(timedelta(minutes=20), end_date=hour(9))]).serialize(),
]


class ScheduleLife:
    """A schedule, and the commits that its life leaves. `now` is in hours after `START`; so large a part of its runs is `refused`."""

    def __init__(self, chance: Random | None = None, *, refused: float = 0.0) -> None:
        self.now = 0.0
        self._refused = refused
        self.state = ScheduleState()
        self.recorded: list[Recorded] = []
        self._chance = chance or Random(0)

    def do(self, command: ScheduleCommand) -> Sequence[AnyEvent]:
        events = RULES.decide(self.state, command)
        self.state = RULES.fold(events, self.state)
        if events:
            self.record(subjects.schedule(SCHEDULE), events)
        for event in events:
            if isinstance(event, ScheduleFired):
                self.record(subjects.run(event.run_id), creation(event))
        return events

    def record(self, subject: str, events: Sequence[AnyEvent], *, actor: str = "planner") -> None:
        commit = new_commit(events, at=hour(self.now), actor=actor)
        self.recorded.append(Recorded(len(self.recorded) + 1, subject, hour(self.now), encode(commit)))

    def set(
        self, timetable: dict[str, Any] | None = None, origin: Origin = Origin.REGISTERED, *, activate: bool | None = None, **policies: Any
    ) -> None:
        spec = ScheduleSpec(hourly() if timetable is None else timetable, convert(policies, SchedulePolicies))
        self.do(
            SetSchedule(
                schedule_id=SCHEDULE,
                flow_group_id=GROUP,
                project_id=PROJECT,
                slug="",
                origin=origin,
                spec=spec,
                at=hour(self.now),
                activate=activate,
            )
        )

    def pause(self, until: float | None = None, note: str = "") -> None:
        self.do(PauseSchedule(hour(self.now), None if until is None else hour(until), note))

    def resume(self) -> None:
        self.do(ResumeSchedule(hour(self.now)))

    def delete(self, origin: Origin) -> None:
        self.do(DeleteSchedule(origin, hour(self.now)))

    def go_on(self, hours: float, *, problem: SkipReason | None = None) -> None:
        """Let so many hours pass with a server online, which decides each time as it comes."""
        end = self.now + hours
        while (wake := self._next_wake()) is not None and wake <= end:
            self.now = max(self.now, wake)
            if not self.look(problem=problem):
                break
        self.now = end

    def look(self, *, problem: SkipReason | None = None) -> bool:
        """Let a server decide what is due now, as the planner does; tell whether anything was."""
        done = False
        while self._decide(problem):
            done = True
        return done

    def _next_wake(self) -> float | None:
        spec, progress = self.state.spec, self.state.progress
        if spec is None or progress is None:
            return None
        wake = progress.pause.until if progress.pause else next_wake(schedule_from(spec.timetable), spec.policies, decided=progress.decided)
        return None if wake is None else (wake - START) / HOUR

    def _decide(self, problem: SkipReason | None) -> bool:
        spec, progress = self.state.spec, self.state.progress
        if spec is None or progress is None:
            return False
        calendar, now = schedule_from(spec.timetable), hour(self.now)
        due = due_times(calendar, spec.policies, decided=progress.decided, now=now)
        times = tuple(
            TimeDue(
                nominal=each.nominal,
                due_at=due_with_jitter(calendar, spec.policies, SCHEDULE, each),
                run_id=scheduled_run_id(SCHEDULE, each),
                flow_id=FLOW,
                clock=each.clock,
                parameters=each.parameters,
                refused="It cannot be made." if self._chance.random() < self._refused else "",
            )
            for each in due.chosen
        )
        ended = [RunStanding.SUCCEEDED, RunStanding.FAILED, RunStanding.CANCELLED]
        standing = {run.run_id: self._chance.choice([RunStanding.UNFINISHED, *ended]) for run in progress.open_runs}
        command = DecideTimes(
            at=now, until=due.until, times=times, left_out=due.left_out, missed=due.missed, standing=standing, problem=problem
        )
        return bool(self.do(command))


def creation(event: ScheduleFired) -> list[AnyEvent]:
    """What creates the run of a time."""
    by = ScheduledBy(schedule_id=SCHEDULE, nominal=event.nominal)
    storage = StorageReference(type="Local")
    created = RunCreated(event.run_id, FLOW, GROUP, PROJECT, "tutorial", "etl", 1, "quiet-heron", "q", storage, scheduled_by=by)
    return [created, RunScheduled(due_at=event.due_at, generation=1)]


def random_life(seed: int, steps: int = 25) -> ScheduleLife:
    """A life in which everything that can happen to a schedule may happen, decided by the real rules to its last moment."""
    chance = Random(seed)
    life = ScheduleLife(chance, refused=0.05)

    def some_policies() -> dict[str, Any]:
        return {
            "missed": chance.choice(list(Missed)),
            "window_seconds": chance.choice([0.0, 3_600.0, 7_200.0, 86_400.0]),
            "overlap": chance.choice(list(Overlap)),
            "pause_on_failure": chance.choice([None, None, 1, 3]),
            "max_runs": chance.choice([None, None, 1, 4]),
            "end": chance.choice([None, None, hour(life.now + 5)]),
            "jitter_seconds": chance.choice([0.0, 600.0]),
        }

    def set_to(timetable: dict[str, Any]) -> None:
        life.set(timetable, chance.choice(list(Origin)), activate=chance.choice([None, None, True, False]), **some_policies())

    some: list[Callable[[], object]] = [
        lambda: life.go_on(chance.choice([0.4, 1.0, 3.3])),
        lambda: life.go_on(chance.choice([0.4, 1.0, 3.3])),
        lambda: life.go_on(2, problem=SkipReason.FLOW_ARCHIVED),
        lambda: setattr(life, "now", life.now + chance.choice([0.7, 2.5, 6.0])),  # no server is online
        lambda: set_to(chance.choice(TIMETABLES)),
        lambda: set_to(hourly() if life.state.spec is None else life.state.spec.timetable),
        lambda: life.delete(chance.choice(list(Origin))),
        life.pause,
        lambda: life.pause(life.now + chance.choice([0.5, 4.0])),
        life.resume,
        life.resume,
    ]
    life.set(chance.choice(TIMETABLES), **some_policies())
    for _ in range(steps):
        try:
            chance.choice(some)()
        except CommandRejected:
            continue
    life.look()
    return life


def without(recorded: Sequence[Recorded], position: int, event: int | None = None) -> list[Recorded]:
    """The commits without that of the position, or without one event of it."""
    kept = []
    for each in recorded:
        if each.position != position:
            kept.append(each)
        elif event is not None and len(each.events) > 1:
            events = [other for number, other in enumerate(each.events) if number != event]
            kept.append(Recorded(each.position, each.subject, each.recorded_at, encode(replace(each.commit, events=tuple(events)))))
    return kept
