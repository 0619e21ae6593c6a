"""The keys of projects: read, set and deleted."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import Info

from headwater.core.queries import KeyValueRow
from headwater.web.graphql import columns
from headwater.web.graphql.context import operation_of
from headwater.web.graphql.inputs import KeyValueOrder, KeyValueWhere, order_of, where_of
from headwater.web.graphql.payloads import IdPayload, SuccessPayload
from headwater.web.graphql.scalars import Identifier, PlainJson
from headwater.web.graphql.types import ProjectType

ROWS = 100


@strawberry.type(name="key_value")
class KeyValueType:
    """A key of a project, with its value."""

    id: Identifier
    key: str
    value: PlainJson | None
    project_id: Identifier
    created: datetime
    updated: datetime
    updated_by: str

    @classmethod
    def of(cls, row: KeyValueRow) -> KeyValueType:
        return cls(
            id=Identifier(row.id),
            key=row.key,
            value=PlainJson(row.value),
            project_id=Identifier(row.project_id),
            created=row.created,
            updated=row.updated,
            updated_by=row.updated_by,
        )

    @strawberry.field
    async def project(self, info: Info) -> ProjectType | None:
        found = await operation_of(info).projects.load(self.project_id)
        return None if found is None else ProjectType.of(found)


@strawberry.type
class KeyValueQuery:
    """What can be read of keys."""

    @strawberry.field
    async def key_value(
        self,
        info: Info,
        where: KeyValueWhere | None = None,
        order_by: list[KeyValueOrder] | None = None,
        limit: int = ROWS,
        offset: int = 0,
    ) -> list[KeyValueType]:
        """Return keys with their values, by project and key unless asked otherwise."""
        order = order_of(order_by, columns.KEY_VALUE)
        found = await operation_of(info).views.find(
            "key_values", KeyValueRow, where_of(where, columns.KEY_VALUE), order_by=order, limit=limit, offset=offset
        )
        return [KeyValueType.of(row) for row in found]


@strawberry.input(name="set_key_value_input")
class SetKeyValueInput:
    project_id: Identifier
    key: str
    value: PlainJson | None = strawberry.field(default=None, description="at most 10 KB; a text stays a text, also where it holds JSON")


@strawberry.input(name="delete_key_value_input")
class DeleteKeyValueInput:
    key_value_id: Identifier


@strawberry.type
class KeyValueMutation:
    """What can be done to keys."""

    @strawberry.mutation
    async def set_key_value(self, info: Info, input: SetKeyValueInput) -> IdPayload:
        """Give a key of a project a value, whatever it had before."""
        operation = operation_of(info)
        change = await operation.headwater.key_values.set(input.project_id, input.key, input.value)
        operation.wrote(change.position)
        return IdPayload(id=Identifier(change.id))

    @strawberry.mutation
    async def delete_key_value(self, info: Info, input: DeleteKeyValueInput) -> SuccessPayload:
        """Delete a key with its value; its history stays."""
        operation = operation_of(info)
        operation.wrote((await operation.headwater.key_values.delete_by_id(input.key_value_id)).position)
        return SuccessPayload(success=True)
