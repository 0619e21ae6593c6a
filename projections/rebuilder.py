"""Rebuilding the views on request, one rebuild at a time over all servers."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import anyio
import msgspec
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.errors import LogError, ViewsUnavailable
from headwater.core.log import subjects
from headwater.core.log.protocol import Log
from headwater.core.queries import RebuildProgress
from headwater.projections.database import DATABASE_ERRORS, connect, in_words
from headwater.projections.rebuild import announce_live, build_views
from headwater.projections.schema import REBUILD_LOCK, create_meta_schema, drop_other_builds, live_build

logger = logging.getLogger("headwater.projections")
_encode = msgspec.json.Encoder().encode

_RUNNING = """
SELECT schema, position, target FROM headwater.views
WHERE NOT live AND EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = $1 AND granted)
ORDER BY schema DESC LIMIT 1
"""


async def running_rebuild(db: Any) -> RebuildProgress | None:
    """Return how far a rebuild is that any server is making now."""
    row = await db.fetchrow(_RUNNING, REBUILD_LOCK)
    return None if row is None else RebuildProgress(schema=row["schema"], state="running", position=row["position"], target=row["target"])


@dataclass
class Rebuilder:
    """A service: rebuilds the views when asked to, and announces how far it is. `progress` is that of the last rebuild made here."""

    log: Log
    database_url: str
    progress: RebuildProgress | None = None
    _asked: anyio.Event = field(default_factory=anyio.Event)
    _changed: anyio.Event = field(default_factory=anyio.Event)

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._announce)
            task_status.started()
            while True:
                await self._asked.wait()
                try:
                    await self._rebuild()
                except (LogError, ViewsUnavailable) as error:
                    self._failed(str(error))
                except DATABASE_ERRORS as error:
                    self._failed(in_words(error))
                except Exception as error:
                    self._failed(f"it ended unexpectedly ({type(error).__name__}: {error})")
                    raise
                finally:
                    self._asked = anyio.Event()

    async def start(self) -> RebuildProgress:
        """Begin a rebuild unless one is under way, and return its first progress (state "failed" tells why it could not begin)."""
        if not self._asked.is_set():
            self.progress = None
            self._asked.set()
        while self.progress is None:
            await self._changed.wait()
        return self.progress

    async def _rebuild(self) -> None:
        async with connect(self.database_url, name="rebuild") as db:
            await create_meta_schema(db)
            if not await db.fetchval("SELECT pg_try_advisory_lock($1)", REBUILD_LOCK):
                running = await running_rebuild(db)
                raise ViewsUnavailable(
                    "they are being rebuilt already." if running is None else f"{running.schema} is being built already."
                )
            live = await live_build(db)
            if live is None:
                raise ViewsUnavailable("they are being built for the first time.")
            await drop_other_builds(db, live)
            await build_views(db, self.log.events, self._note)
            await announce_live(db)

    async def _announce(self) -> None:
        """Publish the progress whenever it changed since it was published last."""
        published: RebuildProgress | None = None
        while True:
            if self.progress is published:
                await self._changed.wait()
                continue
            published = self.progress
            if published is not None:
                try:
                    await self.log.publish(subjects.REBUILD_PROGRESS, _encode(published))
                except LogError as error:
                    logger.debug("The rebuild's progress was not announced: %s", error)

    def _note(self, progress: RebuildProgress) -> None:
        self.progress = progress
        self._changed.set()
        self._changed = anyio.Event()

    def _failed(self, reason: str) -> None:
        last = self.progress or RebuildProgress(schema="", state="failed", position=0, target=0)
        self._note(RebuildProgress(schema=last.schema, state="failed", position=last.position, target=last.target, reason=reason))
