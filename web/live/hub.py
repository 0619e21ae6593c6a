"""The hub: hears every commit once, renders each open page once for each change, and fans the result out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.core.errors import HeadwaterError, LogError, ViewsError
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log, Recorded
from headwater.web.heartbeats import Heartbeats
from headwater.web.live.log_tail import RunTails
from headwater.web.live.retry import retry_until_cancelled
from headwater.web.live.topics import AGENTS, ANY_FLOW, FlowsOfRuns, LastChanges, topics_of
from headwater.web.live.watched import ChangeSignal, WatchedPage
from headwater.web.pages.page import PageKind, PageViews, Params, Sources
from headwater.web.rendering import render_live

logger = logging.getLogger(__name__)

RENDER_GAP_SECONDS = 0.05
"""The least time between two renderings of a page; changes within it are shown together. Doubled by what a rendering costs."""
RETRY_SECONDS = 5.0
"""How long after a failed rendering the next is tried, where no event comes before."""


class PageListener:
    """A subscriber to one topic: woken at each change, with the position of the last one."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.wake = ChangeSignal()
        self.position: Position = 0

    def hear(self, position: Position) -> None:
        self.position = position
        self.wake.set()


class LiveHub:
    """Keeps open pages up to date. `page_context` is what every page is rendered with besides its own content.

    `hear` is called with each commit, for those who count.
    """

    def __init__(self, log: Log, heartbeats: Heartbeats, page_context: dict[str, object], hear: Callable[[Recorded], None]) -> None:
        self._log = log
        self._heartbeats = heartbeats
        self._page_context = page_context
        self._flows = FlowsOfRuns()
        self._watched: dict[str, WatchedPage] = {}
        self._listeners: set[PageListener] = set()
        self._closing = anyio.Event()
        self._group: TaskGroup | None = None
        self._changes: LastChanges | None = None
        self._tails: RunTails | None = None
        self._hear = hear
        self.position: Position = 0
        self.watchers = 0

    @property
    def tails(self) -> RunTails:
        assert self._tails is not None, "the hub is not served"
        return self._tails

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    def close(self) -> None:
        """Have every subscriber be sent away."""
        self._closing.set()
        for listener in self._listeners:
            listener.wake.set()
        if self._tails is not None:
            self._tails.wake_all()
        for watched in self._watched.values():
            for watcher in watched.watchers:
                watcher.set()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Hear commits until cancelled; ready when those to come are sure to be heard."""
        async with anyio.create_task_group() as group:
            self._group = group
            self._tails = RunTails(self._log.logs, group)
            ready = anyio.Event()
            group.start_soon(retry_until_cancelled, "The feed of the pages", partial(self._feed, ready))
            await ready.wait()
            task_status.started()

    async def _feed(self, ready: anyio.Event) -> None:
        """Hear commits from the log's end on, and wake the pages they concern."""
        self.position = (await self._log.events.tail()).position
        # What happened while the hub did not listen is not known: pages that were open before are rendered again.
        changes = self._changes = LastChanges(self.position)
        async with self._log.events.follow(subjects.EVENTS_ALL, after=self.position) as batches:
            for watched in self._watched.values():
                watched.want(self.position)
            ready.set()
            async for batch in batches:
                touched: set[str] = set()
                for recorded in batch:
                    topics = topics_of(recorded, self._flows)
                    changes.note(topics, recorded.position)
                    touched |= topics
                    self._hear(recorded)
                    self.position = recorded.position
                self._wake(touched)

    def _wake(self, touched: set[str]) -> None:
        any_flow = ANY_FLOW in touched
        for watched in self._watched.values():
            if watched.topics & touched or (any_flow and any(topic.startswith("flow:") for topic in watched.topics)):
                watched.want(self.position)
        for listener in self._listeners:
            if listener.topic in touched:
                listener.hear(self.position)

    @contextmanager
    def listen(self, topic: str) -> Iterator[PageListener]:
        """Hear of every commit that concerns the topic while the block runs."""
        listener = PageListener(topic)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def agent_heard(self, _agent_id: str) -> None:
        """Have pages that show agents rendered again: one is heard that was silent."""
        for watched in self._watched.values():
            if AGENTS in watched.topics:
                watched.want(watched.wanted)

    @contextmanager
    def watch(
        self, key: str, kind: PageKind, params: Params, query: Params, *, after: Position, changes_at: datetime | None
    ) -> Iterator[tuple[WatchedPage, ChangeSignal, int]]:
        """Watch a page that was rendered at position `after`: yields it, what wakes on news, and the version the watcher has."""
        assert self._group is not None
        assert self._changes is not None, "the hub is not served"
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = WatchedPage(kind, params, query)
            watched.changes_at = changes_at
            self._group.start_soon(self._keep, key, watched)
        seen = watched.version
        if self._changes.changed(watched.topics | ({ANY_FLOW} if self._shows_a_flow(watched) else frozenset()), after=after):
            seen = 0
            if watched.position <= after:
                watched.want(max(after, self._changes.last(watched.topics)))
        wake = ChangeSignal()
        watched.watchers.add(wake)
        self.watchers += 1
        if seen < watched.version or watched.notice:
            wake.set()
        try:
            yield watched, wake, seen
        finally:
            self.watchers -= 1
            watched.watchers.discard(wake)
            if not watched.watchers:
                watched.changed.set()

    @staticmethod
    def _shows_a_flow(watched: WatchedPage) -> bool:
        return any(topic.startswith("flow:") for topic in watched.topics)

    async def _keep(self, key: str, watched: WatchedPage) -> None:
        """Render the page again for each change while it is open."""
        while True:
            await _change_of(watched)
            if not watched.watchers:
                self._watched.pop(key, None)
                return
            started = anyio.current_time()
            if not await self._render(watched):
                with anyio.move_on_after(RETRY_SECONDS):
                    await watched.changed.wait()
                watched.changed.set()
            await anyio.sleep(max(RENDER_GAP_SECONDS, 2 * (anyio.current_time() - started)))

    async def _render(self, watched: WatchedPage) -> bool:
        views = PageViews(self._log, at_least=watched.wanted)
        sources = Sources(log=self._log, views=views, heartbeats=self._heartbeats)
        try:
            page = await watched.kind.build(sources, watched.params, watched.query)
            parts = render_live(page.template, {**self._page_context, **page.context, "title": page.title})
        except (ViewsError, LogError) as error:
            watched.tell(f"This page is not up to date: {error}")
            return False
        except HeadwaterError as error:
            watched.tell(str(error))
            return True
        except Exception:
            logger.exception("a page could not be rendered")
            watched.tell("This page could not be brought up to date; the server's log tells why.")
            return True
        reached = views.position if page.position is None else page.position
        watched.accept(parts, watched.wanted if reached is None else reached, page.changes_at)
        return True


async def _change_of(watched: WatchedPage) -> None:
    """Wait until the page changed: by an event, or because its time came."""
    if watched.changes_at is None:
        await watched.changed.wait()
        return
    with anyio.move_on_after(max(0.0, (watched.changes_at - datetime.now(UTC)).total_seconds())):
        await watched.changed.wait()
        return
    watched.changes_at = None
