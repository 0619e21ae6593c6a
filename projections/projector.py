"""The projector: follows the log and keeps the live views at its end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import msgspec
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.core.errors import LogError
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log, LogTail
from headwater.core.queries import RebuildProgress, ViewsAnnouncement
from headwater.projections.apply import Applier
from headwater.projections.database import USUAL_TIMES, DatabaseTimes
from headwater.projections.fold.changes import Changes
from headwater.projections.follower import Follower
from headwater.projections.health import Health
from headwater.projections.rebuild import BATCH_MAX, announce_live, build_views
from headwater.projections.schema import (
    LIVE_CHANNEL,
    PROJECTOR_LOCK,
    REBUILD_LOCK,
    SCHEMA_VERSION,
    Build,
    Fenced,
    drop_other_builds,
    live_build,
    write_into,
)

logger = logging.getLogger("headwater.projections")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Applied:
    """What a batch brought, for those who react to it in the same process. The rows are committed.

    `first` marks the report with which a projector begins to follow: what came before it was not reported here.
    """

    position: Position
    first: bool = False
    archived_flows: frozenset[str] = frozenset()
    created_runs: tuple[str, ...] = ()
    deleted_projects: frozenset[str] = frozenset()

    @classmethod
    def of(cls, position: Position, changes: Changes) -> Applied:
        return cls(
            position,
            archived_flows=frozenset(changes.archived_flows),
            created_runs=tuple(changes.created_runs),
            deleted_projects=frozenset(changes.deleted_projects),
        )


@dataclass
class Projector:
    """A service: keeps the live views at the log's end, through outages of both.

    One projector writes at a time, as `Follower` tells. Ready when it follows, or when it is known why it cannot yet
    (`health.problem`, which is None also for a standby).
    """

    log: Log
    database_url: str
    on_applied: Callable[[Applied], None] = lambda _: None
    health: Health = field(default_factory=lambda: Health("The projector"))
    times: DatabaseTimes = USUAL_TIMES
    _follower: Follower = field(init=False)

    def __post_init__(self) -> None:
        self._follower = Follower(self.database_url, "projector", PROJECTOR_LOCK, self.health, self.times)

    @property
    def standby(self) -> bool:
        return self._follower.standby

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        ready = _Once(task_status)
        await self._follower.serve(lambda db, group: self._follow(db, group, ready), on_known=ready.report)

    async def _follow(self, db: Any, group: TaskGroup, ready: _Once) -> None:
        group.start_soon(_until_superseded, await _hear_of_builds(db))
        build = await self._usable_build(db)
        await self._drop_leftovers(db, build)
        await write_into(db, build)
        group.start_soon(self._until_another_log, build)
        applier = Applier(db, build)
        async with self.log.events.follow(subjects.EVENTS_ALL, after=build.position) as batches:
            self.health.follows(group)
            await self._announce(applier)
            self.on_applied(Applied(build.position, first=True))
            ready.report()

            async def report(changes: Changes) -> None:
                await self._announce(applier)
                self.on_applied(Applied.of(applier.position, changes))

            await self._follower.write_batches(db, batches, BATCH_MAX, applier.apply, report)

    async def _usable_build(self, db: Any) -> Build:
        """Return the live build if it is of this version and this log; else make one that is."""
        tail = await self.log.events.tail()
        live = await live_build(db)
        reason = _unusable(live, tail)
        if live is not None and reason is None:
            return live
        if live is not None:
            logger.warning("The views are rebuilt: %s", reason)
        self.health.problem = "The views are being built."
        await db.execute("SELECT pg_advisory_lock($1)", REBUILD_LOCK)
        build = await build_views(db, self.log.events, self._note_building)
        await announce_live(db)
        return build

    def _note_building(self, progress: RebuildProgress) -> None:
        self.health.problem = f"The views are being built: position {progress.position} of {progress.target}."

    async def _drop_leftovers(self, db: Any, build: Build) -> None:
        """Drop builds that were replaced or never finished, unless a server is building one now."""
        if await db.fetchval("SELECT pg_try_advisory_lock($1)", REBUILD_LOCK):
            await drop_other_builds(db, build)
            await db.execute("SELECT pg_advisory_unlock($1)", REBUILD_LOCK)

    async def _until_another_log(self, build: Build) -> None:
        """Raise Fenced if, after a lost connection came back, another log answers than the one these views are of."""
        came_back = anyio.Event()

        def note() -> None:
            came_back.set()

        forget = self.log.on_reconnect(note)
        try:
            while True:
                await came_back.wait()
                came_back = anyio.Event()
                tail = await self.log.events.tail()
                if tail.identity != build.log_identity:
                    raise Fenced("Another log answers at this address now.")
        finally:
            forget()

    async def _announce(self, applier: Applier) -> None:
        announcement = ViewsAnnouncement(applier.build.log_identity, applier.position, applier.build.schema)
        try:
            await self.log.publish(subjects.VIEWS_POSITION, _encode(announcement))
        except LogError as error:
            logger.debug("The position was not announced: %s", error)


async def _hear_of_builds(db: Any) -> anyio.Event:
    """Return an event that is set as soon as PostgreSQL says that the build of another server went live."""
    superseded = anyio.Event()

    def hear(_: Any, teller: int, *__: Any) -> None:
        if teller != db.get_server_pid():
            superseded.set()

    await db.add_listener(LIVE_CHANNEL, hear)
    return superseded


async def _until_superseded(superseded: anyio.Event) -> None:
    await superseded.wait()
    raise Fenced("Another build of the views went live.")


def _unusable(live: Build | None, tail: LogTail) -> str | None:
    """Return why the live build cannot be gone on with, or None."""
    if live is None:
        return "there are none."
    if live.version != SCHEMA_VERSION:
        return f"those of version {live.version} are there; this program has version {SCHEMA_VERSION}."
    if live.log_identity != tail.identity:
        return f"the database holds those of another log ({live.log_identity}, position {live.position}); this one is {tail.identity}."
    if live.position > tail.position:
        return f"they are at position {live.position}, but the log ends at {tail.position}: it lost commits, or was restored from a copy."
    return None


class _Once:
    """Reports readiness the first time it is asked to."""

    def __init__(self, task_status: TaskStatus[None]) -> None:
        self._task_status: TaskStatus[None] | None = task_status

    def report(self) -> None:
        if self._task_status is not None:
            self._task_status.started()
            self._task_status = None
