"""What the commits of a schedule say of one moment: its outcome, the pause it lies in, and which times held then."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from headwater.audit.explanation import Evidence
from headwater.core.describe import describe_event
from headwater.core.events import (
    AnyEvent,
    ScheduleCaughtUp,
    ScheduleDeleted,
    ScheduleFired,
    SchedulePaused,
    ScheduleResumed,
    ScheduleSet,
    ScheduleSkipped,
    ScheduleSpec,
)
from headwater.core.log.commit import Commit
from headwater.core.log.protocol import Recorded
from headwater.core.schedules.state import ScheduleState, evolve


@dataclass(frozen=True)
class Told:
    """An event, with the commit that it is in."""

    recorded: Recorded
    event: AnyEvent

    @property
    def commit(self) -> Commit:
        return self.recorded.commit

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.recorded.position, self.commit.at, self.commit.actor, describe_event(self.event))


@dataclass
class TimeRecord:
    """Takes the commits of a schedule in order, and keeps those that say something of `moment`.

    `spec` is what held then; `paused` and `resumed` tell of the pause that the moment is in. `due` are times whose runs were due then.
    """

    moment: datetime
    state: ScheduleState = field(default_factory=ScheduleState)
    spec: ScheduleSpec | None = None
    passed: bool = False
    """Whether what held at the moment was replaced since."""
    changed: list[Told] = field(default_factory=list)
    """What set the times that hold at the moment."""
    outcomes: list[Told] = field(default_factory=list)
    due: list[Told] = field(default_factory=list)
    left_out: Told | None = None
    replaced: Told | None = None
    paused: list[Told] = field(default_factory=list)
    resumed: Told | None = None

    def take(self, recorded: Recorded) -> None:
        for event in recorded.events:
            told = Told(recorded, event)
            match event:
                case ScheduleFired() | ScheduleSkipped():
                    self._take_outcome(told, event)
                case ScheduleCaughtUp() if event.since < self.moment <= event.until:
                    self.left_out = told
                case SchedulePaused() if self.resumed is None and event.since < self.moment:
                    self.paused.append(told)
                case ScheduleResumed() if self.paused and self.resumed is None:
                    self._take_end_of_pause(told, event)
                case ScheduleSet() | ScheduleDeleted():
                    self._take_change(told, event)
                case _:
                    pass
            self.state = evolve(self.state, event)
        if not self.passed:
            self.spec = self.state.spec

    def _take_outcome(self, told: Told, event: ScheduleFired | ScheduleSkipped) -> None:
        if event.nominal == self.moment:
            self.outcomes.append(told)
        elif isinstance(event, ScheduleFired) and event.due_at == self.moment:
            self.due.append(told)

    def _take_end_of_pause(self, told: Told, event: ScheduleResumed) -> None:
        if event.at < self.moment:
            self.paused = []  # it was over before
        else:
            self.resumed = told

    def _take_change(self, told: Told, event: ScheduleSet | ScheduleDeleted) -> None:
        if self.passed:
            return
        if event.until >= self.moment:
            self.passed, self.spec = True, self.state.spec
            if event.since < self.moment:
                self.replaced = told
        elif evolve(self.state, event).spec != self.state.spec:
            self.changed = [told]
