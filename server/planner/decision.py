"""What is to be decided of a schedule now: its times that are due, each with the run that it would have."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from headwater.core.aggregates import Actor
from headwater.core.calendar.schedules import Schedule
from headwater.core.errors import CommandRejected, FlowArchived, NotFound
from headwater.core.events import FlowRegistered, Missed, ScheduledBy, ScheduleDefinition, ScheduleProgress, SkipReason
from headwater.core.flows.state import FlowGroup
from headwater.core.operations.flow_catalogue import FlowCatalogue
from headwater.core.operations.run_creation import RunRequest, creation
from headwater.core.runs.commands import CreateRun
from headwater.core.schedules.commands import DecideTimes, TimeDue
from headwater.core.schedules.due import due_times, due_with_jitter, interval_start, scheduled_run_id
from headwater.core.schedules.rules import policies_need_runs
from headwater.server.planner.open_runs import OpenRuns

INTERVAL = ("data_interval_start", "data_interval_end")
"""What runs that stand for an interval are given: in their context, and as parameters where the flow has them."""


@dataclass(frozen=True)
class Decision:
    """A command that decides times, and the runs that it may lead to, by their ids. `more` times are due."""

    command: DecideTimes
    runs: dict[str, CreateRun] = field(default_factory=dict)
    more: bool = False


class DecisionMaker:
    """Works out decisions, by what the log says of flows and runs."""

    def __init__(self, catalogue: FlowCatalogue, runs: OpenRuns, actor: Actor) -> None:
        self._catalogue = catalogue
        self._runs = runs
        self._actor = actor

    async def decision(self, definition: ScheduleDefinition, progress: ScheduleProgress, calendar: Schedule, now: datetime) -> Decision:
        """Return what is to be decided at this moment.

        Raises:
            LogError: what it depends on cannot be read now.

        """
        spec = definition.spec
        assert spec is not None
        policies = spec.policies
        due = due_times(calendar, policies, decided=progress.decided, now=now)
        needs_runs = bool(progress.open_runs) and policies_need_runs(policies)
        standing = await self._runs.standing(definition.schedule_id, progress.open_runs, now) if needs_runs else {}
        if not due.chosen and due.left_out == 0:
            return Decision(DecideTimes(at=now, until=progress.decided, standing=standing))
        problem, flow = await self._flow(definition.flow_group_id)
        times: list[TimeDue] = []
        runs: dict[str, CreateRun] = {}
        for each in due.chosen:
            since = None
            if policies.missed is Missed.MERGE:
                since = interval_start(calendar, policies, each, decided=progress.decided, now=now)
            time = TimeDue(
                nominal=each.nominal,
                due_at=due_with_jitter(calendar, policies, definition.schedule_id, each),
                run_id=scheduled_run_id(definition.schedule_id, each),
                clock=each.clock,
                parameters=each.parameters,
                labels=None if each.labels is None else tuple(each.labels),
                interval_start=since,
            )
            if flow is not None:
                time = self._with_run(definition, time, flow, runs, now)
            times.append(time)
        command = DecideTimes(
            at=now,
            until=due.until,
            times=tuple(times),
            left_out=due.left_out,
            missed=due.missed,
            standing=standing,
            problem=problem,
        )
        return Decision(command, runs, due.more)

    async def _flow(self, group_id: str) -> tuple[SkipReason | None, tuple[FlowRegistered, FlowGroup, str] | None]:
        """Return the version of the flow that takes runs, or why there is none."""
        try:
            return None, await self._catalogue.resolve_active(group_id)
        except NotFound as error:
            return (SkipReason.PROJECT_DELETED if error.kind == "project" else SkipReason.FLOW_ARCHIVED), None
        except FlowArchived:
            return SkipReason.FLOW_ARCHIVED, None

    def _with_run(
        self,
        definition: ScheduleDefinition,
        time: TimeDue,
        flow: tuple[FlowRegistered, FlowGroup, str],
        runs: dict[str, CreateRun],
        now: datetime,
    ) -> TimeDue:
        """Return the time with the flow version of its run, which joins `runs`; or with why there can be no such run."""
        version, group, project_name = flow
        with_flow = TimeDue(**{**vars(time), "flow_id": version.flow_id})
        try:
            request = request_of(definition.schedule_id, with_flow, version)
            runs[time.run_id] = creation(version, group, project_name, request, now=now)
        except CommandRejected as error:
            return TimeDue(**{**vars(with_flow), "refused": str(error)})
        return with_flow


def request_of(schedule_id: str, time: TimeDue, version: FlowRegistered, *, after_run_id: str | None = None) -> RunRequest:
    """Return what is asked for of the run of this time."""
    interval = {} if time.interval_start is None else dict(zip(INTERVAL, (time.interval_start, time.nominal), strict=True))
    told = {name: moment.isoformat() for name, moment in interval.items()}
    taken = {parameter.name for parameter in version.parameters}
    return RunRequest(
        parameters={**{name: value for name, value in told.items() if name in taken}, **time.parameters},
        labels=time.labels,
        context=told,
        due_at=time.due_at,
        run_id=time.run_id,
        scheduled_by=ScheduledBy(
            schedule_id=schedule_id, nominal=time.nominal, after_run_id=after_run_id, interval_start=time.interval_start
        ),
    )
