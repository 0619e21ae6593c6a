"""The server program: takes the home, starts NATS and PostgreSQL, then the services, and ends everything in order."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from importlib.metadata import version

import anyio
import anyio.abc
import msgspec
from anyio import TASK_STATUS_IGNORED

from headwater.core.program import open_files
from headwater.core.program.concurrency import Service, start_all
from headwater.core.program.exception_groups import unwrap_exception_group
from headwater.core.program.server_file import ServerFile
from headwater.core.program.stop_signals import stop_signals
from headwater.server.embedded import EmbeddedNats, end_leftovers, postgres_place, postgres_program, socket_folder_removed
from headwater.server.errors import ComponentFailed, PortTaken
from headwater.server.external import check_external_nats
from headwater.server.home import Home, lock_home, open_home, usable
from headwater.server.nats.nats_server import LOOPBACK
from headwater.server.options import ServerOptions
from headwater.server.ports import HttpPort, choose_port
from headwater.server.server_file import remove_server_file, write_server_file
from headwater.server.supervision.descriptor_notice import descriptor_notice
from headwater.server.supervision.supervisor import Supervisor

logger = logging.getLogger(__name__)

_FREE_PORT_TRIES = 3


class ServerContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the services inside a server need to know. NATS answers when it is made; so does an embedded PostgreSQL.

    `replicas` is how many nodes of the NATS cluster keep each stream. `nats` is our own nats-server, None where it is another's.
    With `accept_new_log` the views may be rebuilt from a log that is shorter than what they show.
    """

    home: Home
    nats_url: str
    nats: EmbeddedNats | None
    database_url: str
    http: HttpPort
    key: str | None
    log_retention_days: float
    replicas: int
    accept_new_log: bool

    @property
    def http_url(self) -> str:
        """What the addresses of pages begin with."""
        return self.http.url

    @property
    def http_socket(self) -> socket.socket:
        """The socket of `http_url`, listening. Ask for it only to serve it: the server closes one that was not asked for."""
        return self.http.reserve()


ServiceFactory = Callable[[ServerContext], Sequence[Service]]
"""Builds the services of a server, in the order in which they are started; they are ended all at once."""


async def serve_headwater(
    options: ServerOptions,
    services: ServiceFactory,
    *,
    on_ready: Callable[[ServerFile], None] = lambda _: None,
    stop_on_signals: bool = True,
) -> None:
    """Runs a server until SIGINT, SIGTERM, SIGHUP or cancellation; nothing of it runs when this returns or raises.

    `on_ready` is called once, when every part is ready and `server.json` is written. With `stop_on_signals=False`
    only cancelling stops it (signals can be received in the main thread only).

    Raises:
        HomeUnusable, AlreadyRunning, PortTaken, PortRefused, ServerPartMissing, ComponentFailed: it could not start.
        LogUnavailable, AuthenticationFailed: the NATS of `options.nats_url` does not answer, or refuses the key.

    """
    open_files.raise_limit()
    stopping = anyio.Event()
    with unwrap_exception_group(), descriptor_notice():
        async with anyio.create_task_group() as group:
            if stop_on_signals:
                await group.start(_cancel_on_signal, group.cancel_scope, stopping)
            await _serve(options, services, on_ready, stopping)
            group.cancel_scope.cancel()


