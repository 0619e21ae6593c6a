"""The queries: `X(where, order_by, limit, offset)` and `X_by_pk(id)`."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

from importlib.metadata import version as installed_version

import strawberry
from strawberry import Info

from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.queries import AgentRow, FlowGroupRow, FlowRow, FlowTaskRow, ListTaskRuns, LogRow, ProjectRow, TaskRunRow
from headwater.core.values.identifiers import parsed_task_run_id
from headwater.web.graphql import columns
from headwater.web.graphql.agents import AgentType
from headwater.web.graphql.aggregates import Aggregates
from headwater.web.graphql.artifacts import ArtifactQuery
from headwater.web.graphql.backfills import BackfillQuery
from headwater.web.graphql.context import operation_of
from headwater.web.graphql.inputs import (
    AgentOrder,
    AgentWhere,
    FlowGroupOrder,
    FlowGroupWhere,
    FlowOrder,
    FlowRunOrder,
    FlowRunWhere,
    FlowWhere,
    LogOrder,
    LogWhere,
    ProjectOrder,
    ProjectWhere,
    TaskOrder,
    TaskRunOrder,
    TaskRunWhere,
    TaskWhere,
    order_of,
    where_of,
)
from headwater.web.graphql.key_values import KeyValueQuery
from headwater.web.graphql.scalars import Identifier
from headwater.web.graphql.schedules import ScheduleQuery
from headwater.web.graphql.types import FlowGroupType, FlowRun, FlowType, LogType, ProjectType, TaskRunType, TaskType, runs_where

ROWS = 100


@strawberry.type(name="api_info")
class ApiInfo:
    """What answers here."""

    backend: str
    mode: str
    version: str
    core_version: str


@strawberry.type(name="query_root")
class QueryRoot(Aggregates, ArtifactQuery, BackfillQuery, KeyValueQuery, ScheduleQuery):
    """What can be read."""

    @strawberry.field
    async def hello(self) -> str:
        """Answer that the server is there."""
        return "👋"

    @strawberry.field
    async def api(self) -> ApiInfo:
        """Tell what answers here."""
        version = installed_version("headwater")
        return ApiInfo(backend="SERVER", mode="normal", version=version, core_version=version)

    @strawberry.field
    async def project(
        self,
        info: Info,
        where: ProjectWhere | None = None,
        order_by: list[ProjectOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[ProjectType]:
        """Return projects."""
        conditions = {"_and": [{"deleted": {"_eq": False}}, where_of(where, columns.PROJECT)]}
        order = order_of(order_by, columns.PROJECT)
        found = await operation_of(info).views.find("projects", ProjectRow, conditions, order_by=order, limit=limit, offset=offset)
        return [ProjectType.of(row) for row in found]

    @strawberry.field
    async def project_by_pk(self, info: Info, id: Identifier) -> ProjectType | None:
        """Return the project of this id."""
        found = await operation_of(info).projects.load(id)
        return None if found is None or found.deleted else ProjectType.of(found)

    @strawberry.field
    async def flow(
        self,
        info: Info,
        where: FlowWhere | None = None,
        order_by: list[FlowOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[FlowType]:
        """Return flow versions; archived ones, too, unless `where` says otherwise."""
        conditions = {"_and": [{"deleted": {"_eq": False}}, where_of(where, columns.FLOW)]}
        order = order_of(order_by, columns.FLOW)
        found = await operation_of(info).views.find("flows", FlowRow, conditions, order_by=order, limit=limit, offset=offset)
        return [FlowType.of(row) for row in found]

    @strawberry.field
    async def flow_by_pk(self, info: Info, id: Identifier) -> FlowType | None:
        """Return the flow version of this id."""
        found = await operation_of(info).flows.load(id)
        return None if found is None else FlowType.of(found)

    @strawberry.field
    async def flow_group(
        self,
        info: Info,
        where: FlowGroupWhere | None = None,
        order_by: list[FlowGroupOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[FlowGroupType]:
        """Return flows over all their versions, by project and name unless asked otherwise."""
        conditions = {"_and": [{"deleted": {"_eq": False}}, where_of(where, columns.FLOW_GROUP)]}
        order = order_of(order_by, columns.FLOW_GROUP)
        found = await operation_of(info).views.find("flow_groups", FlowGroupRow, conditions, order_by=order, limit=limit, offset=offset)
        return [FlowGroupType.of(row) for row in found]

    @strawberry.field
    async def flow_group_by_pk(self, info: Info, id: Identifier) -> FlowGroupType | None:
        """Return the flow of this id, over all its versions."""
        found = await operation_of(info).flow_groups.load(id)
        return None if found is None else FlowGroupType.of(found)

    @strawberry.field
    async def flow_run(
        self,
        info: Info,
        where: FlowRunWhere | None = None,
        order_by: list[FlowRunOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[FlowRun]:
        """Return runs, newest first unless asked otherwise."""
        return await runs_where(info, {}, where, order_by=order_by, limit=limit, offset=offset)

    @strawberry.field
    async def flow_run_by_pk(self, info: Info, id: Identifier) -> FlowRun | None:
        """Return the run of this id."""
        found = await operation_of(info).runs.load(id)
        return None if found is None else FlowRun.of(found)

    @strawberry.field
    async def task_run(
        self,
        info: Info,
        where: TaskRunWhere | None = None,
        order_by: list[TaskRunOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[TaskRunType]:
        """Return task runs that began; a run's own `task_runs` are all of them."""
        order = order_of(order_by, columns.TASK_RUN)
        found = await operation_of(info).views.find(
            "task_runs", TaskRunRow, where_of(where, columns.TASK_RUN), order_by=order, limit=limit, offset=offset
        )
        return [TaskRunType.of(row) for row in found]

    @strawberry.field
    async def task_run_by_pk(self, info: Info, id: str) -> TaskRunType | None:
        """Return the task run of this id, in the form that `id` has here or in that of Python."""
        try:
            run_id, slug, map_index = parsed_task_run_id(id)
            found = await operation_of(info).views.ask(ListTaskRuns(run_id=run_id, slug=slug, map_index=map_index), TaskRunRow)
        except (NotFound, InvalidArgument):
            return None
        return TaskRunType.of(found[0]) if found else None

    @strawberry.field
    async def task(
        self,
        info: Info,
        where: TaskWhere | None = None,
        order_by: list[TaskOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[TaskType]:
        """Return tasks of flow versions."""
        found = await operation_of(info).views.find(
            "tasks", FlowTaskRow, where_of(where, columns.TASK), order_by=order_of(order_by, columns.TASK), limit=limit, offset=offset
        )
        return [TaskType.of(row) for row in found]

    @strawberry.field
    async def log(
        self,
        info: Info,
        where: LogWhere | None = None,
        order_by: list[LogOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[LogType]:
        """Return log lines, in the order in which they were stored unless asked otherwise."""
        found = await operation_of(info).views.find(
            "logs", LogRow, where_of(where, columns.LOG), order_by=order_of(order_by, columns.LOG), limit=limit, offset=offset
        )
        return [LogType.of(row) for row in found]

    @strawberry.field
    async def agent(
        self,
        info: Info,
        where: AgentWhere | None = None,
        order_by: list[AgentOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[AgentType]:
        """Return agents, newest first unless asked otherwise."""
        operation = operation_of(info)
        found = await operation.views.find(
            "agents", AgentRow, where_of(where, columns.AGENT), order_by=order_of(order_by, columns.AGENT), limit=limit, offset=offset
        )
        heard = {row.id: operation.site.heartbeats.last_heard(row.id) for row in found}
        return [AgentType.of(row, None if (beat := heard[row.id]) is None else beat.at) for row in found]
