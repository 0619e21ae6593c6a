"""The rules of a project, and of the names that belong to projects."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from headwater.core.commands import (
    ClaimName,
    CreateProject,
    DeleteProject,
    DescribeProject,
    NameCommand,
    ProjectCommand,
    ReleaseName,
    RenameProject,
)
from headwater.core.errors import AlreadyExists, NotFound
from headwater.core.events import (
    AnyEvent,
    NameClaimed,
    NameReleased,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectRenamed,
)
from headwater.core.names import valid_name
from headwater.core.rules.aggregate import Rules


@dataclass(frozen=True)
class Project:
    """A project as its events leave it."""

    project_id: str = ""
    name: str = ""
    description: str = ""
    deleted: bool = False

    @property
    def exists(self) -> bool:
        return bool(self.project_id) and not self.deleted


def evolve(project: Project, event: AnyEvent) -> Project:
    match event:
        case ProjectCreated():
            return Project(event.project_id, event.name, event.description)
        case ProjectRenamed():
            return dataclasses.replace(project, name=event.name)
        case ProjectDescribed():
            return dataclasses.replace(project, description=event.description)
        case ProjectDeleted():
            return dataclasses.replace(project, deleted=True)
        case _:
            return project


def decide(project: Project, command: ProjectCommand) -> Sequence[AnyEvent]:
    if isinstance(command, CreateProject):
        if project.project_id:
            return []
        return [ProjectCreated(command.project_id, valid_name(command.name, kind="project"), command.description)]
    if not project.exists:
        if isinstance(command, DeleteProject) and project.deleted:
            return []
        raise NotFound("project", project.name or project.project_id)
    match command:
        case RenameProject():
            name = valid_name(command.name, kind="project")
            return [] if name == project.name else [ProjectRenamed(name)]
        case DescribeProject():
            return [] if command.description == project.description else [ProjectDescribed(command.description)]
        case DeleteProject():
            return [ProjectDeleted()]


RULES = Rules(Project(), evolve, decide)


@dataclass(frozen=True)
class OwnedName:
    """Who owns a name; nobody where `owner_id` is empty."""

    kind: str = ""
    name: str = ""
    owner_id: str = ""


def evolve_name(owned: OwnedName, event: AnyEvent) -> OwnedName:
    match event:
        case NameClaimed():
            return OwnedName(event.kind, event.name, event.owner_id)
        case NameReleased():
            return OwnedName()
        case _:
            return owned


def decide_name(owned: OwnedName, command: NameCommand) -> Sequence[AnyEvent]:
    match command:
        case ClaimName():
            if owned.owner_id == command.owner_id:
                return []
            if owned.owner_id:
                raise AlreadyExists(command.kind, command.name, existing_id=owned.owner_id)
            return [NameClaimed(command.kind, command.name, command.owner_id)]
        case ReleaseName():
            return [NameReleased(owned.kind, owned.name, owned.owner_id)] if owned.owner_id == command.owner_id else []


NAME_RULES = Rules(OwnedName(), evolve_name, decide_name)
