"""Server-sent events: what one open page is sent, from where it was when it was rendered, or when its connection broke."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

import anyio
from starlette.types import Receive, Scope, Send

from headwater.core.log.commit import Position
from headwater.core.log.protocol import RecordedLines
from headwater.web.live.hub import LiveHub
from headwater.web.log_lines import LineFilter, rendered_lines
from headwater.web.pages.page import PageKind, Params

KEEP_ALIVE_SECONDS = 15.0
"""How often something is sent on a silent stream, so that proxies keep it and a dead reader is noticed."""
_RECONNECT = b"retry: 1000\n\n"


@dataclass(frozen=True, kw_only=True)
class Where:
    """How far a page is: in the log, and in its run's log lines."""

    position: Position = 0
    lines: Position = 0

    @classmethod
    def parse(cls, text: str) -> Where:
        """Return what `str()` made; from anything else, the beginning."""
        position, _, lines = text.partition("-")
        if position.isascii() and position.isdigit() and (not lines or (lines.isascii() and lines.isdigit())):
            return cls(position=int(position[:18]), lines=int(lines[:18] or 0))
        return cls()

    def __str__(self) -> str:
        return f"{self.position}-{self.lines}"


@dataclass(frozen=True, kw_only=True)
class Watching:
    """Which page a browser has open, and what it last knew."""

    key: str
    kind: PageKind
    params: Params
    query: Params
    where: Where
    changes_at: datetime | None
    lines: LineFilter | None


def _frame(event: str, data: bytes, where: Where) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (str(where).encode(), event.encode(), data)


async def updates(hub: LiveHub, watching: Watching) -> AsyncIterator[bytes]:
    """Yield what the page must be sent, as it is sent, until the server ends."""
    yield _RECONNECT
    where = watching.where
    with ExitStack() as held:
        watched, wake, seen = held.enter_context(
            hub.watch(
                watching.key,
                watching.kind,
                watching.params,
                watching.query,
                after=where.position,
                changes_at=watching.changes_at,
            )
        )
        tail = None
        if watching.lines is not None:
            tail = held.enter_context(hub.tails.watch(watching.lines.run_id, where.lines, wake))
        notice = ""
        while not hub.closing:
            sent = False
            if watched.version > seen:
                where = Where(position=max(where.position, watched.position), lines=where.lines)
                data, seen, sent = watched.frame(seen), watched.version, True
                yield _frame("parts", data, where)
            if watched.notice != notice:
                notice, sent = watched.notice, True
                yield _frame("notice", json.dumps(notice).encode(), where)
            if tail is not None and watching.lines is not None and (fresh := await tail.after(where.lines)):
                where, sent = Where(position=where.position, lines=fresh[-1].position), True
                if html := _lines(fresh, watching.lines):
                    yield _frame("lines", json.dumps(html, ensure_ascii=False).encode(), where)
            if not sent:
                with anyio.move_on_after(KEEP_ALIVE_SECONDS) as waiting:
                    await wake.wait()
                if waiting.cancelled_caught:
                    yield b": still here\n\n"


async def load_again() -> AsyncIterator[bytes]:
    """Tell a page of another version of the server to reload itself."""
    yield _frame("reload", b"{}", Where())


def _lines(messages: Sequence[RecordedLines], wanted: LineFilter) -> str:
    return rendered_lines(messages, wanted)


class EventStream:
    """An answer without an end: sends what the iterator yields until the reader goes away or it ends."""

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        self._frames = frames

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async with anyio.create_task_group() as group:

            async def until_gone() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(until_gone)
            async for frame in self._frames:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            group.cancel_scope.cancel()
