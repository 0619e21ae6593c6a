"""Reading the live views: one page of an answer, as of one position, from one consistent snapshot."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import asyncpg
import msgspec

from headwater.core.errors import InvalidArgument, NotFound, ViewsUnavailable
from headwater.core.log.commit import Position
from headwater.core.queries import ListLogs, Query
from headwater.core.queries.codec import PAGE_BYTES_MAX, QueryReply
from headwater.projections.database import DATABASE_ERRORS, USUAL_TIMES, DatabaseTimes, notice_silence
from headwater.projections.queries import Statement, statement_for
from headwater.projections.schema import SCHEMA_VERSION

logger = logging.getLogger("headwater.projections")

CONNECTIONS_MAX = 8
STATEMENT_SECONDS = 15
OPEN_SECONDS = 4.0
"""So long may it take to connect, and to begin: a PostgreSQL that is frozen counts as away soon after, and a busy one begins at once."""
PAGE_ROWS_MAX = 1_000
_CLOSE_SECONDS = 2.0
_FETCHED_AT_ONCE = 128
"""Rows may be large, so no more than this many are held before their size is looked at."""

BUILD_GONE = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError)
"""The build that was live when the snapshot was taken has been dropped since."""

_WRONG_CURSOR = "The cursor is not one that a page came with."
_PLACEHOLDER = re.compile(r"\$(\d+)")

_OPEN = """
SELECT schema, version, log_identity, position, set_config('search_path', schema, true) FROM headwater.views WHERE live
"""


class NotCaughtUp(Exception):
    """The views have not reached the position that was asked for."""

    def __init__(self, reached: Position) -> None:
        self.reached = reached


class _Cursor(msgspec.Struct, array_like=True, frozen=True):
    key: list[Any]
    left: int | None


class ViewsReader:
    """Reads the live views over a few connections. Open it with `open_reader`."""

    def __init__(self, pool: Any, snapshot_seconds: float) -> None:
        self._pool = pool
        self._snapshot_seconds = snapshot_seconds
        self.log_identity: str | None = None

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[tuple[Any, Position]]:
        """Open a read-only transaction that sees the live views as they are at one position, which comes with it.

        Raises:
            ViewsUnavailable: there are no views of this log and this version.
            DATABASE_ERRORS: PostgreSQL is away, or silent for `snapshot_seconds`.

        """
        with anyio.fail_after(self._snapshot_seconds):
            async with self._pool.acquire() as db:
                transaction = db.transaction(isolation="repeatable_read", readonly=True)
                try:
                    with anyio.fail_after(OPEN_SECONDS):
                        await transaction.start()
                        position = await self._open(db)
                except TimeoutError:
                    db.terminate()
                    raise
                except BaseException:
                    db.terminate()  # it is not known whether it was begun
                    raise
                try:
                    yield db, position
                finally:
                    # Also where we are being cancelled: the connection goes back to the others, if it still works.
                    with anyio.move_on_after(_CLOSE_SECONDS, shield=True) as closing:
                        await transaction.rollback()
                    if closing.cancelled_caught:
                        db.terminate()

    async def _open(self, db: Any) -> Position:
        """Let the transaction see the live views' tables; return their position."""
        try:
            live = await db.fetchrow(_OPEN)
        except asyncpg.UndefinedTableError:
            live = None
        if live is None or live["version"] != SCHEMA_VERSION:
            raise ViewsUnavailable("they are being built.")
        if self.log_identity is not None and live["log_identity"] != self.log_identity:
            raise ViewsUnavailable("the database holds the views of another log.")
        position: Position = live["position"]
        return position

    async def page(self, query: Query, *, at_least: Position = 0, cursor: str | None = None, page_rows: int = 0) -> QueryReply:
        """Return one page of the answer, of at most `page_rows` rows where that is not 0.

        Raises:
            NotCaughtUp: the views are not at `at_least` yet.
            InvalidArgument, NotFound: the question cannot be answered.
            ViewsUnavailable, DATABASE_ERRORS: the views cannot be read now.

        """
        after, left = _resume(query, cursor)
        rows_max = min(page_rows if page_rows > 0 else PAGE_ROWS_MAX, PAGE_ROWS_MAX if left is None else left, PAGE_ROWS_MAX)
        statement = _statement(query, after, rows_max + 1)
        try:
            return await self._page(query, statement, at_least, rows_max, left)
        except BUILD_GONE:
            return await self._page(query, statement, at_least, rows_max, left)
        except asyncpg.DataError as error:
            raise InvalidArgument(f"The views cannot be asked this: {error}") from error
        except asyncpg.SyntaxOrAccessError as error:
            if cursor is None:
                raise
            raise InvalidArgument(_WRONG_CURSOR) from error

    async def _page(self, query: Query, statement: Statement, at_least: Position, rows_max: int, left: int | None) -> QueryReply:
        async with self.snapshot() as (db, views_position):
            of_lines = isinstance(query, ListLogs)
            position = (await db.fetchval("SELECT position FROM headwater.log_checkpoint") or 0) if of_lines else views_position
            if position < at_least:
                raise NotCaughtUp(position)
            rows, next_key = await _rows(db, statement, rows_max)
        if left is not None:
            left -= len(rows)
        more = next_key is not None and left != 0
        cursor = msgspec.json.encode(_Cursor(msgspec.json.decode(next_key), left)).decode() if next_key is not None and more else None
        return QueryReply(position, msgspec.Raw(f"[{','.join(rows)}]".encode()), cursor)


