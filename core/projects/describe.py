"""What happened to a project and its names, in words."""

from __future__ import annotations

from headwater.core import events as e
from headwater.core.events import AnyEvent


def describe(event: AnyEvent) -> str | None:
    """Return what the event says, for people; None where it is none of these."""
    match event:
        case e.ProjectCreated():
            return f"project {event.name!r} was created"
        case e.ProjectRenamed():
            return f"the project was renamed to {event.name!r}"
        case e.ProjectDescribed():
            return f"the project's description became {event.description!r}"
        case e.ProjectDeleted():
            return "the project was deleted"
        case e.NameClaimed():
            return f"the {event.kind} name {event.name!r} was taken by {event.owner_id}"
        case e.NameReleased():
            return f"the {event.kind} name {event.name!r} became free"
    return None
