"""How many there are: `X_aggregate(where) { aggregate { count } }`."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Info

from headwater.core.queries import CountRow, CountRows
from headwater.web.graphql import columns
from headwater.web.graphql.columns import Columns
from headwater.web.graphql.context import operation_of
from headwater.web.graphql.inputs import (
    AgentWhere,
    ArtifactWhere,
    FlowGroupWhere,
    FlowRunWhere,
    FlowWhere,
    KeyValueWhere,
    LogWhere,
    ProjectWhere,
    ScheduleWhere,
    TaskRunWhere,
    TaskWhere,
    where_of,
)

_KEPT = {"deleted": {"_eq": False}}


@strawberry.type(name="aggregate_fields")
class AggregateFields:
    """What sums up rows as a whole."""

    count: int


@strawberry.type(name="aggregate")
class RowCount:
    """Rows as a whole."""

    aggregate: AggregateFields


async def _counted(info: Info, where: object, table: Columns, fixed: dict[str, Any] | None = None) -> RowCount:
    conditions = {"_and": [fixed or {}, where_of(where, table)]}
    (row,) = await operation_of(info).views.ask(CountRows(table=table.table, where=conditions), CountRow)
    return RowCount(aggregate=AggregateFields(count=row.count))


@strawberry.type
class Aggregates:
    """How many there are of everything."""

    @strawberry.field
    async def project_aggregate(self, info: Info, where: ProjectWhere | None = None) -> RowCount:
        """Count projects."""
        return await _counted(info, where, columns.PROJECT, _KEPT)

    @strawberry.field
    async def key_value_aggregate(self, info: Info, where: KeyValueWhere | None = None) -> RowCount:
        """Count keys that have a value."""
        return await _counted(info, where, columns.KEY_VALUE)

    @strawberry.field
    async def flow_aggregate(self, info: Info, where: FlowWhere | None = None) -> RowCount:
        """Count flow versions, archived ones too."""
        return await _counted(info, where, columns.FLOW, _KEPT)

    @strawberry.field
    async def flow_group_aggregate(self, info: Info, where: FlowGroupWhere | None = None) -> RowCount:
        """Count flows over all their versions."""
        return await _counted(info, where, columns.FLOW_GROUP, _KEPT)

    @strawberry.field
    async def flow_run_aggregate(self, info: Info, where: FlowRunWhere | None = None) -> RowCount:
        """Count runs."""
        return await _counted(info, where, columns.FLOW_RUN)

    @strawberry.field
    async def task_run_aggregate(self, info: Info, where: TaskRunWhere | None = None) -> RowCount:
        """Count task runs that began."""
        return await _counted(info, where, columns.TASK_RUN)

    @strawberry.field
    async def task_run_artifact_aggregate(self, info: Info, where: ArtifactWhere | None = None) -> RowCount:
        """Count artifacts."""
        return await _counted(info, where, columns.ARTIFACT)

    @strawberry.field
    async def task_aggregate(self, info: Info, where: TaskWhere | None = None) -> RowCount:
        """Count tasks of flow versions."""
        return await _counted(info, where, columns.TASK)

    @strawberry.field
    async def log_aggregate(self, info: Info, where: LogWhere | None = None) -> RowCount:
        """Count log lines."""
        return await _counted(info, where, columns.LOG)

    @strawberry.field
    async def agent_aggregate(self, info: Info, where: AgentWhere | None = None) -> RowCount:
        """Count agents."""
        return await _counted(info, where, columns.AGENT)

    @strawberry.field
    async def schedule_aggregate(self, info: Info, where: ScheduleWhere | None = None) -> RowCount:
        """Count schedules."""
        return await _counted(info, where, columns.SCHEDULE)
