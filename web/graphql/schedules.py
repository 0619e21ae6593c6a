"""Schedules: read with their next times and what became of those before."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

from datetime import datetime

import msgspec
import strawberry
from strawberry import Info

from headwater.core.errors import InvalidArgument
from headwater.core.events import ScheduleSpec
from headwater.core.queries import ListScheduleOutcomes, ScheduleOutcomeRow, ScheduleRow
from headwater.web.graphql import columns
from headwater.web.graphql.context import operation_of
from headwater.web.graphql.inputs import ScheduleOrder, ScheduleWhere, order_of, where_of
from headwater.web.graphql.scalars import Identifier, Json
from headwater.web.schedules.next_times import next_times
from headwater.web.schedules.words import times_of

ROWS = 100
UPCOMING_MAX = 100
OUTCOMES_MAX = 1_000


@strawberry.type(name="schedule_outcome")
class ScheduleOutcomeType:
    """What became of a time of a schedule, or of a span of times."""

    outcome: str
    nominal: datetime
    since: datetime | None
    flow_run_id: str | None = strawberry.field(description="the run that it has; of one that was skipped, the run that stood in its way")
    because: str | None
    detail: str
    at: datetime
    actor: str

    @classmethod
    def of(cls, row: ScheduleOutcomeRow) -> ScheduleOutcomeType:
        return cls(
            outcome=row.outcome,
            nominal=row.nominal,
            since=row.since,
            flow_run_id=row.run_id,
            because=row.because,
            detail=row.detail,
            at=row.at,
            actor=row.actor,
        )


@strawberry.type(name="schedule")
class ScheduleType:
    """A schedule of a flow, over all the flow's versions."""

    row: strawberry.Private[ScheduleRow]
    id: Identifier
    flow_group_id: Identifier
    project_id: Identifier
    slug: str
    words: str = strawberry.field(description='its times in words, such as "at 06:00 on Mon, Europe/Berlin"')
    schedule: Json | None = strawberry.field(description="the times and policies that hold")
    registered: Json | None
    set_by_user: Json | None
    is_active: bool = strawberry.field(description="whether times to come have runs")
    pause_cause: str | None
    pause_note: str
    paused_since: datetime | None
    paused_until: datetime | None
    failures: int
    runs_made: int
    last_nominal: datetime | None
    last_run_id: str | None
    created: datetime
    updated: datetime
    updated_by: str

    @classmethod
    def of(cls, row: ScheduleRow) -> ScheduleType:
        return cls(
            row=row,
            id=Identifier(row.id),
            flow_group_id=Identifier(row.flow_group_id),
            project_id=Identifier(row.project_id),
            slug=row.slug,
            words=times_of(row.spec),
            schedule=spec_json(row.spec),
            registered=spec_json(row.registered),
            set_by_user=spec_json(row.set_by_user),
            is_active=row.active,
            pause_cause=row.pause_cause,
            pause_note=row.pause_note,
            paused_since=row.paused_since,
            paused_until=row.paused_until,
            failures=row.failures,
            runs_made=row.runs_made,
            last_nominal=row.last_nominal,
            last_run_id=row.last_run_id,
            created=row.created,
            updated=row.updated,
            updated_by=row.updated_by,
        )

    @strawberry.field
    async def upcoming(self, info: Info, limit: int = 5) -> list[datetime]:
        """Return its next times, at most 100; none while it is paused without an end."""
        number = _bounded(limit, UPCOMING_MAX)
        return [each.nominal for each in next_times(self.row, operation_of(info).actor.clock(), number)]

    @strawberry.field
    async def outcomes(self, info: Info, limit: int = 10) -> list[ScheduleOutcomeType]:
        """Return what became of its times, the newest first."""
        wanted = ListScheduleOutcomes(schedule_id=self.id, limit=_bounded(limit, OUTCOMES_MAX))
        return [ScheduleOutcomeType.of(each) for each in await operation_of(info).views.schedule_outcomes(wanted)]


@strawberry.type
class ScheduleQuery:
    """What can be read of schedules."""

    @strawberry.field
    async def schedule(
        self,
        info: Info,
        where: ScheduleWhere | None = None,
        order_by: list[ScheduleOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[ScheduleType]:
        """Return schedules, by project, flow and slug unless asked otherwise."""
        conditions, order = where_of(where, columns.SCHEDULE), order_of(order_by, columns.SCHEDULE)
        found = await operation_of(info).views.find("schedules", ScheduleRow, conditions, order_by=order, limit=limit, offset=offset)
        return [ScheduleType.of(row) for row in found]

    @strawberry.field
    async def schedule_by_pk(self, info: Info, id: Identifier) -> ScheduleType | None:
        """Return the schedule of this id."""
        found = await operation_of(info).schedules.load(id)
        return None if found is None else ScheduleType.of(found)


def spec_json(spec: ScheduleSpec | None) -> Json | None:
    """Return times and policies as `Schedule.serialize` writes them."""
    return None if spec is None else Json({**spec.timetable, "policies": msgspec.to_builtins(spec.policies)})


def _bounded(limit: int, most: int) -> int:
    if not 0 <= limit <= most:
        raise InvalidArgument(f"A limit here is a number from 0 to {most}, not {limit}.")
    return limit
