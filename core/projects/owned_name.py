"""A name that belongs to one project at a time: claimed once, and released."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headwater.core.errors import AlreadyExists
from headwater.core.events import (
    AnyEvent,
    NameClaimed,
    NameReleased,
)
from headwater.core.projects.commands import (
    ClaimName,
    NameCommand,
    ReleaseName,
)
from headwater.core.rules import Rules


@dataclass(frozen=True)
class OwnedName:
    """Who owns a name; no one where `owner_id` is empty."""

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