@asynccontextmanager
async def open_reader(database_url: str, times: DatabaseTimes = USUAL_TIMES) -> AsyncIterator[ViewsReader]:
    """Open connections as they are needed; PostgreSQL may be away now, and come and go."""
    settings = {
        "application_name": "headwater queries",
        "timezone": "UTC",
        "jit": "off",
        # How many runs a filter leaves depends on its values: a plan made for any value walks through a million rows for some of them.
        "plan_cache_mode": "force_custom_plan",
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{4 * STATEMENT_SECONDS}s",
    }
    pool = asyncpg.create_pool(
        database_url,
        min_size=0,
        max_size=CONNECTIONS_MAX,
        timeout=OPEN_SECONDS,
        server_settings=settings,
        init=_opened,
        reset=_nothing_to_reset,
    )
    await pool
    try:
        yield ViewsReader(pool, times.snapshot_seconds)
    finally:
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
            try:
                await pool.close()
            except DATABASE_ERRORS:
                logger.debug("Connections to PostgreSQL were not closed in order", exc_info=True)
        pool.terminate()


async def _opened(db: Any) -> None:
    notice_silence(db)


async def _nothing_to_reset(_: Any) -> None:
    """All that a question sets holds for its transaction only."""


def _resume(query: Query, cursor: str | None) -> tuple[list[Any] | None, int | None]:
    """Return the key to go on after, and how many rows are still wanted."""
    limit = getattr(query, "limit", None)
    if limit is not None and limit < 0:
        raise InvalidArgument(f"The limit {limit} is negative.")
    if cursor is None:
        return None, limit
    try:
        place = msgspec.json.decode(cursor, type=_Cursor)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidArgument(_WRONG_CURSOR) from error
    if place.left is not None and place.left < 0:
        raise InvalidArgument(_WRONG_CURSOR)
    return place.key, place.left


def _statement(query: Query, after: list[Any] | None, count: int) -> Statement:
    """Return the statement that goes on after the key.

    Raises:
        InvalidArgument: it cannot be asked, or no page of its answer came with this key.

    """
    if after is None:
        return statement_for(query, None, count)
    try:
        statement = statement_for(query, after, count)
    except InvalidArgument:
        raise
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InvalidArgument(_WRONG_CURSOR) from error
    if max(map(int, _PLACEHOLDER.findall(statement.sql)), default=0) != len(statement.arguments):
        raise InvalidArgument(_WRONG_CURSOR)
    return statement


async def _rows(db: Any, statement: Statement, rows_max: int) -> tuple[list[str], str | None]:
    """Return the rows of a page as JSON, and the key to go on after, or None at the end."""
    parent = statement.parent
    if parent is not None and await db.fetchval(parent.sql, *parent.arguments) is None:
        raise NotFound(parent.kind, parent.name, hint=parent.hint)
    cursor = await db.cursor(statement.sql, *statement.arguments)
    rows: list[str] = []
    key: str | None = None
    size = 0
    while found := await cursor.fetch(min(_FETCHED_AT_ONCE, rows_max + 1 - len(rows)) or 1):
        for row in found:
            size += len(row["row"].encode())
            if len(rows) == rows_max or (rows and size > PAGE_BYTES_MAX):
                return rows, key
            rows.append(row["row"])
            key = row["key"]
        if len(found) < _FETCHED_AT_ONCE:
            break
    if statement.one is not None and not rows:
        raise NotFound(statement.one.kind, statement.one.name, hint=statement.one.hint)
    return rows, None
