"""Connections to PostgreSQL, and what it means when one breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import asyncpg

CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 2.0

DATABASE_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a database that is away, restarting or unwell makes of a call. Whoever lives through outages tries again."""


class ConnectionLost(OSError):
    """The connection ended while nothing was asked of it."""


@asynccontextmanager
async def connect(database_url: str, *, name: str) -> AsyncIterator[Any]:
    """Open a connection that shows as `name` in PostgreSQL's own lists, and close it at the end, whatever happens.

    Raises:
        DATABASE_ERRORS: it could not be opened.

    """
    db = await asyncpg.connect(
        database_url,
        timeout=CONNECT_SECONDS,
        server_settings={"application_name": f"headwater {name}", "timezone": "UTC", "jit": "off"},
    )
    try:
        yield db
    finally:
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
            try:
                await db.close(timeout=_CLOSE_SECONDS)
            except DATABASE_ERRORS:
                db.terminate()


async def until_lost(db: Any) -> None:
    """Return never; raise ConnectionLost as soon as the connection ends."""
    lost = anyio.Event()
    notice: Callable[[Any], None] = lambda _: lost.set()  # noqa: E731
    db.add_termination_listener(notice)
    try:
        if not db.is_closed():
            await lost.wait()
        raise ConnectionLost("The connection to PostgreSQL was lost.")
    finally:
        db.remove_termination_listener(notice)


def in_words(error: BaseException) -> str:
    """Return a one-line account of a database error."""
    words = " ".join(str(error).split()) or type(error).__name__
    return f"PostgreSQL is away: {words}" if isinstance(error, _AWAY) else f"PostgreSQL refused: {words}"


_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
