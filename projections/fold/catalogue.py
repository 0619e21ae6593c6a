"""The fold over projects, flows, queues and agents: few events, each a statement or two."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from headwater.core.events import (
    AgentLost,
    AgentRegistered,
    AgentStopped,
    AnyEvent,
    BackfillEvent,
    ConcurrencySet,
    EdgeSpec,
    FlowAttemptsLimited,
    FlowDefaultParametersSet,
    FlowDeleted,
    FlowDescribed,
    FlowLabelsSet,
    FlowRegistered,
    FlowVersionArchived,
    KeyValueDeleted,
    KeyValueSet,
    NameClaimed,
    NameReleased,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectRenamed,
    QueueLimitSet,
    QueueOpened,
    RegistrationPart,
    RegistrationParts,
    ScheduleEvent,
    SlotFreed,
    SlotTaken,
    TaskSpec,
)
from headwater.core.log.commit import Commit, Position
from headwater.projections.fold.backfills import fold_backfill
from headwater.projections.fold.changes import CannotApply, Changes
from headwater.projections.fold.key_values import fold_key_value
from headwater.projections.fold.schedules import fold_schedule
from headwater.projections.stored_values import json, text, texts
from headwater.projections.tables import (
    AGENTS,
    FLOW_EDGES,
    FLOW_GROUPS,
    FLOW_TASKS,
    FLOW_VERSIONS,
    PROJECTS,
    QUEUES,
    REGISTRATION_PARTS,
    NumberedEdge,
    NumberedTask,
    Told,
)

_decode_part = msgspec.json.Decoder(RegistrationPart).decode


def fold_catalogue_event(changes: Changes, aggregate_id: str, position: Position, commit: Commit, event: AnyEvent) -> bool:  # noqa: PLR0912 - one arm per event
    """Fold one event on the aggregate of this id; tell whether its type is known.

    Raises:
        CannotApply: it contradicts what was before it.

    """
    if isinstance(event, ScheduleEvent):
        fold_schedule(changes, aggregate_id, position, commit, event)
        return True
    if isinstance(event, BackfillEvent):
        fold_backfill(changes, aggregate_id, position, commit, event)
        return True
    match event:
        case ProjectCreated() | ProjectRenamed() | ProjectDescribed() | ProjectDeleted():
            _project(changes, aggregate_id, position, commit, event)
        case KeyValueSet() | KeyValueDeleted():
            fold_key_value(changes, aggregate_id, position, commit, event)
        case FlowRegistered():
            _registered(changes, aggregate_id, position, commit, event)
        case FlowVersionArchived():
            changes.update("UPDATE flow_versions SET archived = true WHERE id = $1", event.flow_id)
            changes.archived_flows.add(event.flow_id)
        case FlowDeleted():
            _flow_deleted(changes, aggregate_id)
        case FlowDescribed():
            changes.update("UPDATE flow_groups SET description = $2 WHERE id = $1", aggregate_id, text(event.description))
        case FlowLabelsSet():
            labels = None if event.labels is None else texts(event.labels)
            changes.update("UPDATE flow_groups SET labels = $2 WHERE id = $1", aggregate_id, labels)
        case FlowDefaultParametersSet():
            changes.update("UPDATE flow_groups SET default_parameters = $2 WHERE id = $1", aggregate_id, json(event.parameters))
        case RegistrationPart():
            changes.execute(REGISTRATION_PARTS.insert_statement, *REGISTRATION_PARTS.row(event))
        case QueueOpened():
            changes.execute(QUEUES.insert_statement, *QUEUES.row(Told(aggregate_id, event, commit, position)))
        case AgentRegistered() | AgentStopped() | AgentLost():
            _agent(changes, aggregate_id, position, commit, event)
        case NameClaimed() | NameReleased() | FlowAttemptsLimited() | ConcurrencySet() | SlotTaken() | SlotFreed() | QueueLimitSet():
            pass  # Decides what may be appended, and is read from the log by the program that appends.
        case _:
            return False
    return True


def _project(
    changes: Changes,
    project_id: str,
    position: Position,
    commit: Commit,
    event: ProjectCreated | ProjectRenamed | ProjectDescribed | ProjectDeleted,
) -> None:
    match event:
        case ProjectCreated():
            changes.execute(PROJECTS.insert_statement, *PROJECTS.row(Told(project_id, event, commit, position)))
        case ProjectRenamed():
            changes.update("UPDATE projects SET name = $2, position = $3 WHERE id = $1", project_id, text(event.name), position)
        case ProjectDescribed():
            statement = "UPDATE projects SET description = $2, position = $3 WHERE id = $1"
            changes.update(statement, project_id, text(event.description), position)
        case ProjectDeleted():
            changes.update("UPDATE projects SET deleted = true, position = $2 WHERE id = $1", project_id, position)
            changes.deleted_projects.add(project_id)


_GROUP = f"""
{FLOW_GROUPS.insert_statement}
ON CONFLICT (id) DO UPDATE SET project_id = excluded.project_id, name = excluded.name, deleted = false
"""


def _registered(changes: Changes, group_id: str, position: Position, commit: Commit, event: FlowRegistered) -> None:
    told = Told(group_id, event, commit, position)
    changes.execute(_GROUP, *FLOW_GROUPS.row(told))
    changes.execute(FLOW_VERSIONS.insert_statement, *FLOW_VERSIONS.row(told))
    if event.archives:
        changes.execute("UPDATE flow_versions SET archived = true WHERE id = ANY($1::uuid[])", list(event.archives))
        changes.archived_flows.update(event.archives)

    async def tasks_and_edges(db: Any) -> None:
        tasks, edges = (event.tasks, event.edges) if event.parts is None else await _from_parts(db, event.parts)
        await FLOW_TASKS.copy(db, [NumberedTask(event.flow_id, n, task) for n, task in enumerate(tasks)])
        await FLOW_EDGES.copy(db, [NumberedEdge(event.flow_id, n, edge) for n, edge in enumerate(edges)])

    changes.steps.append(tasks_and_edges)


async def _from_parts(db: Any, parts: RegistrationParts) -> tuple[list[TaskSpec], list[EdgeSpec]]:
    """Return the tasks and edges of the parts that were written before, and forget the parts."""
    statement = "DELETE FROM registration_parts WHERE registration_id = $1 RETURNING number, event"
    found = sorted(await db.fetch(statement, parts.registration_id))
    wanted = [(number, data) for number, data in found if 1 <= number <= parts.count]
    seal = hashlib.sha256()
    for _, data in wanted:
        seal.update(data)
    if len(wanted) != parts.count or seal.hexdigest() != parts.sha256:
        raise CannotApply(f"The parts of registration {parts.registration_id} are not those that flow.registered names.")
    slices = [_decode_part(data) for _, data in wanted]
    return [task for part in slices for task in part.tasks], [edge for part in slices for edge in part.edges]


def _flow_deleted(changes: Changes, group_id: str) -> None:
    changes.update("UPDATE flow_groups SET deleted = true WHERE id = $1", group_id)

    async def archive_all(db: Any) -> None:
        rows = await db.fetch("UPDATE flow_versions SET archived = true WHERE flow_group_id = $1 AND NOT archived RETURNING id", group_id)
        changes.archived_flows.update(str(row["id"]) for row in rows)

    changes.steps.append(archive_all)


_AGENT = f"""
{AGENTS.insert_statement}
ON CONFLICT (id) DO UPDATE SET status = excluded.status, status_reason = '', ended = NULL, position = excluded.position
"""


def _agent(changes: Changes, agent_id: str, position: Position, commit: Commit, event: AgentRegistered | AgentStopped | AgentLost) -> None:
    if isinstance(event, AgentRegistered):
        changes.execute(_AGENT, *AGENTS.row(Told(agent_id, event, commit, position)))
        return
    statement = "UPDATE agents SET status = $2, status_reason = $3, ended = $4, position = $5 WHERE id = $1"
    status = "stopped" if isinstance(event, AgentStopped) else "lost"
    changes.update(statement, agent_id, status, text(event.reason), commit.at, position)
