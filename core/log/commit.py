"""A commit: the events of one command, stored as one message. What was read back is a recorded commit with its position."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from headwater.core.events import AnyEvent
from headwater.core.values.identifiers import new_id
from headwater.core.values.limits import Instant, Int32, Token

CATALOGUE_VERSION = 1
"""The version of the event shapes this program writes; older ones are lifted to it when read."""

Position = int
"""The sequence number of a message in its stream. 0 stands before the first."""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one command: written together or not at all.

    `id` identifies the attempt to write (a repeated write of the same id takes effect once), `at` is the writer's clock (UTC), `actor`
    says who did it (`cli:ana@host`, `agent:<id>`, `run:<id>#<attempt>`, `server`), `cause` is the id of the commit that led to it.
    """

    v: Int32 = CATALOGUE_VERSION
    id: Token
    at: Instant
    actor: str
    cause: str | None = None
    events: tuple[AnyEvent, ...]


def new_commit(events: Iterable[AnyEvent], *, at: datetime, actor: str, cause: str | None = None, commit_id: str | None = None) -> Commit:
    """Return a commit of these events with a fresh id, or with the one given where a command is repeated."""
    return Commit(id=commit_id or new_id(), at=at, actor=actor, cause=cause, events=tuple(events))
