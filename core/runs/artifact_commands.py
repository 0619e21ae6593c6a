"""Commands about artifacts of task runs; they are commands of the run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class CreateArtifact:
    """Give a task run an artifact of a kind ("link", "markdown", "table"). `tasks` are the slugs of the flow version."""

    at: datetime
    slug: str
    map_index: int
    artifact_id: str
    kind: str
    data: dict[str, Any]
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True)
class UpdateArtifact:
    at: datetime
    artifact_id: str
    data: dict[str, Any]


@dataclass(frozen=True)
class DeleteArtifact:
    at: datetime
    artifact_id: str
