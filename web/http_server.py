"""Serving HTTP inside a task group of ours: no signal handlers, no ticking, and an end that waits for nobody for long."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import anyio
import uvicorn
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

if TYPE_CHECKING:
    from starlette.types import ASGIApp

END_SECONDS = 3
"""How long requests under way may take once the server is told to end."""

_REQUEST_HEAD_BYTES_MAX = 64 * 1024


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
    )
    server = _Server(config, task_status.started)
    # Connections inherit it. The event loop sets it only on sockets that were made for TCP by name, and this one may not be: then every
    # answer would wait 40 ms for the browser to acknowledge its head.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def run() -> None:
        # Cancelled half-way, uvicorn would leave connections behind: it is told to end instead.
        with anyio.CancelScope(shield=True):
            await server.serve(sockets=[bound])

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        try:
            await anyio.sleep_forever()
        finally:
            before_end()
            server.stop.set()
