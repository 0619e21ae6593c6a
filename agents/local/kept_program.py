"""Keeping a program alive for an agent: a new one takes the place of one that died."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.agents.errors import LauncherGone, LaunchFailed

PAUSE_SECONDS_MAX = 30.0
SHORT_LIFE_SECONDS = 0.5
"""Where two in turn lived no longer, the next is likely to die as well: it is started after a pause."""


class ProgramClient(Protocol):
    """One such program, from its start to its end."""

    ended: anyio.Event

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Start it, and serve until it is gone. Raises LauncherGone where it cannot be started, or is not ready."""
        ...


Client = TypeVar("Client", bound=ProgramClient)


class KeptProgram(Generic[Client]):
    """Keeps one alive. `make` gets what is to be called when it ends, before anybody can hear of that.

    `retry_seconds`: the first pause before one that cannot be made is tried again; the pauses grow.
    """

    def __init__(self, make: Callable[[Callable[[], None]], Client], *, retry_seconds: float) -> None:
        self._make = make
        self._retry_seconds = retry_seconds
        self._client: Client | None = None
        self._missing = ""  # why there is none
        self._changed = anyio.Event()

    async def current(self) -> Client:
        """Return the one that lives, once there is one.

        Raises:
            LaunchFailed: none can be made now.

        """
        while self._client is None:
            if self._missing:
                raise LaunchFailed(self._missing)
            await self._changed.wait()
        return self._client

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Keep one alive until cancelled.

        Raises:
            LauncherGone: the first one could not be made, or ended before it was ready; its error is on the standard error output.

        """
        async with anyio.create_task_group() as group:

            async def new_one() -> Client:
                client = self._make(lambda: self._change(None, ""))
                await group.start(client.serve)
                self._change(client, "")
                return client

            client = await new_one()
            task_status.started()
            pause, short_lives = self._retry_seconds, 0
            while True:
                began = time.monotonic()
                await client.ended.wait()
                lived = time.monotonic() - began
                if lived > PAUSE_SECONDS_MAX:
                    pause = self._retry_seconds
                short_lives = short_lives + 1 if lived < SHORT_LIFE_SECONDS else 0
                if short_lives > 1:
                    self._change(None, f"a process that it needs ended {lived:.1f} s after its start; its error is shown above")
                    await anyio.sleep(pause)
                    pause = min(PAUSE_SECONDS_MAX, 2 * pause)
                while True:
                    try:
                        client = await new_one()
                    except LauncherGone as gone:
                        self._change(None, str(gone))
                    else:
                        break
                    await anyio.sleep(pause)
                    pause = min(PAUSE_SECONDS_MAX, 2 * pause)

    def _change(self, client: Client | None, missing: str) -> None:
        self._client, self._missing = client, missing
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
