"""The fold over the artifacts of task runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.core.events import TaskRunArtifactCreated, TaskRunArtifactDeleted, TaskRunArtifactUpdated
from headwater.core.log.commit import Position
from headwater.core.values.identifiers import artifact_address
from headwater.projections.fold.changes import Changes
from headwater.projections.stored_values import json
from headwater.projections.tables import ShownArtifact


def _created(changes: Changes, event: TaskRunArtifactCreated, run_id: str, position: Position) -> None:
    shown = ShownArtifact(run_id, event.artifact_id, event.slug, event.map_index, event.kind, event.data, event.at, event.at, position)
    changes.artifacts[shown.address] = shown


def _updated(changes: Changes, event: TaskRunArtifactUpdated, run_id: str, position: Position) -> None:
    address = artifact_address(run_id, event.artifact_id)
    if (made := changes.artifacts.get(address)) is None:
        changes.updated_artifacts[address] = (address, json(event.data), event.at, position)
    else:
        changes.artifacts[address] = made._replace(data=event.data, updated_at=event.at, position=position)


def _deleted(changes: Changes, event: TaskRunArtifactDeleted, run_id: str, _: Position) -> None:
    address = artifact_address(run_id, event.artifact_id)
    changes.artifacts.pop(address, None)
    changes.updated_artifacts.pop(address, None)
    changes.deleted_artifacts.add(address)


ARTIFACT_FOLDS: dict[type, Callable[[Changes, Any, str, Position], None]] = {
    TaskRunArtifactCreated: _created,
    TaskRunArtifactUpdated: _updated,
    TaskRunArtifactDeleted: _deleted,
}
"""Event class → what it changes."""