async def _serve(options: ServerOptions, services: ServiceFactory, on_ready: Callable[[ServerFile], None], stopping: anyio.Event) -> None:
    home = open_home(options.home)
    with lock_home(home), closing(HttpPort(options.port, options.host)) as http, socket_folder_removed(home):
        remove_server_file(home.path)  # of a server that was killed
        await anyio.to_thread.run_sync(end_leftovers, home)
        async with _stores(home, options, stopping) as (nats_url, nats, database_url), anyio.create_task_group() as group:
            context = ServerContext(
                home=home,
                nats_url=nats_url,
                nats=nats,
                database_url=database_url,
                http=http,
                key=options.key,
                log_retention_days=options.log_retention_days,
                replicas=options.replicas,
                accept_new_log=options.accept_new_log,
            )
            await start_all(group, services(context))
            http.close_unless_reserved()
            content = ServerFile(
                nats_url=nats_url,
                http_url=http.url,
                database_url=database_url,
                pid=os.getpid(),
                version=version("headwater"),
            )
            with usable(home):
                write_server_file(home.path, content)
            try:
                on_ready(content)
                await anyio.sleep_forever()
            finally:
                remove_server_file(home.path)


@asynccontextmanager
async def _stores(home: Home, options: ServerOptions, stopping: anyio.Event) -> AsyncIterator[tuple[str, EmbeddedNats | None, str]]:
    """NATS and PostgreSQL, running while the block runs: their addresses, and our own NATS. We start ours side by side."""
    addresses: dict[str, str] = {}
    own: list[EmbeddedNats | None] = []
    block_ended = anyio.Event()
    async with anyio.create_task_group() as group:
        start = partial(group.start, _serve_until, block_ended)

        async def nats() -> None:
            addresses["nats"], embedded = await _nats(home, options, start, stopping)
            own.append(embedded)

        async def database() -> None:
            addresses["database"] = await _database(home, options, start, stopping)

        try:
            async with anyio.create_task_group() as starting:
                starting.start_soon(nats)
                starting.start_soon(database)
            yield addresses["nats"], own[0], addresses["database"]
        finally:
            block_ended.set()


async def _serve_until(end: anyio.Event, service: Service, *, task_status: anyio.abc.TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
    """Runs a service that others stand on: once it is ready, being cancelled does not end it, only `end` does."""
    with unwrap_exception_group():
        async with anyio.create_task_group() as group:
            await start_all(group, [service])
            group.cancel_scope.shield = True
            task_status.started()
            await end.wait()
            group.cancel_scope.cancel()


async def _nats(
    home: Home, options: ServerOptions, start: Callable[[Service], Awaitable[None]], stopping: anyio.Event
) -> tuple[str, EmbeddedNats | None]:
    if options.nats_url is not None:
        await check_external_nats(options.nats_url, options.key)
        return options.nats_url, None
    monitor_port = options.nats_monitor_port
    if monitor_port is not None:
        monitor_port = choose_port(monitor_port, option="--nats-monitor-port")
        logger.info("nats-server can be watched at http://%s:%d", LOOPBACK, monitor_port)
    tries = _FREE_PORT_TRIES if options.nats_port == 0 else 1
    for last in [False] * (tries - 1) + [True]:
        port = choose_port(options.nats_port, option="--nats-port")
        nats = EmbeddedNats(home, port=port, key=options.key, monitor_port=monitor_port)
        try:
            await start(nats.supervisor(stopping=stopping.is_set))
        except ComponentFailed as error:
            if "address already in use" not in error.log_tail:
                raise
            if last:
                raise PortTaken(port, option="--nats-port") from error
        else:
            return f"nats://{LOOPBACK}:{port}", nats
    raise AssertionError("the last try returns or raises")


async def _database(home: Home, options: ServerOptions, start: Callable[[Service], Awaitable[None]], stopping: anyio.Event) -> str:
    if options.database_url is not None:
        return options.database_url
    program = postgres_program(home)
    await start(Supervisor(program, stopping=stopping.is_set))
    return postgres_place(home).database_url()


async def _cancel_on_signal(
    scope: anyio.CancelScope, stopping: anyio.Event, *, task_status: anyio.abc.TaskStatus[None] = TASK_STATUS_IGNORED
) -> None:
    with anyio.open_signal_receiver(*stop_signals()) as signals:
        task_status.started()
        async for received in signals:
            logger.info("stopping on %s", signal.Signals(received).name)
            stopping.set()
            scope.cancel()
