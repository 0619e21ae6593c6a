"""A flow over its versions, as its events leave it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headwater.core.events import (
    AnyEvent,
    FlowAttemptsLimited,
    FlowDefaultParametersSet,
    FlowDeleted,
    FlowDescribed,
    FlowLabelsSet,
    FlowRegistered,
    FlowVersionArchived,
)


@dataclass(frozen=True)
class FlowGroup:
    """A flow over its versions, as its events leave it. `versions` maps the number to the registration; `active` takes runs.

    `labels` (None: each version's own) and `default_parameters` hold for new runs of every version, before what was registered.
    """

    flow_group_id: str = ""
    project_id: str = ""
    name: str = ""
    versions: Mapping[int, FlowRegistered] = field(default_factory=dict)
    active: frozenset[int] = frozenset()
    idempotency_key: str | None = None
    deleted: bool = False
    attempts_max: int | None = None
    description: str = ""
    labels: tuple[str, ...] | None = None
    default_parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def latest(self) -> FlowRegistered | None:
        """The newest version that takes runs, or None."""
        return self.versions[max(self.active)] if self.active else None

    def registered_with(self, idempotency_key: str | None) -> FlowRegistered | None:
        """Return the newest version where it was registered with this key and takes runs: registering again changes nothing then."""
        return self.latest if idempotency_key is not None and idempotency_key == self.idempotency_key else None


def evolve(group: FlowGroup, event: AnyEvent) -> FlowGroup:
    match event:
        case FlowRegistered():
            archived = {number for number, registered in group.versions.items() if registered.flow_id in event.archives}
            return dataclasses.replace(
                group,
                flow_group_id=event.flow_group_id,
                project_id=event.project_id,
                name=event.name,
                versions={**group.versions, event.flow_version: event},
                active=(group.active - archived) | {event.flow_version},
                idempotency_key=event.idempotency_key,
                deleted=False,
            )
        case FlowVersionArchived():
            return dataclasses.replace(group, active=group.active - {event.flow_version})
        case FlowDeleted():
            return dataclasses.replace(group, active=frozenset(), idempotency_key=None, deleted=True)
        case FlowAttemptsLimited():
            return dataclasses.replace(group, attempts_max=event.attempts_max)
        case FlowDescribed():
            return dataclasses.replace(group, description=event.description)
        case FlowLabelsSet():
            return dataclasses.replace(group, labels=event.labels)
        case FlowDefaultParametersSet():
            return dataclasses.replace(group, default_parameters=event.parameters)
        case _:
            return group
