"""What all services do that follow the log into PostgreSQL: take turns, keep a session, live through outages of both."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import anyio
from anyio.abc import TaskGroup

from headwater.core.errors import LogError
from headwater.core.program.exception_groups import unwrap_exception_group
from headwater.projections.database import DATABASE_ERRORS, USUAL_TIMES, DatabaseTimes, connect, in_words, keep_session, until_lost
from headwater.projections.health import Health
from headwater.projections.schema import Fenced, create_meta_schema

logger = logging.getLogger("headwater.projections")

Message = TypeVar("Message")
Written = TypeVar("Written")


async def _ignore(_: object) -> None:
    pass


@dataclass
class Follower:
    """The sessions of one such service, over a connection that shows as `connection_name`.

    One process has the turn: the one whose session holds the advisory lock `lock`. Another waits as a standby, and takes over when that
    session ends: at once when the process dies, and within seconds when it is frozen or cut off. Should both believe that it is their
    turn, the checkpoint that each moves with its rows lets only one commit.
    """

    database_url: str
    connection_name: str
    lock: int | str
    """A number, or a text that PostgreSQL hashes to a number."""
    health: Health
    times: DatabaseTimes = USUAL_TIMES
    silence_in_transaction: float | None = None
    """As `keep_session` takes it: for those whose transactions wait for code that is not ours."""
    standby: bool = False

    async def serve(self, follow: Callable[[Any, TaskGroup], Awaitable[None]], on_known: Callable[[], None] = lambda: None) -> NoReturn:
        """Call `follow` with a connection whenever it is this process's turn, and again after whatever ended it.

        The tasks of the group end with it, and end it by raising. `on_known` is called as often as it becomes known why this does not
        follow: it is a standby, or something is away.
        """
        while True:
            try:
                async with connect(self.database_url, name=self.connection_name, times=self.times) as db:
                    await create_meta_schema(db)
                    await self._take_turn(db, on_known)
                    with unwrap_exception_group():
                        async with anyio.create_task_group() as group:
                            group.start_soon(until_lost, db)
                            await follow(db, group)
                            group.cancel_scope.cancel()
            except Fenced as fenced:
                logger.info("%s begins again: %s", self.health.service, fenced)
            except LogError as error:
                self.health.failing(f"The log cannot be read: {error}")
            except DATABASE_ERRORS as error:
                self.health.failing(in_words(error))
            on_known()
            await self.health.wait_before_retry()

    async def write_batches(
        self,
        db: Any,
        batches: AsyncIterable[Sequence[Message]],
        at_once_max: int,
        write: Callable[[Sequence[Message]], Awaitable[Written]],
        on_written: Callable[[Written], Awaitable[None]] = _ignore,
    ) -> None:
        """Call `write` with all that comes, in order, at most so many messages at once, and `on_written` with what it returned.

        The session is kept meanwhile, and the service is healthy as soon as something is written.
        """
        in_use = anyio.Lock()
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: keep_session(db, in_use, times=self.times, silence_in_transaction=self.silence_in_transaction))
            async for batch in batches:
                for start in range(0, len(batch), at_once_max):
                    with self.health.writing():
                        async with in_use:
                            written = await write(batch[start : start + at_once_max])
                    await on_written(written)
            group.cancel_scope.cancel()

    async def _take_turn(self, db: Any, on_known: Callable[[], None]) -> None:
        """Return when no other session holds the lock. A standby counts as healthy, whatever came before."""
        key = "hashtextextended($1, 0)" if isinstance(self.lock, str) else "$1"
        if await db.fetchval(f"SELECT pg_try_advisory_lock({key})", self.lock):
            return
        logger.info("%s runs in another process; this one waits for its turn.", self.health.service)
        self.standby = True
        self.health.healthy()
        on_known()
        try:
            await db.execute(f"SELECT pg_advisory_lock({key})", self.lock)
        finally:
            self.standby = False
        logger.info("%s takes over: the other process is gone.", self.health.service)
