"""The object types: what can be read of projects, flows, tasks, runs and logs, and how they hang together."""

from __future__ import annotations

import logging
from datetime import datetime

import msgspec
import strawberry
from strawberry import Info

from headwater.core.queries import (
    FlowEdgeRow,
    FlowGroupRow,
    FlowRow,
    FlowTaskRow,
    ListSchedules,
    LogRow,
    ProjectRow,
    RunRow,
    RunStateRow,
    TaskRunRow,
    TaskRunStateRow,
)
from headwater.core.values.identifiers import schedule_id
from headwater.web.graphql import columns
from headwater.web.graphql.artifacts import TaskRunArtifact, artifacts_of
from headwater.web.graphql.context import operation_of
from headwater.web.graphql.ids import task_id, task_run_id
from headwater.web.graphql.inputs import FlowRunOrder, FlowRunWhere, FlowWhere, order_of, where_of
from headwater.web.graphql.scalars import Identifier, Json
from headwater.web.graphql.schedules import ScheduleType, spec_json

NESTED_ROWS = 100


def _level(level: int) -> str:
    return logging.getLevelName(level)


def _json(value: object) -> Json:
    return Json(msgspec.to_builtins(value))


@strawberry.type(name="project")
class ProjectType:
    """A project."""

    id: Identifier
    name: str
    description: str
    created: datetime
    created_by: str
    flow_count: int

    @classmethod
    def of(cls, row: ProjectRow) -> ProjectType:
        return cls(
            id=Identifier(row.id),
            name=row.name,
            description=row.description,
            created=row.created,
            created_by=row.created_by,
            flow_count=row.flow_count,
        )

    @strawberry.field
    async def flows(self, info: Info, where: FlowWhere | None = None, limit: int = NESTED_ROWS, offset: int = 0) -> list[FlowType]:
        """Return its flow versions."""
        return await flows_where(info, {"project_id": {"_eq": self.id}}, where, limit, offset)


async def flows_where(info: Info, fixed: dict[str, object], where: object, limit: int, offset: int) -> list[FlowType]:
    conditions = {"_and": [fixed, {"deleted": {"_eq": False}}, where_of(where, columns.FLOW)]}
    found = await operation_of(info).views.find("flows", FlowRow, conditions, limit=limit, offset=offset)
    return [FlowType.of(row) for row in found]


async def runs_where(
    info: Info, fixed: dict[str, object], where: object, *, order_by: list[FlowRunOrder] | None, limit: int, offset: int
) -> list[FlowRun]:
    conditions = {"_and": [fixed, where_of(where, columns.FLOW_RUN)]}
    order = order_of(order_by, columns.FLOW_RUN)
    found = await operation_of(info).views.find("runs", RunRow, conditions, order_by=order, limit=limit, offset=offset)
    return [FlowRun.of(row) for row in found]


@strawberry.type(name="flow")
class FlowType:
    """One version of a flow."""

    id: Identifier
    name: str
    version: int
    flow_group_id: Identifier
    version_group_id: Identifier
    project_id: Identifier
    archived: bool
    created: datetime
    created_by: str
    labels: list[str]
    parameters: Json
    storage: Json
    run_config: Json
    schedule: Json | None
    environment: Json
    serialized_hash: str
    idempotency_key: str | None
    task_count: int
    edge_count: int

    @classmethod
    def of(cls, row: FlowRow) -> FlowType:
        group = Identifier(row.flow_group_id)
        return cls(
            id=Identifier(row.id),
            name=row.name,
            version=row.version,
            flow_group_id=group,
            version_group_id=group,
            project_id=Identifier(row.project_id),
            archived=row.archived,
            created=row.created,
            created_by=row.created_by,
            labels=list(row.labels),
            parameters=_json(row.parameters),
            storage=_json(row.storage),
            run_config=_json(row.run_config),
            schedule=None if row.schedule is None else _json(row.schedule),
            environment=_json(row.environment),
            serialized_hash=row.serialized_hash,
            idempotency_key=row.idempotency_key,
            task_count=row.task_count,
            edge_count=row.edge_count,
        )

    @strawberry.field
    async def project(self, info: Info) -> ProjectType | None:
        found = await operation_of(info).projects.load(self.project_id)
        return None if found is None else ProjectType.of(found)

    @strawberry.field
    async def flow_group(self, info: Info) -> FlowGroupType | None:
        found = await operation_of(info).flow_groups.load(self.flow_group_id)
        return None if found is None else FlowGroupType.of(found)

    @strawberry.field
    async def is_schedule_active(self, info: Info) -> bool:
        """Return whether the flow's own schedule lets times to come have runs; false where it has none."""
        found = await operation_of(info).schedules.load(schedule_id(self.flow_group_id, ""))
        return found is not None and found.active

    @strawberry.field
    async def tasks(self, info: Info) -> list[TaskType]:
        """Return its tasks, in the order of registration."""
        return [TaskType.of(row) for row in await operation_of(info).views.flow_tasks(self.id)]

    @strawberry.field
    async def edges(self, info: Info) -> list[EdgeType]:
        """Return the dependencies between its tasks."""
        return [EdgeType.of(row) for row in await operation_of(info).views.flow_edges(self.id)]

    @strawberry.field
    async def flow_runs(
        self,
        info: Info,
        where: FlowRunWhere | None = None,
        order_by: list[FlowRunOrder] | None = None,
        limit: int = NESTED_ROWS,
        offset: int = 0,
    ) -> list[FlowRun]:
        """Return runs of this version, newest first unless asked otherwise."""
        return await runs_where(info, {"flow_id": {"_eq": self.id}}, where, order_by=order_by, limit=limit, offset=offset)


