"""Registering a version of a flow. Only metadata comes here; code stays with those who wrote it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from headwater.core.aggregates import Actor
from headwater.core.events import (
    EdgeSpec,
    FlowRegistered,
    Origin,
    ParameterSpec,
    PauseCause,
    RegistrationPart,
    RegistrationParts,
    ScheduleSpec,
    StorageReference,
    TaskSpec,
)
from headwater.core.flows import rules as flow_rules
from headwater.core.flows.commands import RegisterFlow
from headwater.core.log import subjects
from headwater.core.log.codec import encode_event
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flow_lookup import flow_group
from headwater.core.operations.project_lookup import find_project
from headwater.core.operations.schedules import schedule, spec_of
from headwater.core.schedules import rules as schedule_rules
from headwater.core.schedules.commands import DeleteSchedule, PauseSchedule, ResumeSchedule, ScheduleCommand, SetSchedule
from headwater.core.unit_of_work import UnitOfWork, change_together
from headwater.core.values.identifiers import flow_group_id, new_id, schedule_id
from headwater.core.values.names import valid_name

REGISTRATION_BYTES_MAX = 32 * 1024
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
    flow_version: int
    project_id: str
    changed: bool
    position: Position


async def register_flow(
    log: EventLog,
    metadata: FlowMetadata,
    actor: Actor,
    *,
    project_name: str,
    idempotency_key: str | None = None,
    schedule_active: bool | None = None,
) -> Registration:
    """Register a version of the flow in the project; older versions are archived by it. Its schedule is set with it, or neither is.

    With the idempotency key of the last registration, while that version takes runs, nothing changes and its id is returned.
    `schedule_active` resumes the flow's schedule (True) or pauses it (False); None keeps a pause.

    Raises:
        NotFound: there is no such project.
        CommandRejected: the metadata breaks a rule.

    """
    valid_name(metadata.name, kind="flow")
    project_id = await find_project(log, project_name)
    group_id = flow_group_id(project_id, metadata.name)
    group = flow_group(log, group_id)
    state = await group.refresh()
    if (same := state.registered_with(idempotency_key)) is not None:
        await keep_schedule(log, same, actor, active=schedule_active)
        return Registration(same.flow_id, group_id, same.flow_version, project_id, False, group.position)
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
    spec = None if metadata.schedule is None else spec_of(metadata.schedule)

    async def register(unit: UnitOfWork) -> tuple[FlowRegistered, bool]:
        registered = flow_group(log, group_id)
        before = await registered.refresh()
        events = flow_rules.RULES.decide(before, command)
        unit.add(registered, events)
        version = flow_rules.RULES.fold(events, before).latest
        assert version is not None
        if events:
            await _set_schedule(log, unit, version, spec, at=actor.clock(), active=schedule_active)
        return version, bool(events)

    (registered, changed), position = await change_together(log, actor, register)
    if not changed:  # another registration with this key was first
        await keep_schedule(log, registered, actor, active=schedule_active)
    return Registration(registered.flow_id, group_id, registered.flow_version, project_id, changed, position or group.position)


async def _set_schedule(
    log: EventLog, unit: UnitOfWork, version: FlowRegistered, spec: ScheduleSpec | None, *, at: datetime, active: bool | None
) -> None:
    """Let the flow's own schedule be what this version has."""
    found = schedule(log, schedule_id(version.flow_group_id))
    state = await found.refresh()
    if spec is not None:
        command: ScheduleCommand = _registered_schedule(version, spec, at, active)
    elif state.definition is not None and state.definition.registered is not None:
        command = DeleteSchedule(Origin.REGISTERED, at)
    else:
        return
    unit.add(found, schedule_rules.RULES.decide(state, command))


async def keep_schedule(log: EventLog, version: FlowRegistered, actor: Actor, *, active: bool | None) -> None:
    """Let the schedule of a version that is registered already be active or not; None leaves it as it is.

    A version that was registered before there were schedules in the log gets its own now.

    Raises:
        LogError: as the log's `append`.

    """
    found = schedule(log, schedule_id(version.flow_group_id))
    state = await found.refresh()
    if version.schedule is not None and (state.definition is None or state.definition.registered is None):
        if active is None and version.schedule.get("active") is False:
            active = False  # as it was registered then
        await found.execute(_registered_schedule(version, spec_of(version.schedule), actor.clock(), active), actor, refresh=False)
    elif state.exists and active is not None:
        at = actor.clock()
        command = ResumeSchedule(at) if active else PauseSchedule(at, cause=PauseCause.REGISTRATION)
        if active or state.is_active:  # a pause that holds keeps its note and its end
            await found.execute(command, actor, refresh=False)


def _registered_schedule(version: FlowRegistered, spec: ScheduleSpec, at: datetime, active: bool | None) -> SetSchedule:
    return SetSchedule(
        schedule_id=schedule_id(version.flow_group_id),
        flow_group_id=version.flow_group_id,
        project_id=version.project_id,
        slug="",
        origin=Origin.REGISTERED,
        spec=spec,
        at=at,
        activate=active,
        flow_version=version.flow_version,
    )


async def _write_parts(log: EventLog, metadata: FlowMetadata, actor: Actor) -> RegistrationParts | None:
    """Write tasks and edges ahead of the registration where they are too many for its message; None where they fit into it."""
    registration_id = new_id()
    parts = list(_parts(registration_id, metadata))
    if len(parts) == 1 and len(encode_event(parts[0])) <= REGISTRATION_BYTES_MAX:
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
