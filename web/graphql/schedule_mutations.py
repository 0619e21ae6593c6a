"""The mutations of schedules: the flow's own one, and those that users gave slugs."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

import msgspec
import strawberry
from strawberry import Info

from headwater.core.calendar.clock import Clock
from headwater.core.calendar.policies import check_policies
from headwater.core.calendar.schedules import Schedule
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.events import SchedulePolicies
from headwater.core.operations.flow_lookup import flow_group
from headwater.core.values.identifiers import schedule_id, split_flow_id
from headwater.core.values.moments import assume_utc
from headwater.web.graphql.context import Operation, operation_of
from headwater.web.graphql.payloads import SuccessPayload
from headwater.web.graphql.scalars import Identifier, Json
from headwater.web.schedules.clocks import cron_clock, interval_clock, zone_of

INTERVAL_SECONDS_MIN = 60
CLOCKS_MAX = 100


@strawberry.input(name="set_schedule_active_input")
class SetScheduleActiveInput:
    """Which flow, by the id of a version or of its group; and which of its schedules, where that is not its own one."""

    flow_id: Identifier
    slug: str = ""


@strawberry.input(name="set_schedule_inactive_input")
class SetScheduleInactiveInput:
    """The same; `note` says why, and `until` when it goes on by itself."""

    flow_id: Identifier
    slug: str = ""
    note: str = ""
    until: datetime | None = None


@strawberry.input(name="cron_clock_input")
class CronClockInput:
    cron: str
    parameter_defaults: Json | None = None
    labels: list[str] | None = strawberry.field(default=None, description="null: the flow's")


@strawberry.input(name="interval_clock_input")
class IntervalClockInput:
    interval: int = strawberry.field(description="seconds, at least 60")
    parameter_defaults: Json | None = None
    labels: list[str] | None = strawberry.field(default=None, description="null: the flow's")


@strawberry.input(name="schedule_policies_input")
class SchedulePoliciesInput:
    """How times become runs; what is left out has its default."""

    missed: str | None = strawberry.field(default=None, description="latest, all, none or merge")
    window: float | None = strawberry.field(default=None, description="seconds; a missed time older than this has no run")
    overlap: str | None = strawberry.field(default=None, description="skip, queue_one, queue_all, cancel_running or allow")
    jitter: float | None = strawberry.field(default=None, description="seconds; runs are due up to so much later")
    pause_on_failure: int | None = None
    end: datetime | None = None
    max_runs: int | None = None


@strawberry.input(name="set_flow_group_schedule_input")
class SetFlowGroupScheduleInput:
    flow_group_id: Identifier
    cron_clocks: list[CronClockInput] | None = None
    interval_clocks: list[IntervalClockInput] | None = None
    timezone: str | None = strawberry.field(default=None, description="such as Europe/Berlin; UTC where it is left out")
    slug: str = ""
    policies: SchedulePoliciesInput | None = None


@strawberry.input(name="delete_flow_group_schedule_input")
class DeleteFlowGroupScheduleInput:
    flow_group_id: Identifier
    slug: str = ""


@strawberry.type
class ScheduleMutation:
    """What can be done with schedules."""

    @strawberry.mutation
    async def set_schedule_active(self, info: Info, input: SetScheduleActiveInput) -> SuccessPayload:
        """Let times to come of a flow's schedule have runs."""
        operation = operation_of(info)
        found = await schedule_of(operation, input.flow_id, input.slug)
        operation.wrote((await operation.headwater.schedules.resume(found)).position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def set_schedule_inactive(self, info: Info, input: SetScheduleInactiveInput) -> SuccessPayload:
        """Let times to come of a flow's schedule have no runs."""
        operation = operation_of(info)
        found = await schedule_of(operation, input.flow_id, input.slug)
        operation.wrote((await operation.headwater.schedules.pause(found, note=input.note, until=input.until)).position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def set_flow_group_schedule(self, info: Info, input: SetFlowGroupScheduleInput) -> SuccessPayload:
        """Give a flow other times than those it was registered with, over all its versions."""
        operation = operation_of(info)
        data = {**Schedule(_clocks(input)).serialize(), "policies": _policies(input.policies)}
        group_id = split_flow_id(input.flow_group_id)[0]
        operation.wrote((await operation.headwater.schedules.set(group_id, data, slug=input.slug)).position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def delete_flow_group_schedule(self, info: Info, input: DeleteFlowGroupScheduleInput) -> SuccessPayload:
        """Take the times away that a user set: those that the flow was registered with hold again, where it has some."""
        operation = operation_of(info)
        found = await schedule_of(operation, input.flow_group_id, input.slug)
        operation.wrote((await operation.headwater.schedules.delete(found)).position)
        return SuccessPayload(success=True)


async def schedule_of(operation: Operation, flow_id: str, slug: str) -> str:
    """Return the id of the flow's schedule with this slug.

    Raises:
        InvalidArgument, NotFound: there is no such flow, or it has no such schedule.

    """
    group_id = split_flow_id(flow_id)[0]
    found = schedule_id(group_id, slug)
    if not (await operation.headwater.schedules.of(found).refresh()).exists:
        name = (await flow_group(operation.site.log.events, group_id).refresh()).name
        if not name:
            raise NotFound("flow", flow_id)
        raise NotFound(
            "schedule",
            f"{name}/{slug}" if slug else name,
            hint="The flow has no such schedule; set_flow_group_schedule gives it one.",
        )
    return found


def _clocks(input: SetFlowGroupScheduleInput) -> list[Clock]:
    """Return the clocks that were given.

    Raises:
        InvalidArgument: there are none, or one cannot be.

    """
    crons, intervals = input.cron_clocks or [], input.interval_clocks or []
    if not crons and not intervals:
        raise InvalidArgument(
            "Neither cron_clocks nor interval_clocks hold a clock.",
            hint="Give at least one; delete_flow_group_schedule takes a schedule away.",
        )
    if len(crons) + len(intervals) > CLOCKS_MAX:
        raise InvalidArgument(f"There are {len(crons) + len(intervals)} clocks; at most {CLOCKS_MAX} are taken.")
    zone = zone_of(input.timezone or "")
    return [*(_cron(each, zone) for each in crons), *(_interval(each, zone) for each in intervals)]


def _cron(given: CronClockInput, zone: tzinfo) -> Clock:
    return cron_clock(given.cron, zone, parameters=_parameters(given.parameter_defaults), labels=given.labels)


def _interval(given: IntervalClockInput, zone: tzinfo) -> Clock:
    parameters = _parameters(given.parameter_defaults)
    return interval_clock(given.interval, zone, seconds_min=INTERVAL_SECONDS_MIN, parameters=parameters, labels=given.labels)


def _parameters(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidArgument("What was given as parameter_defaults is not a JSON object.")
    return value


def _policies(given: SchedulePoliciesInput | None) -> dict[str, Any]:
    """Return the policies as schedules are set with them.

    Raises:
        InvalidArgument: one has a value that it cannot have.

    """
    if given is None:
        return {}
    names = {"window": "window_seconds", "jitter": "jitter_seconds"}
    found = {names.get(name, name): value for name, value in vars(given).items() if value is not None}
    if given.end is not None:
        found["end"] = assume_utc(given.end).isoformat()
    try:
        check_policies(msgspec.convert(found, SchedulePolicies))
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"The policies cannot be so: {error}.") from None
    return found
