"""The mutations of what holds for a flow over all its versions."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

from typing import Any

import strawberry
from strawberry import Info

from headwater.core.errors import InvalidArgument
from headwater.core.values.identifiers import split_flow_id
from headwater.web.graphql.context import operation_of
from headwater.web.graphql.payloads import SuccessPayload
from headwater.web.graphql.scalars import Identifier, Json


@strawberry.input(name="flow_group_id_input")
class FlowGroupIdInput:
    flow_group_id: Identifier


@strawberry.input(name="set_flow_group_description_input")
class DescriptionInput:
    flow_group_id: Identifier
    description: str | None = strawberry.field(default=None, description="null or empty takes the description away")


@strawberry.input(name="set_flow_group_labels_input")
class LabelsInput:
    flow_group_id: Identifier
    labels: list[str] | None = strawberry.field(default=None, description="null: those that each version was registered with")


@strawberry.input(name="set_flow_group_default_parameters_input")
class DefaultParametersInput:
    """The values, as an object by the parameters' names; they replace all that were set before."""

    flow_group_id: Identifier
    default_parameters: Json


@strawberry.type
class FlowGroupMutation:
    """What can be done to a flow over all its versions."""

    @strawberry.mutation
    async def delete_flow_group(self, info: Info, input: FlowGroupIdInput) -> SuccessPayload:
        """Delete a flow with all its versions; its history stays."""
        operation = operation_of(info)
        operation.wrote((await operation.headwater.flows.delete(_group(input))).position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def set_flow_group_description(self, info: Info, input: DescriptionInput) -> SuccessPayload:
        """Say what a flow is for."""
        operation = operation_of(info)
        outcome = await operation.headwater.flows.describe(_group(input), input.description or "")
        operation.wrote(outcome.position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def set_flow_group_labels(self, info: Info, input: LabelsInput) -> SuccessPayload:
        """Give new runs of a flow these labels."""
        operation = operation_of(info)
        outcome = await operation.headwater.flows.set_labels(_group(input), input.labels)
        operation.wrote(outcome.position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def set_flow_group_default_parameters(self, info: Info, input: DefaultParametersInput) -> SuccessPayload:
        """Give new runs of a flow these values where they are not given others."""
        operation = operation_of(info)
        parameters: Any = input.default_parameters
        if not isinstance(parameters, dict):
            raise InvalidArgument("What was given as default_parameters is not a JSON object.")
        outcome = await operation.headwater.flows.set_default_parameters(_group(input), parameters)
        operation.wrote(outcome.position)
        return SuccessPayload(success=True)


def _group(input: FlowGroupIdInput | DescriptionInput | LabelsInput | DefaultParametersInput) -> str:
    """Return the id of the group that the input names, by it or by one of its versions."""
    return split_flow_id(input.flow_group_id)[0]
