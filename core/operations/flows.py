"""Register flows, and find the version that a run needs. Only metadata comes here; code stays with those who wrote it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.errors import CommitUnreadable, FlowArchived, NotFound
from headwater.core.events import (
    EdgeSpec,
    FlowRegistered,
    ParameterSpec,
    RegistrationPart,
    RegistrationParts,
    StorageReference,
    TaskSpec,
)
from headwater.core.flows import rules as flow_rules
from headwater.core.flows.commands import DeleteFlow, FlowCommand, LimitFlowAttempts, RegisterFlow
from headwater.core.flows.state import FlowGroup
from headwater.core.log import subjects
from headwater.core.log.codec import encode_event
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.operations.projects import find_project
from headwater.core.program.command_lines import command_line
from headwater.core.values.identifiers import flow_group_id, new_id, split_flow_id
from headwater.core.values.names import valid_name

INLINE_BYTES_MAX = 32 * 1024
"""Tasks and edges above this size go into parts, so that reading a flow's history stays cheap however many versions it has."""
PART_BYTES_MAX = 512 * 1024


@dataclass(frozen=True, kw_only=True)
class FlowMetadata:
    """What a registration tells of a flow."""

    name: str
    storage: StorageReference
    tasks: tuple[TaskSpec, ...] = ()
    edges: tuple[EdgeSpec, ...] = ()
    parameters: tuple[ParameterSpec, ...] = ()
    labels: tuple[str, ...] = ()
    run_config: Mapping[str, Any] = field(default_factory=dict)
    schedule: Mapping[str, Any] | None = None
    serialized_hash: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Registration:
    """A registered version. `changed` is false where the idempotency key was the last one's."""

    flow_id: str
    flow_group_id: str
    version: int
    project_id: str
    changed: bool
    position: Position


def flow_group(log: EventLog, group_id: str) -> Aggregate[FlowGroup, FlowCommand]:
    return Aggregate(log, subjects.flow_group(group_id), flow_rules.RULES)


async def register_flow(
    log: EventLog, metadata: FlowMetadata, *, project_name: str, actor: Actor, idempotency_key: str | None = None
) -> Registration:
    """Register a version of the flow in the project; older versions are archived by it.

    With the idempotency key of the last registration, while that version takes runs, nothing changes and its id is returned.

    Raises:
        NotFound: there is no such project.
        CommandRejected: the metadata breaks a rule.

    """
    valid_name(metadata.name, kind="flow")
    project_id = await find_project(log, project_name)
    group_id = flow_group_id(project_id, metadata.name)
    group = flow_group(log, group_id)
    state = await group.refresh()
    if idempotency_key is not None and idempotency_key == state.idempotency_key and state.latest is not None:
        return Registration(state.latest.flow_id, group_id, state.latest.version, project_id, False, group.position)
    parts = await _write_parts(log, metadata, actor)
    command = RegisterFlow(
        flow_group_id=group_id,
        project_id=project_id,
        name=metadata.name,
        storage=metadata.storage,
        task_count=len(metadata.tasks),
        edge_count=len(metadata.edges),
        tasks=() if parts else metadata.tasks,
        edges=() if parts else metadata.edges,
        parts=parts,
        parameters=metadata.parameters,
        labels=metadata.labels,
        run_config=metadata.run_config,
        schedule=metadata.schedule,
        serialized_hash=metadata.serialized_hash,
        idempotency_key=idempotency_key,
        environment=metadata.environment,
    )
    outcome = await group.execute(command, actor, refresh=False)
    registered = outcome.state.latest
    assert registered is not None
    return Registration(registered.flow_id, group_id, registered.version, project_id, outcome.changed, outcome.position)


async def limit_attempts(log: EventLog, group_id: str, attempts_max: int | None, actor: Actor) -> CommandResult[FlowGroup]:
    """Let new runs of the flow fail when so many of their attempts were lost; None: as Headwater has it.

    Raises:
        NotFound: there is no such flow.
        InvalidArgument: the number is below 1.

    """
    return await flow_group(log, group_id).execute(LimitFlowAttempts(attempts_max), actor)


async def registration(log: EventLog, flow_id: str) -> FlowRegistered:
    """Return the registration under a flow version's id, whether it takes runs or not.

    Raises:
        InvalidArgument, NotFound: there is none.

    """
    group_id, version = split_flow_id(flow_id)
    found = (await flow_group(log, group_id).refresh()).versions.get(version)
    if found is None:
        raise NotFound("flow", flow_id, hint="`headwater get flows --all-versions` lists flows with their ids.")
    return found


