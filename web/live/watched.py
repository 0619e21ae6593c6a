"""A page that is open: rendered once for each change, however many look at it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import anyio

from headwater.core.log.commit import Position
from headwater.web.pages.page import PageKind, Params


class ChangeSignal:
    """Something to wait for, again and again. What is set while nothing waits is seen by the next wait."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()
        self._event = anyio.Event()


class WatchedPage:
    """The live parts of one page, each with the version in which it last changed, and those who want to hear of it."""

    def __init__(self, kind: PageKind, params: Params, query: Params) -> None:
        self.kind, self.params, self.query = kind, params, query
        self.topics = kind.topics(params)
        self.wanted: Position = 0
        self.position: Position = 0
        self.changes_at: datetime | None = None
        self.changed = ChangeSignal()
        self.watchers: set[ChangeSignal] = set()
        self.version = 0
        self.notice: str = ""
        self._parts: dict[str, tuple[int, str]] = {}
        self._frames: dict[tuple[int, int], bytes] = {}

    @property
    def rendered(self) -> bool:
        return self.version > 0

    def want(self, position: Position) -> None:
        """Ask for a rendering that shows this position."""
        self.wanted = max(self.wanted, position)
        self.changed.set()

    def accept(self, parts: Mapping[str, str], position: Position, changes_at: datetime | None) -> None:
        """Take a rendering over; watchers wake where a part differs from what they have."""
        fresh = {name: html for name, html in parts.items() if name not in self._parts or self._parts[name][1] != html}
        self.position, self.changes_at = position, changes_at
        if fresh or not self.rendered:
            self.version += 1
            self._frames.clear()
            self._parts.update({name: (self.version, html) for name, html in fresh.items()})
        self.tell("", wake=bool(fresh))

    def tell(self, notice: str, *, wake: bool = True) -> None:
        """Have watchers show a notice; an empty one takes it away."""
        wake = wake or notice != self.notice
        self.notice = notice
        if wake:
            for watcher in self.watchers:
                watcher.set()

    def frame(self, seen: int) -> bytes:
        """Return what a browser that has version `seen` must get, as it is sent; made once for all who have the same."""
        key = (seen, self.version)
        if key not in self._frames:
            parts = {name: html for name, (version, html) in self._parts.items() if version > seen}
            self._frames[key] = json.dumps(parts, ensure_ascii=False).encode()
        return self._frames[key]
