"""Create, find, rename and delete projects. A name belongs to one project: both subjects change together or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.core.aggregates import MAX_CONFLICT_RETRIES, Actor, Aggregate
from headwater.core.errors import AlreadyExists, Conflict, NotFound
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Append, EventLog
from headwater.core.program.command_lines import command_line
from headwater.core.projects import rules as project_rules
from headwater.core.projects.commands import (
    ClaimName,
    CreateProject,
    DeleteProject,
    DescribeProject,
    NameCommand,
    ProjectCommand,
    ReleaseName,
    RenameProject,
)
from headwater.core.projects.owned_name import NAME_RULES, OwnedName
from headwater.core.projects.state import Project
from headwater.core.values.identifiers import new_id, parsed_uuid
from headwater.core.values.names import valid_name

_KIND = "project"


@dataclass(frozen=True)
class ProjectChange:
    """A project after a command. `changed` is false where everything asked for held already."""

    project_id: str
    name: str
    changed: bool
    position: Position


def _name(log: EventLog, name: str) -> Aggregate[OwnedName, NameCommand]:
    return Aggregate(log, subjects.name(_KIND, name), NAME_RULES)


def project(log: EventLog, project_id: str) -> Aggregate[Project, ProjectCommand]:
    return Aggregate(log, subjects.project(project_id), project_rules.RULES)


def project_not_found(name: str) -> NotFound:
    return NotFound("project", name, hint=f"Run `{command_line('create project', name, in_quotes=True)}` to create it.")


async def existing_project(log: EventLog, project_id: str) -> Project:
    """Return the project of this id.

    Raises:
        InvalidArgument: this is not an id.
        NotFound: there is no such project, or it was deleted.

    """
    found = await project(log, str(parsed_uuid(project_id, kind="project id"))).refresh()
    if not found.exists:
        raise NotFound(_KIND, found.name or project_id, hint="`headwater get projects` lists projects.")
    return found


async def find_project(log: EventLog, name: str) -> str:
    """Return the id of the project with this name.

    Raises:
        NotFound: there is none.

    """
    owner = await _name(log, valid_name(name, kind=_KIND)).refresh()
    if not owner.owner_id:
        raise project_not_found(name)
    return owner.owner_id


async def create_project(log: EventLog, name: str, actor: Actor, *, description: str = "", skip_if_exists: bool = False) -> ProjectChange:
    """Create a project.

    Raises:
        AlreadyExists: the name is taken (unless `skip_if_exists`: then that project is returned, unchanged).
        InvalidName: the name is empty, too long or holds control characters.

    """
    valid_name(name, kind=_KIND)
    commit_id, created_id = new_id(), new_id()
    owned, created = _name(log, name), project(log, created_id)
    for _ in range(MAX_CONFLICT_RETRIES):
        await owned.refresh()
        if owned.state.owner_id == created_id:
            return ProjectChange(created_id, name, True, owned.position)
        try:
            claims = NAME_RULES.decide(owned.state, ClaimName(_KIND, name, created_id))
        except AlreadyExists as taken:
            if not skip_if_exists:
                taken.hint = "Choose another name, or add --skip-if-exists to accept the one that is there."
                raise
            return ProjectChange(taken.existing_id, name, False, owned.position)
        facts = project_rules.RULES.decide(created.state, CreateProject(created_id, name, description))
        try:
            position = await log.append_together(
                [
                    Append(owned.subject, actor.commit(claims, commit_id=commit_id), owned.position),
                    Append(created.subject, actor.commit(facts, commit_id=commit_id), 0),
                ]
            )
        except Conflict as conflict:
            last = conflict
            continue
        return ProjectChange(created_id, name, True, position)
    raise last


async def rename_project(log: EventLog, project_id: str, name: str, actor: Actor) -> ProjectChange:
    """Give the project another name; its flows stay with it.

    Raises:
        NotFound, AlreadyExists, InvalidName: nothing was changed.

    """
    valid_name(name, kind=_KIND)
    commit_id = new_id()
    for _ in range(MAX_CONFLICT_RETRIES):
        renamed = project(log, project_id)
        state = await renamed.refresh()
        facts = project_rules.RULES.decide(state, RenameProject(name))
        if not facts:
            return ProjectChange(project_id, name, False, renamed.position)
        old, new = _name(log, state.name), _name(log, name)
        await old.refresh()
        await new.refresh()
        try:
            position = await log.append_together(
                [
                    Append(
                        new.subject,
                        actor.commit(NAME_RULES.decide(new.state, ClaimName(_KIND, name, project_id)), commit_id=commit_id),
                        new.position,
                    ),
                    Append(
                        old.subject,
                        actor.commit(NAME_RULES.decide(old.state, ReleaseName(project_id)), commit_id=commit_id),
                        old.position,
                    ),
                    Append(renamed.subject, actor.commit(facts, commit_id=commit_id), renamed.position),
                ]
            )
        except Conflict as conflict:
            last = conflict
            continue
        return ProjectChange(project_id, name, True, position)
    raise last


async def describe_project(log: EventLog, project_id: str, description: str, actor: Actor) -> ProjectChange:
    """Give the project another description.

    Raises:
        NotFound: there is no such project.

    """
    described = project(log, project_id)
    outcome = await described.execute(DescribeProject(description), actor)
    return ProjectChange(project_id, outcome.state.name, outcome.changed, outcome.position)


async def delete_project(log: EventLog, project_id: str, actor: Actor) -> ProjectChange:
    """Delete the project and free its name. Its flows are archived and its unfinished runs cancelled by the server; its history stays.

    Raises:
        NotFound: there is no such project.

    """
    commit_id = new_id()
    for _ in range(MAX_CONFLICT_RETRIES):
        deleted = project(log, project_id)
        state = await deleted.refresh()
        if not state.project_id:
            raise NotFound(_KIND, project_id)
        facts = project_rules.RULES.decide(state, DeleteProject())
        if not facts:
            return ProjectChange(project_id, state.name, False, deleted.position)
        owned = _name(log, state.name)
        await owned.refresh()
        appends = [Append(deleted.subject, actor.commit(facts, commit_id=commit_id), deleted.position)]
        released = NAME_RULES.decide(owned.state, ReleaseName(project_id))
        if released:
            appends.append(Append(owned.subject, actor.commit(released, commit_id=commit_id), owned.position))
        try:
            position = await log.append_together(appends)
        except Conflict as conflict:
            last = conflict
            continue
        return ProjectChange(project_id, state.name, True, position)
    raise last
