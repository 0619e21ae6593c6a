"""The web as a service of the server: pages, updates, GraphQL and health, on a socket that is bound already."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from prometheus_client.registry import Collector

from headwater.core.log.health import ServerHealth
from headwater.core.log.protocol import Log
from headwater.web.app import make_app
from headwater.web.app_state import AppState
from headwater.web.auth import SessionSigner
from headwater.web.health import health_by_asking
from headwater.web.heartbeats import Heartbeats
from headwater.web.http_server import serve_http
from headwater.web.live.hub import LiveHub
from headwater.web.metrics import Metrics
from headwater.web.request_checks import page_token


class WebService:
    """Serves the web on `http_socket` until cancelled, and closes the socket then. Everything it shows comes through `log`.

    `hosts` are names with a domain under which people reach the server, such as that of HEADWATER_UI_URL; requests for other such
    names are refused. `key` is the server's: where it has one, every client must show it. `health` is that of the server that this
    is a part of; without it, the log and whichever server answers are asked. `collectors` hold numbers of other parts of that server.
    """

    def __init__(
        self,
        log: Log,
        http_socket: socket.socket,
        *,
        hosts: Iterable[str] = (),
        key: str | None = None,
        health: Callable[[], Awaitable[ServerHealth]] | None = None,
        collectors: Iterable[Collector] = (),
    ) -> None:
        self._log = log
        self._collectors = tuple(collectors)
        self._health = health or partial(health_by_asking, log)
        self._socket = http_socket
        self._hosts = frozenset(hosts)
        self._key = key

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; ready when requests are answered."""
        tail = await self._log.events.tail()
        token = page_token(tail.identity, self._key)
        signer = None if self._key is None else SessionSigner(self._key, tail.identity)
        page_context: dict[str, Any] = {"token": token, "keyed": signer is not None}
        heartbeats = Heartbeats(self._log)
        metrics = Metrics(self._collectors)
        hub = LiveHub(self._log, heartbeats, page_context, metrics.heard)
        heartbeats.on_return(hub.agent_heard)
        site = AppState(self._log, heartbeats, hub, token, page_context, metrics, self._health, signer)
        async with anyio.create_task_group() as group:
            await group.start(hub.serve)
            await group.start(heartbeats.serve)
            await serve_http(make_app(site, hosts=self._hosts), self._socket, before_end=hub.close, task_status=task_status)
