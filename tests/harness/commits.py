"""Commits and work items for tests of the log: small, and told apart by their text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from headwater.core.events import RunCancelRequested, RunCreated, RunScheduled, StorageReference
from headwater.core.log import subjects
from headwater.core.log.commit import Commit, new_commit
from headwater.core.log.protocol import Recorded, WorkItem
from headwater.core.values.identifiers import new_id

AT = datetime(2026, 5, 17, 12, 30, 15, 250_000, tzinfo=UTC)


def a_commit(text: str = "a name") -> Commit:
    return new_commit([RunCancelRequested(reason=text)], at=AT, actor="test")


def a_creation(run_id: str, queue_id: str) -> Commit:
    """What creates a run."""
    storage = StorageReference(type="Local")
    created = RunCreated(run_id, new_id(), new_id(), new_id(), "tutorial", "hello-flow", 1, "quiet-heron", queue_id, storage)
    return new_commit([created, RunScheduled(due_at=AT, generation=1)], at=AT, actor="test")


def a_subject() -> str:
    """The subject of a run that no other test has."""
    return subjects.run(new_id())


def an_item(queue_id: str, *, run_id: str | None = None, generation: int = 1, creation: Commit | None = None) -> WorkItem:
    return WorkItem(run_id=run_id or new_id(), queue_id=queue_id, generation=generation, creation=creation)


def texts(recorded: Iterable[Recorded]) -> list[str]:
    """What `a_commit` was given, in the order of recording."""
    return [event.reason for each in recorded for event in each.commit.events if isinstance(event, RunCancelRequested)]
