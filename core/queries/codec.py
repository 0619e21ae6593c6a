"""How questions and answers travel: request and reply on `hw.ask.views`, and what projectors announce on `hw.beat.*`.

An answer longer than one message comes in pages: `next` of a page is the `cursor` of the request for the following one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from headwater.core.hint_codec import EncodedHint
from headwater.core.log.commit import Position
from headwater.core.queries.requests import AnyQuery

PAGE_BYTES_MAX = 640 * 1024
"""Rows of one page; a message may have 1 MB. A single larger row travels alone."""


class QueryRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A question to views at least as new as position `at_least`, for which the service waits up to `wait_seconds`.

    A page has at most `page_rows` rows, where that is not 0: so readers turn pages, one at a time. `id` names the question: a server that
    gets it twice answers once.
    """

    query: AnyQuery
    at_least: Position = 0
    wait_seconds: float = 5.0
    cursor: str | None = None
    page_rows: int = 0
    id: str = ""


class FailureKind(StrEnum):
    """Why there is no answer."""

    NOT_FOUND = "not_found"
    BEHIND = "behind"
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"
    BROKEN = "broken"


class QueryFailure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why there is no answer, in words, and the facts of the error (`details`) for those who raise it again.

    `hint` says what to do in the words of the one that answers, `advice` the same for those who have words of their own.
    """

    kind: FailureKind
    message: str
    hint: str | None = None
    details: dict[str, Any] = {}
    advice: EncodedHint | None = None


class QueryReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page of rows, a JSON array, as the views were at `position`; or why there is none."""

    position: Position
    rows: msgspec.Raw = msgspec.Raw(b"[]")
    next: str | None = None
    error: QueryFailure | None = None


class ViewsAnnouncement(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the views are: of the log of this identity, in this schema."""

    log_identity: str
    position: Position
    schema: str


class LogLinesAnnouncement(msgspec.Struct, frozen=True):
    """How far the log lines are that can be asked for, as a position in the stream of log lines."""

    position: Position
