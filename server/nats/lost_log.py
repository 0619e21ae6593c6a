"""Notices that the log was lost or replaced, and keeps the views: they may be all that is left of what there was."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.log.jetstream import JetStreamLog
from headwater.core.log.protocol import LogTail
from headwater.projections.database import DATABASE_ERRORS, in_words
from headwater.projections.kept_views import kept_views
from headwater.projections.projector import Projector
from headwater.projections.schema import Build
from headwater.server.errors import LogLost

logger = logging.getLogger(__name__)


def refuse_lost(views: Build | None, tail: LogTail | None) -> None:
    """Refuse a log that is shorter than what the views show; None for one that is not there at all.

    A longer log of another identity is one that was chosen: the views are rebuilt from it, as they are for a new version.

    Raises:
        LogLost: the views would be replaced by less.

    """
    if views is None or views.position == 0:
        return
    reached = 0 if tail is None else tail.position
    if reached < views.position:
        same = tail is not None and tail.identity == views.log_identity
        raise LogLost(shown=views.position, reached=reached, same=same)


@dataclass
class LogGuard:
    """Keeps the views from being rebuilt from a log that lost commits. With `accepted`, that is what the operator wants."""

    log: JetStreamLog
    database_url: str
    accepted: bool = False

    async def check(self) -> None:
        """Return when the views may follow the log.

        Raises:
            LogLost: they may not.
            DATABASE_ERRORS: PostgreSQL cannot be asked which views it holds.

        """
        if not self.accepted:
            refuse_lost(await kept_views(self.database_url), await self.log.existing_tail())
            self.accepted = True


@dataclass
class GuardedProjector:
    """A service: the projector, once it is certain that the log is not a lost one. Until PostgreSQL tells, it waits."""

    guard: LogGuard
    projector: Projector

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; ready as the projector is, or when it is known why it waits."""
        waited = False
        while True:
            try:
                await self.guard.check()
                break
            except LogLost as lost:
                if not waited:
                    raise
                self.projector.health.failing(f"{lost} {lost.hint}")
            except DATABASE_ERRORS as error:
                self.projector.health.failing(in_words(error))
            if not waited:
                waited = True
                task_status.started()
            await self.projector.health.wait_before_retry()
        if waited:
            task_status = TASK_STATUS_IGNORED
        await self.projector.serve(task_status=task_status)


async def checked_now(guard: LogGuard) -> None:
    """Check before the streams are made, where PostgreSQL can be asked; else the projector does, when it can.

    Raises:
        LogLost: the log is shorter than what the views show.

    """
    try:
        await guard.check()
    except DATABASE_ERRORS as error:
        logger.debug("which views there are is not known yet: %s", error)
