"""The views of a log, served as in a server, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import asyncpg

from harness.servers import Postgres
from headwater.core.errors import LogError, ViewsError
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log
from headwater.core.program.concurrency import Service, start_all
from headwater.core.queries.views_client import ViewsClient
from headwater.projections.database import DATABASE_ERRORS
from headwater.projections.schema import PROJECTOR_LOCK, live_build
from headwater.projections.services import view_services
from headwater.projections.tables import VIEWS

T = TypeVar("T")
WAIT_SECONDS = 30.0

VIEW_TABLES = {view.name: ", ".join(view.key) for view in VIEWS}
"""Every table that is folded from the log, with its key."""


@asynccontextmanager
async def serving(*services: Service) -> AsyncIterator[None]:
    """The services, ready, until the block ends; then they are cancelled."""
    async with anyio.create_task_group() as group:
        await start_all(group, services)
        yield
        group.cancel_scope.cancel()


@asynccontextmanager
async def hosted(context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave the context in one task of its own, as task groups demand: a fixture ends in another than it began in."""
    entered: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    leave = asyncio.Event()

    async def host() -> None:
        try:
            async with context as value:
                entered.set_result(value)
                await leave.wait()
        except BaseException as error:
            if not entered.done():
                entered.set_exception(error)
            else:
                raise

    task = asyncio.create_task(host())
    try:
        yield await entered
    finally:
        leave.set()
        await task


@asynccontextmanager
async def opened(nats_url: str) -> AsyncIterator[Log]:
    async with open_log(nats_url, ensure_streams=True) as log:
        yield log


@asynccontextmanager
async def views_of(log: Log, database_url: str, **settings: Any) -> AsyncIterator[ViewsClient]:
    """All services of the views, and a client that asks them."""
    async with serving(*view_services(log, database_url, **settings)):
        yield ViewsClient(log, wait_seconds=WAIT_SECONDS)


async def caught_up(views: ViewsClient, position: int) -> None:
    """Return when the views are at the position, wherever they come back from, with nothing set aside."""
    with anyio.fail_after(4 * WAIT_SECONDS):
        while True:
            try:
                await views.projects(at_least=position)
            except (ViewsError, LogError):
                await anyio.sleep(0.01)
            else:
                break
    assert (await views.status()).set_aside_count == 0


async def rows_of_a_fresh_fold(log: Log, postgres: Postgres) -> dict[str, list[str]]:
    """Every row of the log's views, folded from its first position into a database of their own."""
    url = postgres.create_database()
    async with views_of(log, url) as views:
        await caught_up(views, (await log.events.tail()).position)
        return await rows_of_views(url)


async def eventually(look: Callable[[], Awaitable[T | None]], what: str) -> T:
    """Returns what `look` finds as soon as it finds something (neither None nor False); fails when it does not in time."""
    with anyio.move_on_after(WAIT_SECONDS):
        while True:
            found = await look()
            if found is not None and found is not False:
                return found
            await anyio.lowlevel.checkpoint()
    raise AssertionError(f"not within {WAIT_SECONDS:.0f} s: {what}")


class ViewsGauge:
    """Says how far the live views are, over one connection that is opened again where it was lost. Made by `views_gauge`."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._db: Any = None

    async def position(self) -> int:
        """Return the position of the live views; 0 where PostgreSQL or they cannot be asked."""
        try:
            if self._db is None or self._db.is_closed():
                self._db = await asyncpg.connect(self._database_url)
            live = await live_build(self._db)
        except DATABASE_ERRORS:
            await self.close()
            return 0
        return 0 if live is None else live.position

    async def passed(self, position: int) -> None:
        """Return when they are over the position."""
        with anyio.fail_after(2 * WAIT_SECONDS):
            while await self.position() <= position:  # noqa: ASYNC110 - PostgreSQL sends no events
                await anyio.sleep(0.01)

    async def a_projector_waits(self) -> None:
        """Return when a projector waits for its turn while another one is running."""
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
        with anyio.fail_after(2 * WAIT_SECONDS):
            while not await self.position() or not await self._db.fetchval(waiting, PROJECTOR_LOCK):  # noqa: ASYNC110
                await anyio.sleep(0.01)

    async def close(self) -> None:
        if self._db is not None:
            self._db.terminate()
            self._db = None


@asynccontextmanager
async def views_gauge(database_url: str) -> AsyncIterator[ViewsGauge]:
    gauge = ViewsGauge(database_url)
    try:
        yield gauge
    finally:
        await gauge.close()


async def rows_of_views(database_url: str) -> dict[str, list[str]]:
    """Every row of the live views as PostgreSQL prints it, by table, in the order of the keys."""
    db = await asyncpg.connect(database_url)
    try:
        live = await live_build(db)
        assert live is not None
        await db.execute(f"SET search_path TO {live.schema}")
        found = {}
        for table, key in VIEW_TABLES.items():
            rows = await db.fetch(f"SELECT t::text FROM {table} t ORDER BY {key}")
            found[table] = [row[0] for row in rows]
        return found
    finally:
        await db.close()
