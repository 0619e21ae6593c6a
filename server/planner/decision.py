"""What is to be decided of a schedule now: its times that are due, each with the run that it would have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from headwater.core.calendar.schedules import Schedule
from headwater.core.errors import CommandRejected
from headwater.core.events import FlowRegistered, Missed, ScheduledBy, ScheduleDefinition, ScheduleProgress
from headwater.core.operations.run_creation import RunRequest, creation
from headwater.core.runs.commands import CreateRun
from headwater.core.schedules.commands import DecideTimes, RunStanding, TimeDue
from headwater.core.schedules.due import due_times, due_with_jitter, interval_start, scheduled_run_id
from headwater.core.schedules.rules import policies_need_runs
from headwater.server.planner.known_flows import ActiveFlow, KnownFlows
from headwater.server.planner.open_runs import OpenRuns

INTERVAL = ("data_interval_start", "data_interval_end")
"""What runs that stand for an interval are given: in their context, and as parameters where the flow has them."""


@dataclass(frozen=True)
class Decision:
    """A command that decides times, and the runs that it may lead to, by their ids.

    `next_wake`: when the time after these is to be decided.
    """

    command: DecideTimes
    runs: dict[str, CreateRun] = field(default_factory=dict)
    next_wake: datetime | None = None


class DecisionMaker:
    """Works out decisions, by what the log says of flows and runs."""

    def __init__(self, flows: KnownFlows, runs: OpenRuns) -> None:
        self._flows = flows
        self._runs = runs

    async def decision(self, definition: ScheduleDefinition, progress: ScheduleProgress, calendar: Schedule, now: datetime) -> Decision:
        """Return what is to be decided at this moment.

        Raises:
            LogError: what it depends on cannot be read now.

        """
        spec = definition.spec
        assert spec is not None
        policies = spec.policies
        due = due_times(calendar, policies, decided=progress.decided, now=now)
        standing: Mapping[str, RunStanding] = {}
        if policies_need_runs(policies) and (due.chosen or policies.pause_on_failure is not None):
            standing = await self._runs.standing(definition.schedule_id, progress.open_runs, now)
        if not due.chosen and due.left_out == 0:
            return Decision(DecideTimes(at=now, until=progress.decided, standing=standing), next_wake=due.next_wake)
        flow = await self._flows.active(definition.flow_group_id)
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
            if isinstance(flow, ActiveFlow):
                time = self._with_run(definition, time, flow, runs, now)
            times.append(time)
        command = DecideTimes(
            at=now,
            until=due.until,
            times=tuple(times),
            left_out=due.left_out,
            missed=due.missed,
            standing=standing,
            problem=None if isinstance(flow, ActiveFlow) else flow,
        )
        return Decision(command, runs, due.next_wake)

    def _with_run(
        self,
        definition: ScheduleDefinition,
        time: TimeDue,
        flow: ActiveFlow,
        runs: dict[str, CreateRun],
        now: datetime,
    ) -> TimeDue:
        """Return the time with the flow version of its run, which joins `runs`; or with why there can be no such run."""
        with_flow = TimeDue(**{**vars(time), "flow_id": flow.version.flow_id})
        try:
            request = request_of(definition.schedule_id, with_flow, flow.version)
            runs[time.run_id] = creation(flow.version, flow.group, flow.project_name, request, now=now)
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
            schedule_id=schedule_id, nominal=time.nominal, clock=time.clock, after_run_id=after_run_id, interval_start=time.interval_start
        ),
    )
