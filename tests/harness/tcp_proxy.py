"""A TCP proxy that does to connections what networks do: cuts before and after a message, resets, silence, slowness, black holes."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream

_PIECE_BYTES = 64
_GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)


class Fault(Enum):
    """What can be done to connections. What takes time takes the seconds that `strike` is given."""

    CUT_BEFORE = "the next message from a client never arrives, and its connection is cut"
    CUT_AFTER = "the next message from a client arrives, its answer does not, and its connection is cut"
    RESET = "every connection is reset"
    HALF_OPEN = "every connection stays open, what is sent on it is lost both ways, and in the end it is cut"
    SLOW = "everything arrives slowly, in small pieces"
    BLACK_HOLE = "nothing arrives, and nobody can connect; then all of it arrives"


class CuttingProxy:
    """Stands before a server at `url`. Made by `cutting_proxy`."""

    def __init__(self, target: str, port: int) -> None:
        asked = urlsplit(target)
        user = f"{asked.username}@" if asked.username else ""
        self.url = f"{asked.scheme}://{user}127.0.0.1:{port}{asked.path}"
        self.cuts = 0
        self._target = target
        self._marker: bytes | None = None
        self._cut_before = False
        self._is_slow = False
        self._open = anyio.Event()
        self._open.set()
        self._connections: set[_Connection] = set()

    def lose_the_reply_to(self, marker: str) -> None:
        """Cut when the server answers after the next bytes from a client that contain `marker`. Once."""
        self._marker = marker.encode()

    def cut(self) -> None:
        """Cut every connection now; new ones are accepted."""
        for connection in tuple(self._connections):
            connection.scope.cancel()
        self.cuts += 1

    async def strike(self, fault: Fault, *, seconds: float) -> None:
        """Let it happen, and return when it is over; being cancelled ends it."""
        match fault:
            case Fault.CUT_BEFORE:
                self._cut_before = True
            case Fault.CUT_AFTER:
                self.lose_the_reply_to("")
            case Fault.RESET:
                for connection in self._connections:
                    connection.reset_when_closed()
                self.cut()
            case Fault.HALF_OPEN:
                silent = tuple(self._connections)
                for connection in silent:
                    connection.is_silent = True
                try:
                    await anyio.sleep(seconds)
                finally:
                    for connection in silent:
                        connection.scope.cancel()
            case Fault.SLOW:
                self._is_slow = True
                try:
                    await anyio.sleep(seconds)
                finally:
                    self._is_slow = False
            case Fault.BLACK_HOLE:
                self._open = anyio.Event()
                try:
                    await anyio.sleep(seconds)
                finally:
                    self._open.set()

    async def serve(self, client: SocketStream) -> None:
        await self._open.wait()
        try:
            server = await _connected(self._target)
        except OSError:
            await client.aclose()
            return
        async with client, server, anyio.create_task_group() as group:
            connection = _Connection(client, server, group.cancel_scope)
            self._connections.add(connection)
            group.start_soon(self._pump_up, connection)
            group.start_soon(self._pump_down, connection)
        self._connections.discard(connection)

    async def _pump_up(self, connection: _Connection) -> None:
        with suppress(*_GONE):
            while True:
                data = await connection.client.receive()
                if self._cut_before and not connection.is_silent:
                    self._cut_before = False
                    self.cuts += 1
                    break
                if self._marker is not None and self._marker in data:
                    self._marker = None
                    connection.passed.set()
                await self._pass_on(connection, connection.server, data)
        connection.scope.cancel()

    async def _pump_down(self, connection: _Connection) -> None:
        with suppress(*_GONE):
            while True:
                data = await connection.server.receive()
                if connection.passed.is_set():
                    self.cuts += 1
                    break
                await self._pass_on(connection, connection.client, data)
        connection.scope.cancel()

    async def _pass_on(self, connection: _Connection, receiver: SocketStream, data: bytes) -> None:
        await self._open.wait()
        if connection.is_silent:
            return
        while self._is_slow and data:
            await receiver.send(data[:_PIECE_BYTES])
            data = data[_PIECE_BYTES:]
            await anyio.sleep(0.005)
        if data:
            await receiver.send(data)


class _Connection:
    """A client's connection, and the one to the server that stands for it."""

    def __init__(self, client: SocketStream, server: SocketStream, scope: anyio.CancelScope) -> None:
        self.client, self.server, self.scope = client, server, scope
        self.passed = anyio.Event()
        self.is_silent = False

    def reset_when_closed(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.extra(SocketAttribute.raw_socket).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _connected(target: str) -> SocketStream:
    """Connect to a NATS server, or to a PostgreSQL, whose address may name the folder of its socket."""
    parts = urlsplit(target)
    asked = parse_qs(parts.query)
    if "host" in asked:
        return await anyio.connect_unix(Path(asked["host"][0]) / f".s.PGSQL.{asked['port'][0]}")
    assert parts.hostname is not None
    assert parts.port is not None
    return await anyio.connect_tcp(parts.hostname, parts.port)


@asynccontextmanager
async def cutting_proxy(target: str) -> AsyncIterator[CuttingProxy]:
    """Listen on a free port for as long as it is entered."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        proxy = CuttingProxy(target, listener.extra(SocketAttribute.local_port))
        group.start_soon(listener.serve, proxy.serve)
        yield proxy
        group.cancel_scope.cancel()


async def trouble(proxy: CuttingProxy, random: Random, *, pause_seconds: float, longest_seconds: float) -> None:
    """Strike again and again, as the source of chance has it, until cancelled."""
    faults = sorted(Fault, key=lambda fault: fault.name)
    while True:
        await anyio.sleep(random.random() * pause_seconds)
        await proxy.strike(random.choice(faults), seconds=random.random() * longest_seconds)
