"""Flows as the log has them: their versions, the one that a run needs, its tasks and edges."""

from __future__ import annotations

import hashlib

from headwater.core.aggregates import Aggregate
from headwater.core.errors import CommitUnreadable, FlowArchived, NotFound
from headwater.core.events import EdgeSpec, FlowRegistered, RegistrationPart, TaskSpec
from headwater.core.flows import rules as flow_rules
from headwater.core.flows.commands import FlowCommand
from headwater.core.flows.state import FlowGroup
from headwater.core.hints import ListFlowsAction, hint
from headwater.core.log import subjects
from headwater.core.log.codec import encode_event
from headwater.core.log.protocol import EventLog
from headwater.core.operations.project_lookup import find_project
from headwater.core.values.identifiers import flow_group_id, split_flow_id
from headwater.core.values.names import valid_name


def flow_group(log: EventLog, group_id: str) -> Aggregate[FlowGroup, FlowCommand]:
    return Aggregate(log, subjects.flow_group(group_id), flow_rules.RULES)


async def registration(log: EventLog, flow_id: str) -> FlowRegistered:
    """Return the registration under a flow version's id, whether it takes runs or not.

    Raises:
        InvalidArgument, NotFound: there is none.

    """
    group_id, version = split_flow_id(flow_id)
    found = (await flow_group(log, group_id).refresh()).versions.get(version)
    if found is None:
        raise NotFound("flow", flow_id, hint=hint("{} lists flows with their ids.", ListFlowsAction(all_versions=True)))
    return found


async def find_flow(log: EventLog, *, project_name: str, name: str) -> FlowRegistered:
    """Return the newest version of the flow that takes runs.

    Raises:
        NotFound: no such project, or no such flow in it.
        FlowArchived: the flow is there, but none of its versions takes runs.

    """
    project_id = await find_project(log, project_name)
    state = await flow_group(log, flow_group_id(project_id, valid_name(name, kind="flow"))).refresh()
    if not state.versions or state.deleted:
        raise NotFound("flow", name, hint=hint("{} lists the flows of the project.", ListFlowsAction(project_name)))
    return _active(state, name)


def active_version(group: FlowGroup, version: int, flow_id: str) -> FlowRegistered:
    """Return version `version` of the group (0: the newest that takes runs).

    Raises:
        NotFound: there is no such version.
        FlowArchived: it takes no runs.

    """
    if not group.versions or (version and version not in group.versions):
        raise NotFound("flow", flow_id, hint=hint("{} lists flows with their ids.", ListFlowsAction(all_versions=True)))
    if not version:
        return _active(group, group.name)
    registered = group.versions[version]
    if version not in group.active:
        newest = group.latest
        raise FlowArchived(
            f"Version {version} of flow {registered.name!r} ({flow_id}) is archived and takes no runs.",
            hint=f"The newest version is {newest.flow_version} ({newest.flow_id})." if newest else "Register the flow again.",
        )
    return registered


def _active(group: FlowGroup, name: str) -> FlowRegistered:
    if group.latest is None:
        raise FlowArchived(f"All versions of flow {name!r} are archived; it takes no runs.", hint="Register the flow again.")
    return group.latest


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
