"""The fold over the artifacts of task runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.core.events import TaskRunArtifactCreated, TaskRunArtifactDeleted, TaskRunArtifactUpdated
from headwater.core.values.identifiers import artifact_address, task_run_address
from headwater.projections.fold.changes import Changes, json, text
from headwater.projections.fold.task_runs import Place


def _created(changes: Changes, event: TaskRunArtifactCreated, place: Place) -> None:
    address = artifact_address(place.run_id, event.artifact_id)
    slug = text(event.slug)
    changes.artifacts[address] = [
        address,
        place.run_id,
        slug,
        event.map_index,
        task_run_address(place.run_id, slug, event.map_index),
        text(event.kind),
        json(event.data),
        event.at,
        event.at,
        place.position,
    ]


def _updated(changes: Changes, event: TaskRunArtifactUpdated, place: Place) -> None:
    address = artifact_address(place.run_id, event.artifact_id)
    shown = (json(event.data), event.at, place.position)
    if (made := changes.artifacts.get(address)) is None:
        changes.changed_artifacts[address] = (address, *shown)
    else:
        made[_DATA], made[_UPDATED], made[_POSITION] = shown


_DATA, _UPDATED, _POSITION = 6, 8, 9


def _deleted(changes: Changes, event: TaskRunArtifactDeleted, place: Place) -> None:
    address = artifact_address(place.run_id, event.artifact_id)
    changes.artifacts.pop(address, None)
    changes.changed_artifacts.pop(address, None)
    changes.deleted_artifacts.add(address)


ARTIFACT_FOLDS: dict[type, Callable[[Changes, Any, Place], None]] = {
    TaskRunArtifactCreated: _created,
    TaskRunArtifactUpdated: _updated,
    TaskRunArtifactDeleted: _deleted,
}
"""Event class → what it changes."""
