"""A TCP proxy that loses a reply: it lets a message through, waits until the server has answered it, and cuts the connection instead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream


class CuttingProxy:
    """Stands before a server at `url`. Made by `cutting_proxy`."""

    def __init__(self, target: str, url: str) -> None:
        self.url = url
        self.cuts = 0
        self._target = urlsplit(target)
        self._marker = b""
        self._connections: set[anyio.CancelScope] = set()

    def lose_the_reply_to(self, marker: str) -> None:
        """Cut when the server answers after the next bytes from a client that contain `marker`. Once."""
        self._marker = marker.encode()

    def cut(self) -> None:
        """Cut every connection now; new ones are accepted."""
        for connection in tuple(self._connections):
            connection.cancel()
        self.cuts += 1

    async def serve(self, client: SocketStream) -> None:
        assert self._target.hostname is not None
        assert self._target.port is not None
        try:
            server = await anyio.connect_tcp(self._target.hostname, self._target.port)
        except OSError:
            await client.aclose()
            return
        async with client, server, anyio.create_task_group() as group:
            self._connections.add(group.cancel_scope)
            passed = anyio.Event()
            group.start_soon(self._pump_up, client, server, passed, group.cancel_scope)
            group.start_soon(self._pump_down, server, client, passed, group.cancel_scope)
        self._connections.discard(group.cancel_scope)

    async def _pump_up(self, client: SocketStream, server: SocketStream, passed: anyio.Event, scope: anyio.CancelScope) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                data = await client.receive()
                if self._marker and self._marker in data:
                    self._marker = b""
                    passed.set()
                await server.send(data)
        scope.cancel()

    async def _pump_down(self, server: SocketStream, client: SocketStream, passed: anyio.Event, scope: anyio.CancelScope) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                data = await server.receive()
                if passed.is_set():
                    self.cuts += 1
                    break
                await client.send(data)
        scope.cancel()


@asynccontextmanager
async def cutting_proxy(target: str) -> AsyncIterator[CuttingProxy]:
    """Listen on a free port for as long as it is entered."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        port = listener.extra(SocketAttribute.local_port)
        proxy = CuttingProxy(target, f"nats://127.0.0.1:{port}")
        group.start_soon(listener.serve, proxy.serve)
        yield proxy
        group.cancel_scope.cancel()
