"""Rows of dead letters, and of what came of trying one again."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from headwater.core.log.commit import Position
from headwater.core.queries.rows.row import Row


class SetAsideRow(Row, frozen=True, kw_only=True):
    """A commit that the projector could not apply: where, what it was, and why."""

    position: Position
    """The position of the commit in the log."""
    subject: str
    """The subject that it is on."""
    event: str
    """The names of its events; empty where they could not be read."""
    reason: str
    """Why it could not be applied, in words."""
    recorded_at: datetime
    """When the projector set it aside."""


class DeadLetterSource(StrEnum):
    """Where a dead letter lay: among the facts, the log lines, or the work items."""

    EVENTS = "events"
    """Among the facts: a commit."""
    LOGS = "logs"
    """Among the log lines."""
    WORK = "work"
    """Among the work items: a wake-up in a queue."""


class DeadLetterRow(Row, frozen=True, kw_only=True):
    """A message that was set aside, and why. `key` names it, like "events:17".

    `position` is that of the message in its stream, or of a work item among the dead letters. `event` are the names of a commit's
    events, as far as they could be read; `reported_by` is the agent that found it, or empty; `size` its bytes, where that is known.
    """

    key: str
    """Names it in commands, such as `events:17`."""
    source: DeadLetterSource
    """Where it lay."""
    position: Position
    """Its position in its stream, or of a work item among the dead letters."""
    subject: str
    """The subject that it was on."""
    event: str
    """The names of a commit's events; empty where they could not be read."""
    reason: str
    """Why it was set aside, in words."""
    recorded_at: datetime
    """When it was set aside."""
    reported_by: str = ""
    """The agent that found it; empty where the server did."""
    size: int | None = None
    """Its bytes; None where that is not known."""


class DeadLetterDetail(DeadLetterRow, frozen=True, kw_only=True):
    """The same with its first 64 KiB, as base64 in JSON; None where no stream keeps them any more."""

    data: bytes | None = None
    """Its first 64 KiB, as base64 in JSON; None where no stream keeps them any more."""


class RetryOutcome(StrEnum):
    """What came of trying a dead letter once more."""

    REBUILDING = "rebuilding"
    """The views are being rebuilt, where it gets its place."""
    APPLIED = "applied"
    """It could be applied now, and the views show it."""
    OFFERED = "offered"
    """The work item is back in its queue."""
    GONE = "gone"
    """Nothing keeps it any more."""
    UNREADABLE = "unreadable"
    """It still cannot be read; it stays a dead letter."""
    REFUSED = "refused"
    """It can be read, and still cannot be applied; it stays a dead letter."""

    @property
    def is_dead_still(self) -> bool:
        return self in {RetryOutcome.UNREADABLE, RetryOutcome.REFUSED}


class RetryRow(Row, frozen=True, kw_only=True):
    """What came of trying a dead letter once more; `message` says it in a sentence."""

    key: str
    """The dead letter."""
    outcome: RetryOutcome
    """What came of it."""
    message: str
    """The same in a sentence."""
