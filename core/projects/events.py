"""What can have happened to a project, and to the name that belongs to it."""

from __future__ import annotations

from headwater.core.event import Event
from headwater.core.values.limits import Name, Uuid


class ProjectCreated(Event, tag="project.created", frozen=True):
    """A project exists from here on."""

    project_id: Uuid
    name: Name
    description: str = ""


class ProjectRenamed(Event, tag="project.renamed", frozen=True):
    """The project has another name; its flows stay where they are."""

    name: Name


class ProjectDescribed(Event, tag="project.described", frozen=True):
    """The project has another description."""

    description: str


class ProjectDeleted(Event, tag="project.deleted", frozen=True):
    """The project takes no flows and no runs any more. Its history stays."""


class NameClaimed(Event, tag="name.claimed", frozen=True):
    """The name belongs to this owner until it is released. `kind` says what is named ("project")."""

    kind: str
    name: Name
    owner_id: Uuid


class NameReleased(Event, tag="name.released", frozen=True):
    """The name is free again."""

    kind: str
    name: Name
    owner_id: Uuid


ProjectEvent = ProjectCreated | ProjectRenamed | ProjectDescribed | ProjectDeleted
NameEvent = NameClaimed | NameReleased
