"""Looking at one schedule: its due times are decided, the runs of those that have one are made, and its timer is set for the next.

Each step may be repeated, and another server may do the same at the same time: decisions are appended conditionally, runs have ids that
follow from their times, and a look begins by completing what the last decision led to. So a server that dies at any point loses no time
and doubles none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from headwater.core.aggregates import Actor, Aggregate
from headwater.core.calendar.schedules import Schedule
from headwater.core.errors import CommandRejected, Conflict, NotFound
from headwater.core.events import AnyEvent, CancelCause, ScheduleDefinition, ScheduleFired, ScheduleResumed
from headwater.core.log import subjects
from headwater.core.log.protocol import Log, WorkItem
from headwater.core.operations.flow_lookup import registration
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import RunCreation, creation
from headwater.core.operations.schedules import schedule
from headwater.core.runs.commands import CreateRun
from headwater.core.schedules.commands import ResumeSchedule, ScheduleCommand, TimeDue
from headwater.core.schedules.due import next_wake
from headwater.core.schedules.rules import PAUSES_BY_THE_FLOW, tells_all
from headwater.core.schedules.state import ScheduleState, evolve
from headwater.server.planner.decision import Decision, DecisionMaker, request_of
from headwater.server.planner.known_flows import KnownFlows
from headwater.server.planner.open_runs import OpenRuns
from headwater.server.planner.timetables import Timetables

KEPT_MAX = 20_000

_log = logging.getLogger(__name__)


@dataclass
class Kept:
    """A schedule as this server knows it, and up to which position what it decided was carried out."""

    aggregate: Aggregate[ScheduleState, ScheduleCommand]
    carried_out: int = 0
    has_timer: bool = True


class ScheduleKeeper:
    """Looks at schedules, at each once at a time. Times are due by `clock`, the actor's by default.

    `observe` is called with each event that it wrote.
    """

    def __init__(
        self,
        log: Log,
        actor: Actor,
        *,
        clock: Callable[[], datetime] | None = None,
        observe: Callable[[str, AnyEvent, datetime], None] = lambda *_: None,
    ) -> None:
        self._log = log
        self._actor = actor
        self._clock = clock or actor.clock
        self._headwater = Headwater(log, actor)
        self._creation = RunCreation(log, self._headwater.catalogue)
        self._observe = observe
        self._timetables = Timetables()
        self._kept: dict[str, Kept] = {}
        self.runs = OpenRuns(log.events)
        self.flows = KnownFlows(self._headwater.catalogue)
        self._decisions = DecisionMaker(self.flows, self.runs)

    async def look(self, schedule_id: str, *, at_least: datetime | None = None, refresh: bool = True) -> datetime | None:
        """Decide what is due, and set the timer; return when the next look is due, None where no time is to come.

        `at_least` is what time it is by the log's own clock, which counts where this machine's is behind. Without `refresh` what is known
        of the schedule is taken for the newest, which costs a conflict where it is not.

        Raises:
            LogError: the log is away; a later look goes on where this one ended.

        """
        kept = self._keep(schedule_id)
        kept.has_timer = kept.has_timer and at_least is None  # it was the timer that woke us
        if refresh or not kept.aggregate.position:
            await kept.aggregate.refresh()
        while True:
            await self._complete(kept)
            state, now = kept.aggregate.state, self._now(at_least)
            definition, progress = state.definition, state.progress
            if definition is None or progress is None or definition.spec is None:
                return await self._set_timer(kept, None)
            if progress.pause is not None and (progress.pause.until is None or progress.pause.until > now):
                return await self._set_timer(kept, progress.pause.until)
            calendar = self._timetables.of(schedule_id, definition.spec)
            if calendar is None:
                return await self._set_timer(kept, None)
            decision = await self._decisions.decision(definition, progress, calendar, now)
            if await self._decide(kept, definition.schedule_id, decision) and not self._is_due(decision.next_wake, at_least):
                return await self._set_timer(kept, decision.next_wake)

    async def resume_with_flow(self, schedule_id: str) -> None:
        """Resume a schedule that was paused because its flow took no runs, where it takes some again.

        Raises:
            LogError: the log is away.

        """
        kept = self._keep(schedule_id)
        await kept.aggregate.refresh()
        definition = kept.aggregate.state.definition
        if definition is None:
            return
        try:
            await self._headwater.catalogue.resolve_active(definition.flow_group_id)
            await kept.aggregate.execute(ResumeSchedule(self._actor.clock(), causes=PAUSES_BY_THE_FLOW), self._actor, refresh=False)
        except CommandRejected:
            return  # it takes none, or the schedule was deleted

    def needs_ends_of_runs(self, schedule_id: str) -> bool:
        """Tell whether the schedule may have to be paused as soon as a run of it has failed."""
        kept = self._kept.get(schedule_id)
        spec = None if kept is None else kept.aggregate.state.spec
        return spec is not None and spec.policies.pause_on_failure is not None

    def next_time(self, schedule_id: str, last: AnyEvent) -> tuple[bool, datetime | None]:
        """Return when a schedule with this last event is due next; False where the event does not tell all of it."""
        if not tells_all(last):
            return False, None
        state = evolve(ScheduleState(), last)
        spec = state.spec
        calendar = None if spec is None else self._timetables.of(schedule_id, spec)
        try:
            return True, None if calendar is None or state.definition is None else self._next(state.definition, state, calendar)
        except Exception:  # noqa: BLE001 - a look at it says what is wrong; the others are to be heard of
            return False, None

    def forget_what_is_followed(self) -> None:
        """Read flows and runs again: the connection was away, and what happened meanwhile comes a moment later."""
        self.flows.clear()
        self.runs.clear()

    def _keep(self, schedule_id: str) -> Kept:
        if schedule_id not in self._kept:
            self._kept[schedule_id] = Kept(schedule(self._log.events, schedule_id))
            if len(self._kept) > KEPT_MAX:
                del self._kept[next(iter(self._kept))]
        return self._kept[schedule_id]

    def _now(self, at_least: datetime | None) -> datetime:
        now = self._clock()
        return now if at_least is None else max(now, at_least)

    def _is_due(self, moment: datetime | None, at_least: datetime | None) -> bool:
        return moment is not None and moment <= self._now(at_least)

    def _next(self, definition: ScheduleDefinition, state: ScheduleState, calendar: Schedule) -> datetime | None:
        assert definition.spec is not None
        if state.progress is None or state.progress.pause is not None:
            return None if state.progress is None or state.progress.pause is None else state.progress.pause.until
        return next_wake(calendar, definition.spec.policies, decided=state.progress.decided)

    async def _decide(self, kept: Kept, schedule_id: str, decision: Decision) -> bool:
        """Record the decision and make its runs; tell whether it holds. If it does not, the schedule is not as it was thought to be."""
        before = kept.aggregate.state.progress
        try:
            outcome = await kept.aggregate.execute(decision.command, self._actor, refresh=False, expected_position=kept.aggregate.position)
        except (Conflict, NotFound):
            await kept.aggregate.refresh()  # another server was first, or it was deleted
            return False
        if outcome.commit is None:
            return True
        after = outcome.state.progress
        assert before is not None
        assert after is not None
        for run in set(before.open_runs) - set(after.open_runs):
            self.runs.forget(run.run_id)
        for run in after.open_runs:
            if run.run_id in decision.runs:
                self.runs.expect(run.run_id, schedule_id)
        await self._carry_out(schedule_id, outcome.commit.events, decision.runs)
        kept.carried_out = kept.aggregate.position
        for event in outcome.commit.events:
            self._observe(schedule_id, event, outcome.commit.at)
        return after.pause is None and not isinstance(outcome.commit.events[-1], ScheduleResumed)

    async def _complete(self, kept: Kept) -> None:
        """Carry out what the last decision led to, which its server may not have done before it died."""
        position, progress = kept.aggregate.position, kept.aggregate.state.progress
        if kept.carried_out == position or progress is None:
            return
        missing = {run_id for run_id in progress.last_runs if await self._log.events.last(subjects.run(run_id)) is None}
        if missing:
            history = await self._log.events.read(kept.aggregate.subject)
            events = [event for recorded in history for event in recorded.events if getattr(event, "run_id", None) in missing]
            await self._carry_out(subjects.address(kept.aggregate.subject).id, events, {})
        kept.carried_out = position

    async def _carry_out(self, schedule_id: str, events: Sequence[AnyEvent], prepared: dict[str, CreateRun]) -> None:
        for event in events:
            if not isinstance(event, ScheduleFired):
                continue
            for run_id in event.cancels:  # first: a run that is there has had this done for it
                await self._cancel(run_id, event)
            command = prepared.get(event.run_id)
            if command is None:
                await self._create_again(schedule_id, event)
            else:
                scheduled_by = command.created.scheduled_by
                assert scheduled_by is not None
                if event.after_run_id is not None:
                    created = replace(command.created, scheduled_by=replace(scheduled_by, after_run_id=event.after_run_id))
                    command = CreateRun(created, command.due_at, command.attempts_max)
                await self._creation.write(command, self._actor)

    async def _create_again(self, schedule_id: str, event: ScheduleFired) -> None:
        """Create the run of a time that was fired by a server that died before it did."""
        try:
            version = await registration(self._log.events, event.flow_id)
            group = await self._headwater.catalogue.group(version.flow_group_id)
            project = await self._headwater.catalogue.project_name(version.project_id)
            time = TimeDue(
                nominal=event.nominal,
                due_at=event.due_at,
                run_id=event.run_id,
                clock=event.clock,
                parameters=event.parameters,
                labels=event.labels,
                interval_start=event.interval_start,
            )
            request = request_of(schedule_id, time, version, after_run_id=event.after_run_id)
            await self._creation.write(creation(version, group, project, request, now=self._actor.clock()), self._actor)
        except CommandRejected as error:
            _log.error("The run %s of schedule %s cannot be made any more: %s", event.run_id, schedule_id, error)
            self.runs.note_never(event.run_id, schedule_id)

    async def _cancel(self, run_id: str, event: ScheduleFired) -> None:
        try:
            reason = f"The next run of its schedule ({event.run_id}) took its place."
            await self._headwater.runs.cancel(run_id, reason=reason, cause=CancelCause.SCHEDULE)
        except CommandRejected as error:
            _log.debug("Run %s needs no cancel: %s", run_id, error)

    async def _set_timer(self, kept: Kept, due: datetime | None) -> datetime | None:
        schedule_id = subjects.address(kept.aggregate.subject).id
        if due is not None:
            item = WorkItem(run_id=schedule_id, queue_id=subjects.SCHEDULES_QUEUE, generation=kept.aggregate.state.generation)
            await self._log.queues.set_timer(item, due=due)
        elif kept.has_timer:
            await self._log.queues.cancel_timer(schedule_id)
        kept.has_timer = due is not None
        return due
