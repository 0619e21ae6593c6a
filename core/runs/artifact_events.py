"""What can have happened to the artifacts of task runs: what tasks leave for people to look at."""

from __future__ import annotations

from typing import Any

from headwater.core.runs.task_run_events import TaskRunEvent
from headwater.core.values.limits import Token, Uuid


class TaskRunArtifactEvent(TaskRunEvent, frozen=True, kw_only=True):
    """Common to all events of an artifact: which one. Slug and index are those of the task run that made it."""

    artifact_id: Uuid


class TaskRunArtifactCreated(TaskRunArtifactEvent, tag="task_run.artifact_created", frozen=True, kw_only=True):
    """The task run has this artifact from here on: a link, a text in Markdown or a table, as `kind` says."""

    kind: Token
    data: dict[str, Any]


class TaskRunArtifactUpdated(TaskRunArtifactEvent, tag="task_run.artifact_updated", frozen=True, kw_only=True):
    """The artifact shows this instead of what it showed before."""

    data: dict[str, Any]


class TaskRunArtifactDeleted(TaskRunArtifactEvent, tag="task_run.artifact_deleted", frozen=True, kw_only=True):
    """The artifact is gone from the task run. Its history stays."""
