"""A schedule as its events leave it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from msgspec.structs import replace

from headwater.core.events import (
    AnyEvent,
    Origin,
    ScheduleDefinition,
    ScheduleDeleted,
    ScheduleEvent,
    ScheduleProgress,
    ScheduleSet,
    ScheduleSpec,
)


@dataclass(frozen=True)
class ScheduleState:
    """A schedule as its events leave it: what it is, and how far it is. Both are None before it was ever set."""

    definition: ScheduleDefinition | None = None
    progress: ScheduleProgress | None = None

    @property
    def exists(self) -> bool:
        """Whether it has times."""
        return self.spec is not None

    @property
    def spec(self) -> ScheduleSpec | None:
        """The times and policies that hold."""
        return None if self.definition is None else self.definition.spec

    @property
    def is_active(self) -> bool:
        """Whether times to come have runs."""
        return self.exists and self.progress is not None and self.progress.pause is None

    @property
    def generation(self) -> int:
        return 0 if self.progress is None else self.progress.generation


def evolve(state: ScheduleState, event: AnyEvent) -> ScheduleState:
    if not isinstance(event, ScheduleEvent):
        return state
    if event.definition is not None:
        state = dataclasses.replace(state, definition=event.definition)
    else:
        match event:
            case ScheduleSet():
                state = dataclasses.replace(state, definition=_set(state.definition, event))
            case ScheduleDeleted() if state.definition is not None:
                kept = state.definition
                gone = replace(kept, user=None) if event.origin is Origin.USER else replace(kept, registered=None)
                state = dataclasses.replace(state, definition=gone)
            case _:
                pass
    return state if event.after is None else dataclasses.replace(state, progress=event.after)


def _set(before: ScheduleDefinition | None, event: ScheduleSet) -> ScheduleDefinition:
    registered, user = (None, None) if before is None else (before.registered, before.user)
    return ScheduleDefinition(
        schedule_id=event.schedule_id,
        flow_group_id=event.flow_group_id,
        project_id=event.project_id,
        slug=event.slug,
        registered=event.spec if event.origin is Origin.REGISTERED else registered,
        user=event.spec if event.origin is Origin.USER else user,
    )
