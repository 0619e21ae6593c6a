"""Serving HTTP inside our own task group: no signal handlers, no ticking, and an end that waits for no client for long."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Generator
from time import monotonic
from typing import TYPE_CHECKING, Any

import anyio
import uvicorn
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from headwater.core.program import open_files

if TYPE_CHECKING:
    from starlette.types import ASGIApp

END_SECONDS = 3
"""How long requests under way may take once the server must end."""

_REQUEST_HEAD_BYTES_MAX = 64 * 1024


_BACKLOG = 128
_ACCEPTED_AT_ONCE = 8
"""The event loop accepts as many as its backlog is long before it lets anything else happen, such as closing one that is too many."""
_DESCRIPTORS_KEPT = 48
"""For files, and for the connections to NATS and PostgreSQL."""
_CONNECTIONS_MIN = 8


def connections_max() -> int:
    """Return how many connections may be open at once, so that something is left for everything else."""
    return max(_CONNECTIONS_MIN, open_files.limit() - _DESCRIPTORS_KEPT)


class _BoundedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen by uvicorn at run time
    """A connection that, when it is one too many, has another one closed: a client that asks for the server's health gets in.

    The oldest idle one goes, or else the oldest: browsers open their live updates again.
    """

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.made_at = monotonic()
        if len(self.connections) > connections_max():
            others = [each for each in self.connections if each is not self and not each.transport.is_closing()]
            if others:
                min(others, key=_worth).transport.close()


def _worth(connection: Any) -> tuple[bool, float]:
    cycle = getattr(connection, "cycle", None)
    is_idle = hasattr(connection, "made_at") and (cycle is None or cycle.response_complete)
    return (not is_idle, getattr(connection, "made_at", 0.0))


class _Server(uvicorn.Server):
    """uvicorn's server, ended by an event instead of by signals and a clock."""

    def __init__(self, config: uvicorn.Config, accepting: Callable[[], None]) -> None:
        super().__init__(config)
        self._accepting = accepting
        self.stop = anyio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the program: it cancels us."""
        yield

    async def main_loop(self) -> None:
        """Wait for the end. What uvicorn does ten times a second here serves options that we do not use."""
        self._accepting()
        await self.stop.wait()


async def serve_http(
    app: ASGIApp, bound: socket.socket, *, before_end: Callable[[], None], task_status: TaskStatus[None] = TASK_STATUS_IGNORED
) -> None:
    """Serve the application on a bound socket until cancelled; ready when it accepts connections. The socket is closed at the end.

    `before_end` is called when the end is due: it must make answers without an end (live updates) end.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=_REQUEST_HEAD_BYTES_MAX,
        timeout_graceful_shutdown=END_SECONDS,
        timeout_keep_alive=75,
        ws="websockets-sansio",
        ws_max_size=1024 * 1024,
        backlog=_ACCEPTED_AT_ONCE,
        http=_BoundedProtocol,
    )

    def accepting() -> None:
        bound.listen(_BACKLOG)
        task_status.started()

    server = _Server(config, accepting)
    # Connections inherit it. The event loop sets it only on sockets that were made for TCP by name, and this one may not be: then every
    # answer would wait 40 ms for the browser to acknowledge its head.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def run() -> None:
        # Cancelled half-way, uvicorn would leave connections behind: it gets the signal to end instead.
        with anyio.CancelScope(shield=True):
            await server.serve(sockets=[bound])

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        try:
            await anyio.sleep_forever()
        finally:
            before_end()
            server.stop.set()
