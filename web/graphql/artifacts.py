"""Artifacts of task runs: read, created, updated and deleted."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from strawberry import Info

from headwater.core.errors import InvalidArtifact
from headwater.core.queries import ArtifactRow, ListArtifacts
from headwater.core.values.identifiers import parsed_task_run_id
from headwater.web.graphql import columns
from headwater.web.graphql.context import operation_of
from headwater.web.graphql.inputs import ArtifactOrder, ArtifactWhere, order_of, where_of
from headwater.web.graphql.payloads import SuccessPayload
from headwater.web.graphql.scalars import Identifier, Json

ROWS = 100


@strawberry.type(name="task_run_artifact")
class TaskRunArtifact:
    """What a task run left for people to look at. `data` holds a `link`, a text in `markdown`, or `columns` and `rows`, as `kind` says."""

    id: str
    task_run_id: str
    flow_run_id: Identifier
    kind: str
    data: Json
    created: datetime
    updated: datetime

    @classmethod
    def of(cls, row: ArtifactRow) -> TaskRunArtifact:
        return cls(
            id=row.id,
            task_run_id=row.task_run_id,
            flow_run_id=Identifier(row.run_id),
            kind=row.kind,
            data=Json(row.data),
            created=row.created,
            updated=row.updated,
        )


async def artifacts_of(info: Info, run_id: str, slug: str, map_index: int) -> list[TaskRunArtifact]:
    query = ListArtifacts(run_id=run_id, slug=slug, map_index=map_index, limit=ROWS)
    return [TaskRunArtifact.of(row) for row in await operation_of(info).views.ask(query, ArtifactRow)]


@strawberry.type
class ArtifactQuery:
    """What can be read of artifacts."""

    @strawberry.field
    async def task_run_artifact(
        self,
        info: Info,
        where: ArtifactWhere | None = None,
        order_by: list[ArtifactOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[TaskRunArtifact]:
        """Return artifacts, in the order of their creation unless asked otherwise."""
        order = order_of(order_by, columns.ARTIFACT)
        found = await operation_of(info).views.find(
            "artifacts", ArtifactRow, where_of(where, columns.ARTIFACT), order_by=order, limit=limit, offset=offset
        )
        return [TaskRunArtifact.of(row) for row in found]


@strawberry.type(name="task_run_artifact_id_payload")
class ArtifactIdPayload:
    """The id of the artifact that was made."""

    id: str | None
    error: str | None = None


@strawberry.input(name="create_task_run_artifact_input")
class CreateArtifactInput:
    task_run_id: str
    kind: str = strawberry.field(description="link, markdown or table")
    data: Json
    tenant_id: str | None = strawberry.field(default=None, description="not looked at: there is one tenant")


@strawberry.input(name="update_task_run_artifact_input")
class UpdateArtifactInput:
    task_run_artifact_id: str
    data: Json


@strawberry.input(name="delete_task_run_artifact_input")
class DeleteArtifactInput:
    task_run_artifact_id: str


@strawberry.type
class ArtifactMutation:
    """What can be done to artifacts."""

    @strawberry.mutation
    async def create_task_run_artifact(self, info: Info, input: CreateArtifactInput) -> ArtifactIdPayload:
        """Give a task run an artifact. Its id may have the form of GraphQL or that of Python."""
        operation = operation_of(info)
        run_id, slug, map_index = parsed_task_run_id(input.task_run_id)
        change = await operation.headwater.artifacts.create(run_id, slug, map_index, input.kind, _object(input.data))
        operation.wrote(change.position)
        return ArtifactIdPayload(id=change.id)

    @strawberry.mutation
    async def update_task_run_artifact(self, info: Info, input: UpdateArtifactInput) -> SuccessPayload:
        """Let an artifact show something else; it stays of its kind."""
        operation = operation_of(info)
        change = await operation.headwater.artifacts.update(input.task_run_artifact_id, _object(input.data))
        operation.wrote(change.position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def delete_task_run_artifact(self, info: Info, input: DeleteArtifactInput) -> SuccessPayload:
        """Take an artifact off its task run; its history stays."""
        operation = operation_of(info)
        operation.wrote((await operation.headwater.artifacts.delete(input.task_run_artifact_id)).position)
        return SuccessPayload(success=True)


def _object(data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidArtifact("The data of an artifact is a JSON object.")
    return data