@strawberry.type(name="flow_group")
class FlowGroupType:
    """A flow over all its versions, with what holds for new runs of every version."""

    id: Identifier
    name: str
    description: str
    labels: list[str] | None = strawberry.field(description="null: each version's own")
    default_parameters: Json

    @classmethod
    def of(cls, row: FlowGroupRow) -> FlowGroupType:
        return cls(
            id=Identifier(row.id),
            name=row.name,
            description=row.description,
            labels=None if row.labels is None else list(row.labels),
            default_parameters=_json(row.default_parameters),
        )

    @strawberry.field
    async def schedule(self, info: Info) -> Json | None:
        """Return the times and policies that a user set for the flow; null where they are those that it was registered with."""
        found = await operation_of(info).schedules.load(schedule_id(self.id, ""))
        return None if found is None else spec_json(found.set_by_user)

    @strawberry.field
    async def schedules(self, info: Info) -> list[ScheduleType]:
        """Return all its schedules, its own one first."""
        found = await operation_of(info).views.schedules(ListSchedules(flow_group_ids=(self.id,)))
        return [ScheduleType.of(row) for row in found]

    @strawberry.field
    async def flows(self, info: Info, where: FlowWhere | None = None, limit: int = NESTED_ROWS, offset: int = 0) -> list[FlowType]:
        """Return its versions."""
        return await flows_where(info, {"flow_group_id": {"_eq": self.id}}, where, limit, offset)


@strawberry.type(name="task")
class TaskType:
    """A task of a flow version."""

    id: str
    flow_id: Identifier
    slug: str
    name: str
    type: str
    tags: list[str]
    max_retries: int
    retry_delay: float | None = strawberry.field(description="seconds")
    timeout: float | None = strawberry.field(description="seconds")
    trigger: str
    mapped: bool
    is_reference_task: bool

    @classmethod
    def of(cls, row: FlowTaskRow) -> TaskType:
        return cls(
            id=task_id(row.flow_id, row.slug),
            flow_id=Identifier(row.flow_id),
            slug=row.slug,
            name=row.name,
            type=row.type,
            tags=list(row.tags),
            max_retries=row.max_retries,
            retry_delay=row.retry_delay_seconds,
            timeout=row.timeout_seconds,
            trigger=row.trigger,
            mapped=row.mapped,
            is_reference_task=row.reference,
        )


@strawberry.type(name="edge")
class EdgeType:
    """A dependency between two tasks, by slug."""

    upstream_task: str
    downstream_task: str
    key: str | None
    mapped: bool
    flattened: bool

    @classmethod
    def of(cls, row: FlowEdgeRow) -> EdgeType:
        return cls(upstream_task=row.upstream, downstream_task=row.downstream, key=row.key, mapped=row.mapped, flattened=row.flattened)


@strawberry.type(name="flow_run_state")
class FlowRunState:
    """A state a run was in, from `timestamp` on."""

    flow_run_id: Identifier
    state: str
    message: str
    timestamp: datetime
    start_time: datetime | None
    position: int

    @classmethod
    def of(cls, row: RunStateRow) -> FlowRunState:
        return cls(
            flow_run_id=Identifier(row.run_id),
            state=row.state,
            message=row.message,
            timestamp=row.at,
            start_time=row.scheduled_start_time,
            position=row.position,
        )


@strawberry.type(name="task_run_state")
class TaskRunState:
    """A state a task run was in, from `timestamp` on."""

    task_run_id: str
    task_slug: str
    map_index: int
    state: str
    message: str
    timestamp: datetime
    position: int

    @classmethod
    def of(cls, row: TaskRunStateRow) -> TaskRunState:
        return cls(
            task_run_id=task_run_id(row.run_id, row.slug, row.map_index),
            task_slug=row.slug,
            map_index=row.map_index,
            state=row.state,
            message=row.message,
            timestamp=row.at,
            position=row.position,
        )


