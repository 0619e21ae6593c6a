"""How an artifact gets from the task that makes it to the process that keeps the record of the run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from headwater.core.events import TaskRunArtifactEvent

TakeArtifact = Callable[[TaskRunArtifactEvent], None]

_way_back: ContextVar[TakeArtifact | None] = ContextVar("headwater.artifacts", default=None)
_recorders: dict[int, TakeArtifact] = {}
"""By process: a child that was forked has the recorder of its parent in memory, and nothing that appends behind it."""


def record_artifacts_with(take: TakeArtifact) -> None:
    """Give `take`, from whatever thread, what tasks in this process make of artifacts from here on."""
    _recorders.clear()
    _recorders[os.getpid()] = take


@contextmanager
def artifacts_carried_by(take: TakeArtifact) -> Iterator[None]:
    """Give `take` what the task in this block makes of artifacts: in a process that another one asked to execute it."""
    token = _way_back.set(take)
    try:
        yield
    finally:
        _way_back.reset(token)


def record_artifact(event: TaskRunArtifactEvent) -> bool:
    """Hand on what a task made; return whether this process, or the one that asked for the task, keeps the record of its run.

    Raises:
        NotFound, InvalidArtifact: the record has no such artifact, or one of another kind.

    """
    take = _way_back.get() or _recorders.get(os.getpid())
    if take is None:
        return False
    take(event)
    return True
