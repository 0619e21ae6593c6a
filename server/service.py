"""What everything that runs inside the server has in common."""

from __future__ import annotations

from typing import Protocol

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus


class Service(Protocol):
    """Runs until it is cancelled, which is the only way to stop it; leaves nothing behind.

    `serve` calls `task_status.started()` once, when it is ready. What it raises ends the whole server, so a service
    lives through outages of NATS and PostgreSQL by itself.
    """

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None: ...
