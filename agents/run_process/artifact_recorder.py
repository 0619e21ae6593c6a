"""The artifacts of one run, as its process knows them: takes what tasks make of them, and has it recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from msgspec.structs import replace

from headwater.core.errors import NotFound
from headwater.core.events import TaskRunArtifactCreated, TaskRunArtifactDeleted, TaskRunArtifactEvent, TaskRunArtifactUpdated, TaskRunEvent
from headwater.core.runs.artifact import Artifact, valid_data


class ArtifactRecorder:
    """Records artifacts of an attempt. `before` are those that the run had when the attempt began; `record` takes each event."""

    def __init__(
        self,
        record: Callable[[TaskRunEvent], None],
        before: Mapping[str, Artifact],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._record = record
        self._known = dict(before)
        self._clock = clock
        self._changing = threading.Lock()

    def take(self, event: TaskRunArtifactEvent) -> None:
        """Record what a task made, from whatever thread: that of a task, or one that carries what tasks in other processes make.

        Raises:
            NotFound: the run has no such artifact.
            InvalidArtifact: the artifact is of another kind.

        """
        with self._changing:
            if isinstance(event, TaskRunArtifactCreated):
                self._known[event.artifact_id] = Artifact(event.slug, event.map_index, event.kind)
            elif event.artifact_id not in self._known:
                raise NotFound("artifact", event.artifact_id)
            owner = self._known[event.artifact_id]
            if isinstance(event, TaskRunArtifactUpdated):
                valid_data(owner.kind, event.data)
            elif isinstance(event, TaskRunArtifactDeleted):
                del self._known[event.artifact_id]
            self._record(replace(event, slug=owner.slug, map_index=owner.map_index, at=self._clock()))
