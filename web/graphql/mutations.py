"""The mutations: each becomes the same operation as on the command line."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

import base64
import gzip
import logging
import zlib
from datetime import datetime
from typing import Any

import msgspec
import strawberry
from strawberry import Info

from headwater.core.errors import InvalidArgument
from headwater.core.events import EdgeSpec, ParameterSpec, StorageReference, TaskSpec
from headwater.core.log.protocol import LogLine
from headwater.core.operations.flow_registration import FlowMetadata
from headwater.core.operations.run_creation import RunRequest
from headwater.core.operations.run_lookup import load_run
from headwater.core.values.identifiers import split_flow_id
from headwater.core.values.plain_values import decoded
from headwater.web.graphql.artifacts import ArtifactMutation
from headwater.web.graphql.backfills import BackfillMutation
from headwater.web.graphql.context import operation_of
from headwater.web.graphql.flow_group_mutations import FlowGroupMutation
from headwater.web.graphql.key_values import KeyValueMutation
from headwater.web.graphql.payloads import IdPayload, SuccessPayload
from headwater.web.graphql.project_mutations import ProjectMutation
from headwater.web.graphql.run_state_mutations import RunStateMutation
from headwater.web.graphql.scalars import Identifier, Json
from headwater.web.graphql.schedule_mutations import ScheduleMutation

COMPRESSED_BYTES_MAX = 20 * 1024 * 1024
"""How large a compressed flow may become."""


@strawberry.type(name="cancel_flow_run_payload")
class CancelPayload:
    """The state of the run after it was asked to end."""

    state: str


@strawberry.input(name="create_flow_input")
class CreateFlowInput:
    """A flow as `flow.serialize()` tells of it."""

    serialized_flow: Json
    project_id: Identifier
    idempotency_key: str | None = None


@strawberry.input(name="create_flow_from_compressed_string_input")
class CreateCompressedFlowInput:
    """The same, as JSON that was compressed with gzip and written as base64."""

    serialized_flow: str
    project_id: Identifier
    idempotency_key: str | None = None


@strawberry.input(name="flow_id_input")
class FlowIdInput:
    flow_id: Identifier


@strawberry.input(name="create_flow_run_input")
class CreateFlowRunInput:
    """Which flow, by one of both ids, and what differs from what the flow says."""

    flow_id: Identifier | None = None
    version_group_id: Identifier | None = None
    parameters: Json | None = None
    context: Json | None = None
    labels: list[str] | None = None
    run_config: Json | None = None
    scheduled_start_time: datetime | None = None
    flow_run_name: str | None = None
    idempotency_key: str | None = None


@strawberry.input(name="cancel_flow_run_input")
class CancelFlowRunInput:
    flow_run_id: Identifier


@strawberry.input(name="delete_flow_run_input")
class DeleteFlowRunInput:
    flow_run_id: Identifier


@strawberry.input(name="set_flow_run_name_input")
class SetFlowRunNameInput:
    flow_run_id: Identifier
    name: str


@strawberry.input(name="write_run_log_input")
class WriteRunLogInput:
    flow_run_id: Identifier
    message: str
    timestamp: datetime | None = None
    level: str = "INFO"
    name: str = ""
    task_slug: str = ""


@strawberry.input(name="write_run_logs_input")
class WriteRunLogsInput:
    logs: list[WriteRunLogInput]


@strawberry.input(name="delete_agent_input")
class DeleteAgentInput:
    agent_id: str


@strawberry.type(name="mutation_root")
class Mutation(
    ProjectMutation, ArtifactMutation, BackfillMutation, FlowGroupMutation, KeyValueMutation, RunStateMutation, ScheduleMutation
):
    """What can be done."""

    @strawberry.mutation
    async def create_flow(self, info: Info, input: CreateFlowInput) -> IdPayload:
        """Register a version of a flow."""
        return await _register(info, input.serialized_flow, input.project_id, input.idempotency_key)

    @strawberry.mutation
    async def create_flow_from_compressed_string(self, info: Info, input: CreateCompressedFlowInput) -> IdPayload:
        """Register a version of a flow that was sent compressed."""
        return await _register(info, Json(_decompressed(input.serialized_flow)), input.project_id, input.idempotency_key)

    @strawberry.mutation
    async def archive_flow(self, info: Info, input: FlowIdInput) -> SuccessPayload:
        """Let a flow version take no more runs."""
        operation = operation_of(info)
        group_id, version = split_flow_id(input.flow_id)
        outcome = await operation.headwater.flows.archive(group_id, version)
        operation.wrote(outcome.position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def create_flow_run(self, info: Info, input: CreateFlowRunInput) -> IdPayload:
        """Create a run of a flow version, or of the newest version of a flow."""
        operation = operation_of(info)
        flow_id = input.flow_id or input.version_group_id
        if flow_id is None:
            raise InvalidArgument("Which flow is to run was not said.", hint="Give flow_id, or version_group_id.")
        run_config = _object(input.run_config, "run_config")
        request = RunRequest(
            parameters=_object(input.parameters, "parameters") or {},
            labels=_labels(run_config) if input.labels is None else input.labels,
            name=input.flow_run_name,
            context=_object(input.context, "context") or {},
            run_config=run_config,
            due_at=input.scheduled_start_time,
            idempotency_key=input.idempotency_key,
        )
        created = await operation.headwater.runs.create(flow_id, request)
        operation.wrote(created.position)
        return IdPayload(id=Identifier(created.run_id))

    @strawberry.mutation
    async def cancel_flow_run(self, info: Info, input: CancelFlowRunInput) -> CancelPayload:
        """Ask that a run ends."""
        operation = operation_of(info)
        outcome = await operation.headwater.runs.cancel(input.flow_run_id)
        operation.wrote(outcome.position)
        return CancelPayload(state=outcome.state.state)

    @strawberry.mutation
    async def delete_flow_run(self, info: Info, input: DeleteFlowRunInput) -> SuccessPayload:
        """Take a run that has ended off lists and counts; its history stays."""
        operation = operation_of(info)
        operation.wrote((await operation.headwater.runs.delete(input.flow_run_id)).position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def set_flow_run_name(self, info: Info, input: SetFlowRunNameInput) -> SuccessPayload:
        """Give a run another name."""
        operation = operation_of(info)
        operation.wrote((await operation.headwater.runs.rename(input.flow_run_id, input.name)).position)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def write_run_logs(self, info: Info, input: WriteRunLogsInput) -> SuccessPayload:
        """Add lines to the logs of runs."""
        operation = operation_of(info)
        by_run: dict[str, list[LogLine]] = {}
        for each in input.logs:
            line = LogLine(each.timestamp or operation.actor.clock(), _level(each.level), each.name, each.message, each.task_slug)
            by_run.setdefault(each.flow_run_id, []).append(line)
        for run_id, lines in by_run.items():
            attempt = (await load_run(operation.site.log.events, run_id)).state.attempt
            await operation.site.log.logs.write(run_id, attempt, lines)
        return SuccessPayload(success=True)

    @strawberry.mutation
    async def delete_agent(self, info: Info, input: DeleteAgentInput) -> SuccessPayload:
        """Record that an agent is gone for good."""
        operation = operation_of(info)
        outcome = await operation.headwater.agents.stop(input.agent_id, reason="deleted")
        operation.wrote(outcome.position)
        return SuccessPayload(success=True)


async def _register(info: Info, serialized: Json, project_id: str, idempotency_key: str | None) -> IdPayload:
    operation = operation_of(info)
    name = (await operation.headwater.projects.aggregate(project_id).refresh()).name
    registration = await operation.headwater.flows.register(_metadata(serialized), project_name=name, idempotency_key=idempotency_key)
    operation.wrote(registration.position)
    return IdPayload(id=Identifier(registration.flow_id))


class _Serialized(msgspec.Struct):
    """What of a serialised flow is looked at."""

    name: str
    storage: StorageReference
    tasks: tuple[TaskSpec, ...] = ()
    edges: list[dict[str, Any]] = []
    parameters: tuple[ParameterSpec, ...] = ()
    labels: tuple[str, ...] = ()
    run_config: dict[str, Any] = {}
    schedule: dict[str, Any] | None = None
    environment: dict[str, Any] = {}


def _metadata(serialized: Json) -> FlowMetadata:
    """Return what the serialised flow tells.

    Raises:
        InvalidArgument: it is not what `flow.serialize()` returns, with the flow's storage.

    """
    try:
        flow = msgspec.convert(serialized, _Serialized)
        edges = tuple(EdgeSpec(**edge) for edge in flow.edges)
    except (msgspec.ValidationError, TypeError) as error:
        raise InvalidArgument(f"This is not a serialised flow: {error}") from error
    return FlowMetadata(
        name=flow.name,
        storage=flow.storage,
        tasks=flow.tasks,
        edges=edges,
        parameters=flow.parameters,
        labels=flow.labels or tuple(flow.run_config.get("labels", ())),
        run_config=flow.run_config,
        schedule=flow.schedule,
        environment=flow.environment,
    )


def _decompressed(text: str) -> Any:
    try:
        packed = base64.b64decode(text, validate=True)
        unpacked = zlib.decompressobj(wbits=31).decompress(packed, COMPRESSED_BYTES_MAX + 1)
        value = None if len(unpacked) > COMPRESSED_BYTES_MAX else decoded(unpacked)
    except (ValueError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidArgument(f"This is not a compressed flow: {error}") from error
    if len(unpacked) > COMPRESSED_BYTES_MAX:
        raise InvalidArgument(f"The flow is larger than {COMPRESSED_BYTES_MAX} bytes.")
    return value


def _object(value: Any, name: str) -> dict[str, Any] | None:
    if value is None or isinstance(value, dict):
        return value
    raise InvalidArgument(f"What was given as {name} is not a JSON object.")


def _labels(run_config: dict[str, Any] | None) -> list[str] | None:
    """Return the labels in a run config; None where it has none, so that the flow's hold."""
    labels = (run_config or {}).get("labels") or None
    if labels is not None and not isinstance(labels, list):
        raise InvalidArgument("The labels of the run_config are not a list.", hint='Write them like ["gpu", "linux"].')
    return labels


def _level(name: str) -> int:
    number = logging.getLevelNamesMapping().get(name.upper())
    if number is None:
        raise InvalidArgument(f"{name!r} is not a level.", hint="Levels are: DEBUG, INFO, WARNING, ERROR, CRITICAL.")
    return number
