"""The view of what task runs show to people."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from headwater.core.log.commit import Position
from headwater.core.values.identifiers import artifact_address, task_run_address
from headwater.projections.stored_values import json, text
from headwater.projections.tables.view import Column, View


class ShownArtifact(NamedTuple):
    """An artifact; its id is that inside its run."""

    run_id: str
    artifact_id: str
    slug: str
    map_index: int
    kind: str
    data: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    position: Position

    @property
    def address(self) -> str:
        """Its id as people know it."""
        return artifact_address(self.run_id, self.artifact_id)


ARTIFACTS: View[ShownArtifact] = View(
    "artifacts",
    (
        Column("id", "text", lambda shown: shown.address, findable=True),
        Column("run_id", "uuid", lambda shown: shown.run_id, findable=True),
        Column("slug", "text", lambda shown: text(shown.slug), changes=True, findable=True),
        Column("map_index", "integer", lambda shown: shown.map_index, changes=True, findable=True),
        Column(
            "task_run_id",
            "text",
            lambda shown: task_run_address(shown.run_id, text(shown.slug), shown.map_index),
            changes=True,
            findable=True,
        ),
        Column("kind", "text", lambda shown: text(shown.kind), changes=True, findable=True),
        Column("data", "json", lambda shown: json(shown.data), changes=True),
        Column("created", "timestamptz", lambda shown: shown.created_at, changes=True, findable=True),
        Column("updated", "timestamptz", lambda shown: shown.updated_at, changes=True, findable=True),
        Column("position", "bigint", lambda shown: shown.position, changes=True),
    ),
    key=("id",),
    comment="What task runs show to people. `id` and `task_run_id` are made of the ids of run, artifact and task run, as people know them.",
    indexes=("artifacts_by_task_run ON artifacts (run_id, slug, map_index)", "artifacts_by_task_run_id ON artifacts (task_run_id)"),
)