async def delete_flow(log: EventLog, group_id: str, actor: Actor, *, reason: str = "") -> CommandResult[FlowGroup]:
    """Take the flow off the lists; it takes no new runs.

    Raises:
        NotFound: there is no such flow.

    """
    return await flow_group(log, group_id).execute(DeleteFlow(reason), actor)


async def find_flow(log: EventLog, *, project_name: str, name: str) -> FlowRegistered:
    """Return the newest version of the flow that takes runs.

    Raises:
        NotFound: no such project, or no such flow in it.
        FlowArchived: the flow is there, but none of its versions takes runs.

    """
    project_id = await find_project(log, project_name)
    state = await flow_group(log, flow_group_id(project_id, valid_name(name, kind="flow"))).refresh()
    if not state.versions or state.deleted:
        command = command_line("get flows", options=[("--project", project_name)])
        raise NotFound("flow", name, hint=f"`{command}` lists the flows of the project.")
    return _active(state, name)


def active_version(group: FlowGroup, version: int, flow_id: str) -> FlowRegistered:
    """Return version `version` of the group (0: the newest that takes runs).

    Raises:
        NotFound: there is no such version.
        FlowArchived: it takes no runs.

    """
    if not group.versions or (version and version not in group.versions):
        raise NotFound("flow", flow_id, hint="`headwater get flows --all-versions` lists flows with their ids.")
    if not version:
        return _active(group, group.name)
    registered = group.versions[version]
    if version not in group.active:
        newest = group.latest
        raise FlowArchived(
            f"Version {version} of flow {registered.name!r} ({flow_id}) is archived and takes no runs.",
            hint=f"The newest version is {newest.version} ({newest.flow_id})." if newest else "Register the flow again.",
        )
    return registered


def _active(group: FlowGroup, name: str) -> FlowRegistered:
    if group.latest is None:
        raise FlowArchived(f"All versions of flow {name!r} are archived; it takes no runs.", hint="Register the flow again.")
    return group.latest


async def _write_parts(log: EventLog, metadata: FlowMetadata, actor: Actor) -> RegistrationParts | None:
    """Write tasks and edges ahead of the registration where they are too many for its message; None where they fit into it."""
    registration_id = new_id()
    parts = list(_parts(registration_id, metadata))
    if len(parts) == 1 and len(encode_event(parts[0])) <= INLINE_BYTES_MAX:
        return None
    seal = hashlib.sha256()
    for part in parts:
        seal.update(encode_event(part))
        await log.append(subjects.registration_part(registration_id, part.number), actor.commit([part]), expected=0)
    return RegistrationParts(registration_id, len(parts), seal.hexdigest())


def _parts(registration_id: str, metadata: FlowMetadata) -> Iterator[RegistrationPart]:
    """Yield tasks, then edges, in slices that fit into a message."""
    number = 0
    tasks: list[TaskSpec] = []
    edges: list[EdgeSpec] = []
    size = 0
    entries: Sequence[TaskSpec | EdgeSpec] = (*metadata.tasks, *metadata.edges)
    for entry in entries:
        entry_size = len(msgspec.json.encode(entry))
        if size + entry_size > PART_BYTES_MAX and size:
            number += 1
            yield RegistrationPart(registration_id, number, tuple(tasks), tuple(edges))
            tasks, edges, size = [], [], 0
        if isinstance(entry, TaskSpec):
            tasks.append(entry)
        else:
            edges.append(entry)
        size += entry_size + 1
    yield RegistrationPart(registration_id, number + 1, tuple(tasks), tuple(edges))


async def tasks_and_edges(log: EventLog, registered: FlowRegistered) -> tuple[tuple[TaskSpec, ...], tuple[EdgeSpec, ...]]:
    """Return the version's tasks and edges, read from its parts where they did not fit into the registration.

    Raises:
        CommitUnreadable: the parts are not those that the registration names.

    """
    if registered.parts is None:
        return registered.tasks, registered.edges
    tasks: list[TaskSpec] = []
    edges: list[EdgeSpec] = []
    seal = hashlib.sha256()
    for number in range(1, registered.parts.count + 1):
        for recorded in await log.read(subjects.registration_part(registered.parts.registration_id, number)):
            for part in recorded.events:
                if isinstance(part, RegistrationPart):
                    seal.update(encode_event(part))
                    tasks.extend(part.tasks)
                    edges.extend(part.edges)
    if seal.hexdigest() != registered.parts.sha256:
        raise CommitUnreadable(f"The parts of registration {registered.parts.registration_id} are not those that flow.registered names.")
    return tuple(tasks), tuple(edges)