@strawberry.type(name="log")
class LogType:
    """A log line of a run."""

    flow_run_id: Identifier
    task_run_id: str | None
    timestamp: datetime
    level: str
    name: str
    message: str

    @classmethod
    def of(cls, row: LogRow) -> LogType:
        task = task_run_id(row.run_id, row.task, row.map_index) if row.task else None
        return cls(
            flow_run_id=Identifier(row.run_id),
            task_run_id=task,
            timestamp=row.at,
            level=_level(row.level),
            name=row.logger,
            message=row.message,
        )


@strawberry.type(name="flow_run")
class FlowRun:
    """A run of a flow."""

    id: Identifier
    name: str
    flow_id: Identifier
    state: str
    state_message: str
    labels: list[str]
    parameters: Json
    context: Json
    run_config: Json
    created: datetime
    created_by: str
    scheduled_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    duration: float | None = strawberry.field(description="seconds, once it has ended")
    agent_id: str | None
    auto_scheduled: bool = strawberry.field(description="whether a schedule made it")
    schedule_id: str | None = strawberry.field(description="that schedule")
    idempotency_key: str | None
    version: int = strawberry.field(description="grows with each change; a state can be set on condition of it")
    position: int = strawberry.field(description="of its last event in the log")

    @classmethod
    def of(cls, row: RunRow) -> FlowRun:
        ended = None if row.start_time is None or row.end_time is None else (row.end_time - row.start_time).total_seconds()
        return cls(
            id=Identifier(row.id),
            name=row.name,
            flow_id=Identifier(row.flow_id),
            state=row.state,
            state_message=row.state_message,
            labels=list(row.labels),
            parameters=_json(row.parameters),
            context=_json(row.context),
            run_config=_json(row.run_config),
            created=row.created,
            created_by=row.created_by,
            scheduled_start_time=row.scheduled_start_time,
            start_time=row.start_time,
            end_time=row.end_time,
            duration=ended,
            agent_id=row.agent_id,
            auto_scheduled=row.schedule_id is not None,
            schedule_id=row.schedule_id,
            idempotency_key=row.idempotency_key,
            version=row.position,
            position=row.position,
        )

    @strawberry.field
    async def flow(self, info: Info) -> FlowType | None:
        found = await operation_of(info).flows.load(self.flow_id)
        return None if found is None else FlowType.of(found)

    @strawberry.field
    async def states(self, info: Info) -> list[FlowRunState]:
        """Return the states it was in, in order."""
        return [FlowRunState.of(row) for row in await operation_of(info).views.run_states(self.id)]

    @strawberry.field
    async def task_runs(self, info: Info, limit: int = 1000) -> list[TaskRunType]:
        """Return its task runs, also those that did not begin."""
        return [TaskRunType.of(row) for row in await operation_of(info).views.task_runs(self.id, limit=max(0, limit))]

    @strawberry.field
    async def logs(self, info: Info, limit: int = 1000) -> list[LogType]:
        """Return its log lines from the beginning, in order."""
        return [LogType.of(row) for row in await operation_of(info).views.logs(self.id, limit=max(0, limit))]


@strawberry.type(name="task_run")
class TaskRunType:
    """A task run; `map_index` is -1 unless it is a mapped child."""

    id: str
    flow_run_id: Identifier
    task_slug: str
    map_index: int
    name: str
    task_name: str
    state: str
    state_message: str
    run_count: int
    start_time: datetime | None
    end_time: datetime | None

    @classmethod
    def of(cls, row: TaskRunRow) -> TaskRunType:
        return cls(
            id=task_run_id(row.run_id, row.slug, row.map_index),
            flow_run_id=Identifier(row.run_id),
            task_slug=row.slug,
            map_index=row.map_index,
            name=row.name,
            task_name=row.task_name,
            state=row.state,
            state_message=row.state_message,
            run_count=row.run_count,
            start_time=row.start_time,
            end_time=row.end_time,
        )

    @strawberry.field
    async def flow_run(self, info: Info) -> FlowRun | None:
        found = await operation_of(info).runs.load(self.flow_run_id)
        return None if found is None else FlowRun.of(found)

    @strawberry.field
    async def states(self, info: Info) -> list[TaskRunState]:
        """Return the states it was in, in order."""
        views = operation_of(info).views
        return [
            TaskRunState.of(row) for row in await views.task_run_states(self.flow_run_id, slug=self.task_slug, map_index=self.map_index)
        ]

    @strawberry.field
    async def artifacts(self, info: Info) -> list[TaskRunArtifact]:
        """Return what it left for people to look at, in the order of creation."""
        return await artifacts_of(info, self.flow_run_id, self.task_slug, self.map_index)
