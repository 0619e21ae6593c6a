"""Backfills: read with how far they are, requested, tried without recording anything, and cancelled."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from strawberry import Info

from headwater.core.errors import InvalidArgument
from headwater.core.events import BackfillChoice
from headwater.core.operations.backfills import backfill
from headwater.core.queries import BackfillRow
from headwater.core.queries.backfill_plan import BackfillPlan, plan_backfill, until_now
from headwater.core.values.plain_values import shortened
from headwater.web.graphql import columns
from headwater.web.graphql.context import operation_of
from headwater.web.graphql.inputs import BackfillOrder, BackfillWhere, order_of, where_of
from headwater.web.graphql.scalars import Identifier, Json
from headwater.web.graphql.schedule_mutations import schedule_of
from headwater.web.graphql.types import FlowRun
from headwater.web.schedules.backfill_form import span_moment

ROWS = 100
RUNS_MAX = 1_000


@strawberry.type(name="backfill")
class BackfillType:
    """Runs for times of a schedule that are over."""

    id: Identifier
    name: str
    schedule_id: Identifier
    flow_group_id: Identifier
    flow_name: str
    slug: str
    project_id: Identifier
    project_name: str
    state: str
    choice: str
    since: datetime
    until: datetime
    times: int
    run_limit: int
    parameters: Json
    started: int
    succeeded: int
    failed: int
    cancelled: int
    created: datetime
    created_by: str
    ended: datetime | None

    @classmethod
    def of(cls, row: BackfillRow) -> BackfillType:
        return cls(**{name: getattr(row, name) for name in cls.__annotations__})

    @strawberry.field
    async def flow_runs(self, info: Info, limit: int = ROWS) -> list[FlowRun]:
        """Return its runs that are there, in the order of its times; at most 1,000."""
        if not 0 <= limit <= RUNS_MAX:
            raise InvalidArgument(f"A limit here is a number from 0 to {RUNS_MAX}, not {limit}.")
        operation = operation_of(info)
        ids = (await backfill(operation.site.log.events, self.id).refresh()).run_ids[:limit]
        found = await operation.runs.load_many(ids)
        return [FlowRun.of(row) for row in found if row is not None]


@strawberry.type
class BackfillQuery:
    """What can be read of backfills."""

    @strawberry.field
    async def backfill(
        self,
        info: Info,
        where: BackfillWhere | None = None,
        order_by: list[BackfillOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[BackfillType]:
        """Return backfills, the newest first unless asked otherwise."""
        conditions, order = where_of(where, columns.BACKFILL), order_of(order_by, columns.BACKFILL)
        found = await operation_of(info).views.find("backfills", BackfillRow, conditions, order_by=order, limit=limit, offset=offset)
        return [BackfillType.of(row) for row in found]

    @strawberry.field
    async def backfill_by_pk(self, info: Info, id: Identifier) -> BackfillType | None:
        """Return the backfill of this id."""
        found = await operation_of(info).views.find("backfills", BackfillRow, {"id": {"_eq": id}}, limit=1)
        return BackfillType.of(found[0]) if found else None


@strawberry.input(name="create_backfill_input")
class CreateBackfillInput:
    """Which schedule of which flow, by either id of it, and which of its times."""

    flow_id: Identifier | None = None
    flow_group_id: Identifier | None = None
    slug: str = ""
    since: datetime = strawberry.field(name="from", description="the first time, included")
    until: datetime | None = strawberry.field(name="to", default=None, description="the last time, included; now where it is left out")
    choice: str = strawberry.field(
        default="missing", description="missing (times without a run), failed (whose last run failed or was cancelled) or all"
    )
    limit: int = strawberry.field(default=1, description="so many of its runs are unfinished at once, at most")
    reverse: bool = strawberry.field(default=False, description="begin with the newest time")
    parameters: Json | None = strawberry.field(default=None, description="values for all its runs, before those of the clocks")
    dry_run: bool = strawberry.field(default=False, description="tell which times would have runs, and record nothing")


@strawberry.input(name="cancel_backfill_input")
class CancelBackfillInput:
    """Which backfill, and why."""

    backfill_id: Identifier
    reason: str = ""


@strawberry.type(name="backfill_time")
class BackfillTimeType:
    """A time that has a run in a backfill."""

    nominal: datetime
    last_state: str | None = strawberry.field(description="the state of the last run that it had before; null where it had none")
    parameters: Json = strawberry.field(description="what its clock gives the run")
    labels: list[str] | None = strawberry.field(description="null: the flow's")


@strawberry.type(name="create_backfill_payload")
class CreateBackfillPayload:
    """The backfill that was requested, and its times in their order."""

    id: Identifier | None = strawberry.field(description="null where nothing was requested: in a dry run, or for no times")
    name: str | None
    times: list[BackfillTimeType]

    @classmethod
    def of(cls, plan: BackfillPlan, id: str | None = None, name: str | None = None) -> CreateBackfillPayload:
        times = [
            BackfillTimeType(
                nominal=time.nominal,
                last_state=plan.last_state(time),
                parameters=Json(time.parameters),
                labels=None if time.labels is None else list(time.labels),
            )
            for time in plan.times
        ]
        return cls(id=None if id is None else Identifier(id), name=name, times=times)


@strawberry.type(name="cancel_backfill_payload")
class CancelBackfillPayload:
    """The state of the backfill after it was asked to end."""

    state: str = strawberry.field(description='one of "cancelling", "completed" and "cancelled"')


@strawberry.type
class BackfillMutation:
    """What can be done with backfills."""

    @strawberry.mutation
    async def create_backfill(self, info: Info, input: CreateBackfillInput) -> CreateBackfillPayload:
        """Let times of a schedule that are over have runs; with `dry_run` tell which would."""
        operation = operation_of(info)
        flow_id = input.flow_id or input.flow_group_id
        if flow_id is None:
            raise InvalidArgument("Which flow's schedule it is about was not said.", hint="Give flow_id, or flow_group_id.")
        choice, parameters = _choice(input.choice), _parameters(input.parameters)
        found = await schedule_of(operation, flow_id, input.slug)
        definition = (await operation.headwater.schedules.load(found)).state.definition
        assert definition is not None, "a schedule that is there is known"
        since = span_moment(input.since)
        until = until_now(None if input.until is None else span_moment(input.until), operation.actor.clock())
        plan = await plan_backfill(operation.views, definition, since, until, choice, reverse=input.reverse)
        if input.dry_run or not plan.times:
            await operation.headwater.backfills.check(definition, plan.times, parameters)
            return CreateBackfillPayload.of(plan)
        request = operation.headwater.backfills.request
        outcome = await request(definition, since, until, choice, plan.times, limit=input.limit, parameters=parameters)
        operation.wrote(outcome.position)
        return CreateBackfillPayload.of(plan, outcome.state.requested.backfill_id, outcome.state.requested.name)

    @strawberry.mutation
    async def cancel_backfill(self, info: Info, input: CancelBackfillInput) -> CancelBackfillPayload:
        """Let no more times have runs, and cancel those runs that are unfinished."""
        operation = operation_of(info)
        outcome = await operation.headwater.backfills.cancel(input.backfill_id, reason=input.reason)
        operation.wrote(outcome.position)
        over = "cancelled" if outcome.state.cancelled else "completed"
        return CancelBackfillPayload(state=over if outcome.state.over else "cancelling")


def _choice(text: str) -> BackfillChoice:
    try:
        return BackfillChoice(text)
    except ValueError:
        raise InvalidArgument(f"{shortened(text)!r} is not a choice of times.", hint="Choose missing, failed or all.") from None


def _parameters(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidArgument("What was given as parameters is not a JSON object.")
    return value
