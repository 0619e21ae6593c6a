"""Looking at the server of a home from outside, and stopping it."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import anyio
import msgspec

from headwater.core.log.health import ask_health
from headwater.core.log.jetstream import open_log
from headwater.core.program.settings import directory
from headwater.server.errors import NotRunning, NotStopping
from headwater.server.home import Home, holder_file, holder_pid, is_held
from headwater.server.nats.nats_server import CredentialsRefused, NotReady, ask_jetstream, token

_LOOK_INTERVAL_SECONDS = 0.02
_PROBE_SECONDS = 1.0
_POSTGRES_PORT = 5432
_NATS_PORT = 4222


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the server of a home, or of one elsewhere, whose home is None.

    `nats` and `database` say whether what runs at these addresses answers just now: "ok", or the reason why not;
    None where there is no address to ask. A NATS that wants a key we were not given counts as answering.
    """

    home: Path | None
    state: Literal["running", "starting", "stopped"]
    pid: int | None = None
    version: str | None = None
    nats_url: str | None = None
    http_url: str | None = None
    database_url: str | None = None
    nats: str | None = None
    database: str | None = None


def status(home_path: Path, *, key: str | None = None) -> ServerStatus:
    """The status of this home's server. Blocks for two seconds at most.

    Raises:
        HomeUnusable: the home may not be looked into.
        SettingsError: its `server.json` is garbled.

    """
    home = Home(directory(str(home_path)))
    if not is_held(home):
        return ServerStatus(home=home.path, state="stopped")
    content = holder_file(home)
    if content is None:
        return ServerStatus(home=home.path, state="starting", pid=holder_pid(home))
    return ServerStatus(
        home=home.path,
        state="running",
        pid=content.pid,
        version=content.version,
        nats_url=content.nats_url,
        http_url=content.http_url,
        database_url=content.database_url,
        nats=_probe_nats(content.nats_url, key),
        database=_probe_database(content.database_url),
    )


def status_elsewhere(nats_url: str, *, key: str | None = None) -> ServerStatus:
    """The status of the server that answers first at these addresses of NATS, wherever it runs.

    Raises:
        LogUnavailable, AuthenticationFailed, SettingsError: NATS itself cannot be asked.

    """
    answers = anyio.run(_a_server_answers, nats_url, key)
    return ServerStatus(home=None, state="running" if answers else "stopped", nats_url=nats_url, nats="ok")


async def _a_server_answers(nats_url: str, key: str | None) -> bool:
    async with open_log(nats_url, key=key, name="status") as log:
        return await ask_health(log) is not None


def stop(home_path: Path, *, timeout_seconds: float = 60.0) -> int:
    """Stops the server of this home and waits until nothing of it holds the home; returns the id its process had.

    Raises:
        NotRunning: there is none.
        NotStopping: it was told to, and did not in time.

    """
    home = Home(directory(str(home_path)))
    deadline = time.monotonic() + timeout_seconds
    pid: int | None = None
    while is_held(home):
        if pid is None:
            # The lock is held, so its holder lives and this is its id (None only for the instant before it says so).
            pid = holder_pid(home)
            if pid is not None and not _told_to_stop(pid):
                pid = None
        if time.monotonic() >= deadline:
            raise NotStopping(home.path, pid=pid, waited_seconds=timeout_seconds)
        time.sleep(_LOOK_INTERVAL_SECONDS)
    if pid is None:
        raise NotRunning(home.path)
    return pid


def _told_to_stop(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False  # it ended in this instant
    return True


def _probe_nats(url: str, key: str | None) -> str:
    parts = urlsplit(url.partition(",")[0])
    if parts.scheme not in {"", "nats"}:
        return "ok"  # TLS and web sockets are the client's to judge
    try:
        ask_jetstream(
            parts.port or _NATS_PORT,
            host=parts.hostname or "127.0.0.1",
            credentials=token(key),
            timeout_seconds=_PROBE_SECONDS,
        )
    except CredentialsRefused as error:
        return "ok" if key is None else str(error)
    except NotReady as error:
        return str(error)
    return "ok"


def _probe_database(url: str) -> str:
    """Whether something takes connections there; that is all one can ask without the database's own protocol."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    folder = query.get("host", [""])[0]
    port = parts.port or int(query.get("port", [str(_POSTGRES_PORT)])[0])
    try:
        if folder.startswith("/"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_PROBE_SECONDS)
                connection.connect(f"{folder}/.s.PGSQL.{port}")
        else:
            host = parts.hostname or folder or "127.0.0.1"
            socket.create_connection((host, port), timeout=_PROBE_SECONDS).close()
    except OSError as error:
        return error.strerror or str(error)
    return "ok"
