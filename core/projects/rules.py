"""The rules of a project, and of the names that belong to projects."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.core.errors import NotFound
from headwater.core.events import (
    AnyEvent,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectRenamed,
)
from headwater.core.projects.commands import (
    CreateProject,
    DeleteProject,
    DescribeProject,
    ProjectCommand,
    RenameProject,
)
from headwater.core.projects.state import Project, evolve
from headwater.core.rules import Rules
from headwater.core.values.names import valid_name


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
