"""What a page is: an address, what it depends on, and how it is made. The same making serves the first sight and every update."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log
from headwater.core.queries import AnyQuery, GetViewsStatus, ListLogs, QueryReply, Row
from headwater.core.queries.views_client import ViewsClient
from headwater.web.heartbeats import Heartbeats
from headwater.web.log_lines import LineFilter

R = TypeVar("R", bound=Row)

Params = Mapping[str, str]


class Selection(dict[str, str]):
    """The parameters of a query. Those that were not given are empty."""

    def __missing__(self, _: str) -> str:
        return ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page ready to be rendered.

    `position` is how new it is, where it does not come from the views alone; `changes_at` is when it changes by the passing of time
    alone, without an event; `lines_position` how far the log lines are that it shows, in the stream of lines.
    """

    template: str
    title: str
    context: Mapping[str, Any]
    state: str | None = None
    position: Position | None = None
    changes_at: datetime | None = None
    lines_position: Position = 0


class PageViews(ViewsClient):
    """The views as one making of a page sees them: at least as new as `at_least`, and telling how new they were."""

    def __init__(self, log: Log, *, at_least: Position = 0) -> None:
        super().__init__(log)
        self._at_least = at_least
        self.position: Position | None = None

    async def page(self, query: AnyQuery, *, at_least: Position = 0, cursor: str | None = None, page_rows: int = 0) -> QueryReply:
        if isinstance(query, ListLogs | GetViewsStatus):  # their positions are of another stream, or of none
            return await super().page(query, at_least=at_least, cursor=cursor, page_rows=page_rows)
        reply = await super().page(query, at_least=max(at_least, self._at_least), cursor=cursor, page_rows=page_rows)
        self.position = reply.position if self.position is None else min(self.position, reply.position)
        return reply

    async def turn(self, query: AnyQuery, row: type[R], *, rows: int, cursor: str | None) -> tuple[list[R], str | None]:
        """Return one page of so many rows, and the cursor of the next one, if there is one."""
        reply = await self.page(query, cursor=cursor or None, page_rows=rows)
        return msgspec.json.decode(reply.rows, type=list[row]), reply.next  # type: ignore[valid-type]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What pages are made of."""

    log: Log
    views: PageViews
    heartbeats: Heartbeats
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


Build = Callable[[Sources, Params, Params], Awaitable[Page]]
"""Makes a page from the parameters in its path and in its query.

Raises:
    HeadwaterError: there is no such page, or no answer.

"""


@dataclass(frozen=True, kw_only=True)
class PageKind:
    """One kind of page: the form of its path, how it is made, which topics change it, and which log lines it shows, if any."""

    path: str
    build: Build
    topics: Callable[[Params], frozenset[str]]
    lines: Callable[[Params, Params], LineFilter | None] = lambda _params, _query: None


def always(*topics: str) -> Callable[[Params], frozenset[str]]:
    """Return the topics of a page that depends on the same ones whatever its address."""
    return lambda _: frozenset(topics)


def first_of(*moments: datetime | None) -> datetime | None:
    """Return the earliest of the moments that are known."""
    return min((moment for moment in moments if moment is not None), default=None)
