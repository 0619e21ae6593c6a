"""The mutations of projects."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

import strawberry
from strawberry import Info

from headwater.web.graphql.context import operation_of
from headwater.web.graphql.payloads import IdPayload, SuccessPayload
from headwater.web.graphql.scalars import Identifier


@strawberry.input(name="create_project_input")
class CreateProjectInput:
    name: str
    description: str | None = None
    tenant_id: str | None = strawberry.field(default=None, description="not looked at: there is one tenant")


@strawberry.input(name="delete_project_input")
class DeleteProjectInput:
    project_id: Identifier


@strawberry.input(name="set_project_name_input")
class SetProjectNameInput:
    project_id: Identifier
    name: str


@strawberry.input(name="set_project_description_input")
class SetProjectDescriptionInput:
    project_id: Identifier
    description: str


@strawberry.type
class ProjectMutation:
    """What can be done to projects."""

    @strawberry.mutation
    async def create_project(self, info: Info, input: CreateProjectInput) -> IdPayload:
        """Create a project."""
        operation = operation_of(info)
        change = await operation.headwater.projects.create(input.name, description=input.description or "")
        operation.wrote(change.position)
        return IdPayload(id=Identifier(change.project_id))

    @strawberry.mutation
    async def delete_project(self, info: Info, input: DeleteProjectInput) -> SuccessPayload:
        """Delete a project; its history stays."""
        operation = operation_of(info)
        operation.wrote((await operation.headwater.projects.delete(input.project_id)).position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def set_project_name(self, info: Info, input: SetProjectNameInput) -> IdPayload:
        """Give a project another name."""
        operation = operation_of(info)
        operation.wrote((await operation.headwater.projects.rename(input.project_id, input.name)).position)
        return IdPayload(id=input.project_id)

    @strawberry.mutation
    async def set_project_description(self, info: Info, input: SetProjectDescriptionInput) -> IdPayload:
        """Give a project another description."""
        operation = operation_of(info)
        change = await operation.headwater.projects.describe(input.project_id, input.description)
        operation.wrote(change.position)
        return IdPayload(id=input.project_id)
