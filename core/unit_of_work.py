"""Changes of several aggregates that take effect together or not at all: decided again where another writer was first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from headwater.core.aggregates import MAX_CONFLICT_RETRIES, Actor, Aggregate
from headwater.core.errors import Conflict
from headwater.core.events import AnyEvent
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Append, EventLog
from headwater.core.values.identifiers import new_id

T = TypeVar("T")


class UnitOfWork:
    """What one decision adds to several aggregates. All its commits have one id."""

    def __init__(self, actor: Actor, commit_id: str) -> None:
        self.appends: list[Append] = []
        self._actor = actor
        self._commit_id = commit_id

    def add(self, aggregate: Aggregate[Any, Any], events: Sequence[AnyEvent]) -> None:
        """Append these events to the aggregate if it is as it was when they were decided; no events add nothing."""
        if events:
            self.appends.append(Append(aggregate.subject, self._actor.commit(events, commit_id=self._commit_id), aggregate.position))


async def change_together(log: EventLog, actor: Actor, decide: Callable[[UnitOfWork], Awaitable[T]]) -> tuple[T, Position | None]:
    """Let `decide` read the aggregates and add their changes, and append these; return what it returned, and the last position.

    The position is None where nothing was added. After a conflict `decide` is called again, so it reads everything again each time.

    Raises:
        CommandRejected: `decide` does not allow it; nothing was written.
        LogError: as the log's `append_together`; Conflict only after 64 lost races.

    """
    commit_id = new_id()
    for _ in range(MAX_CONFLICT_RETRIES):
        unit = UnitOfWork(actor, commit_id)
        decided = await decide(unit)
        if not unit.appends:
            return decided, None
        try:
            return decided, await log.append_together(unit.appends)
        except Conflict as conflict:
            last = conflict
    raise last
