"""What a server runs on top of NATS and PostgreSQL: the set-up of the streams, monitor, planner, projector, query service, web.

Each part is kept by itself: one that ends by an unexpected error is started again, and the others do not notice.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.errors import LogUnavailable
from headwater.core.log.jetstream import JetStreamLog, StreamSettings, open_log
from headwater.core.program.concurrency import Service
from headwater.core.program.service_keeper import Parts, ServiceKeeper
from headwater.core.program.settings import UI_URL
from headwater.server.program import ServerContext

if TYPE_CHECKING:
    from headwater.server.nats.lost_log import LogGuard


class LogServices:
    """Opens the log, creating its streams where there are none, and keeps everything running that needs it."""

    def __init__(self, context: ServerContext, parts: Parts, http_socket: socket.socket) -> None:
        self._context = context
        self._parts = parts
        self._http_socket = http_socket

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled.

        Raises:
            StreamMismatch: streams of our names exist there that this version does not accept.
            LogLost: the views show more than the log holds.
            LogError: the log cannot be opened, or its connection is over for good.

        """
        from headwater.server.nats.lost_log import LogGuard, checked_now

        context = self._context
        async with open_log(context.nats_url, key=context.key, name="server") as log, anyio.create_task_group() as group:
            guard = LogGuard(log, context.database_url, context.accept_new_log)
            await checked_now(guard)
            await log.ensure_streams(StreamSettings(replicas=context.replicas, log_retention_days=context.log_retention_days))
            group.start_soon(_until_closed, log)
            for name, make in self._services(log, guard).items():
                await group.start(ServiceKeeper(name, make, self._parts).serve)
            task_status.started()

    def _services(self, log: JetStreamLog, guard: LogGuard) -> dict[str, Callable[[], Service]]:
        """Return the parts in the order in which they are started, each with what makes it for a start."""
        from headwater.core.queries.views_client import ViewsClient
        from headwater.projections.services import ViewServices
        from headwater.server.monitor import RunMonitor
        from headwater.server.monitor.known_runs import find_known_runs
        from headwater.server.nats.log_watch import LogWatch
        from headwater.server.nats.lost_log import GuardedProjector
        from headwater.server.own_health import OwnHealth
        from headwater.server.planner import Planner
        from headwater.server.planner.numbers import PlannerNumbers
        from headwater.web.service import WebService

        context = self._context
        views = ViewServices(log, context.database_url, log_retention_days=context.log_retention_days)
        watch = LogWatch(log, context.nats)
        numbers = PlannerNumbers()
        health = OwnHealth(log, watch, views.queries, self._parts)

        def web() -> Service:
            # It closes its socket in the end; the next one needs the port again.
            return WebService(
                log, self._http_socket.dup(), hosts=_own_names(), key=context.key, health=health.look, collectors=numbers.collectors
            )

        return {
            "log watch": lambda: watch,
            "health": lambda: health,
            "monitor": lambda: RunMonitor(log, find_known=lambda: find_known_runs(log, ViewsClient(log))),
            "planner": lambda: Planner(log, observe=numbers.observe),
            "projector": lambda: GuardedProjector(guard, views.projector),
            "log lines": lambda: views.log_lines,
            "archiver": lambda: views.archiver,
            "rebuilder": lambda: views.rebuilder,
            "queries": lambda: views.queries,
            "web": web,
        }


async def _until_closed(log: JetStreamLog) -> None:
    """Return never; raise as soon as the connection is over for good."""
    closed = anyio.Event()
    forget = log.on_close(lambda _: closed.set())
    try:
        if not log.closed:
            await closed.wait()
        raise LogUnavailable(log.url, "the connection was closed")
    finally:
        forget()


def _own_names() -> list[str]:
    """Return the name under which people reach the pages, where HEADWATER_UI_URL tells one."""
    name = urlsplit(UI_URL.value() or "").hostname
    return [] if name is None else [name]


def server_services(context: ServerContext) -> Sequence[Service]:
    """Return the services of a server."""
    parts, http_socket = Parts(), context.http_socket
    return [ServiceKeeper("connection to the log", lambda: LogServices(context, parts, http_socket), parts)]
