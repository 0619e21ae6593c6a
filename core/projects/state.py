"""A project as its events leave it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from headwater.core.events import (
    AnyEvent,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectRenamed,
)


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
