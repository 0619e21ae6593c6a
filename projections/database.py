"""Connections to PostgreSQL, and what it means when one breaks."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import asyncpg

from headwater.core.errors import HeadwaterError


@dataclass(frozen=True)
class DatabaseTimes:
    """How long PostgreSQL may be silent, and how long we may be, in seconds."""

    connect_seconds: float = 10.0
    session_seconds: float = 3.0
    """PostgreSQL ends the session of a writer that was not heard for so long, and with it the lock that others wait for."""
    snapshot_seconds: float = 20.0
    """A connection on which nothing comes for so long while the views are read is given up: PostgreSQL ends statements before."""


USUAL_TIMES = DatabaseTimes()

_CLOSE_SECONDS = 2.0
_BEATS_PER_SESSION = 4
_SILENT_SECONDS = 10

DATABASE_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a database that is away, restarting or unwell makes of a call. A service that lives through outages tries again."""
_REFUSED_DATA = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)


def is_of_the_moment(error: Exception) -> bool:
    """Tell whether a write that raised this may succeed a moment later, as it is.

    PostgreSQL is away then, or another writer was first. Everything else is the fault of what was to be written, which would raise it
    each time.
    """
    return isinstance(error, (HeadwaterError, *DATABASE_ERRORS)) and not isinstance(error, _REFUSED_DATA)


class ConnectionLost(OSError):
    """The connection ended while nothing was asked of it."""


@asynccontextmanager
async def connect(database_url: str, *, name: str, times: DatabaseTimes = USUAL_TIMES) -> AsyncIterator[Any]:
    """Open a connection that shows as `name` in PostgreSQL's own lists, and close it at the end, whatever happens.

    Raises:
        DATABASE_ERRORS: it could not be opened.

    """
    db = await asyncpg.connect(
        database_url,
        timeout=times.connect_seconds,
        server_settings={"application_name": f"headwater {name}", "timezone": "UTC", "jit": "off"},
    )
    notice_silence(db)
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


async def keep_session(
    db: Any, turn: anyio.Lock, *, times: DatabaseTimes = USUAL_TIMES, silence_in_transaction: float | None = None
) -> None:
    """Keep the session for as long as we live and the network holds; `turn` is held by the task that uses the connection.

    `silence_in_transaction` is how many seconds may pass between two statements of a transaction; None is as many as outside of one.

    A writer that is frozen, or whose machine vanished, would hold its lock for hours: its connection stays open. So PostgreSQL ends
    the session after some seconds of silence, and this breaks the silence.

    Raises:
        DATABASE_ERRORS: PostgreSQL does not answer, or has ended the session.

    """
    in_transaction = times.session_seconds if silence_in_transaction is None else silence_in_transaction
    async with turn:
        for setting, seconds in (("idle_session_timeout", times.session_seconds), ("idle_in_transaction_session_timeout", in_transaction)):
            await db.execute("SELECT set_config($1, $2, false)", setting, f"{seconds:g}s")
    while True:
        await anyio.sleep(times.session_seconds / _BEATS_PER_SESSION)
        async with turn:
            await db.execute("SELECT", timeout=times.session_seconds)


def notice_silence(db: Any) -> None:
    """Have the system end a connection whose other end has vanished, as it does only after hours by itself."""
    # The library shows its socket nowhere else.
    found = db._transport.get_extra_info("socket")  # noqa: SLF001
    if found is None or found.family == getattr(socket, "AF_UNIX", None):
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", _SILENT_SECONDS // 2),
        ("TCP_KEEPINTVL", 1),
        ("TCP_KEEPCNT", _SILENT_SECONDS // 2),
        ("TCP_USER_TIMEOUT", 1000 * _SILENT_SECONDS),
    ):
        if hasattr(socket, option):
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def in_words(error: BaseException) -> str:
    """Return a one-line account of a database error."""
    words = " ".join(str(error).split()) or ("it does not answer" if isinstance(error, TimeoutError) else type(error).__name__)
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
