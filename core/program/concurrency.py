"""Two small words over anyio's task groups: what a service is, and doing things together without a group of errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.core.program.exception_groups import unwrap_exception_group

First = TypeVar("First")
Second = TypeVar("Second")


class Service(Protocol):
    """Runs until cancelled; reports readiness once; leaves nothing behind."""

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None: ...


async def start_all(group: TaskGroup, services: Sequence[Service]) -> None:
    """Start the services in order in the group, each when the one before is ready."""
    for service in services:
        await group.start(service.serve, name=type(service).__name__)


async def gather_pair(first: Callable[[], Awaitable[First]], second: Callable[[], Awaitable[Second]]) -> tuple[First, Second]:
    """Await both at the same time and return both results; the first error ends the other and is raised by itself."""
    results: list[Any] = [None, None]

    async def keep(index: int, call: Callable[[], Awaitable[Any]]) -> None:
        results[index] = await call()

    with unwrap_exception_group():
        async with anyio.create_task_group() as group:
            group.start_soon(keep, 0, first)
            await keep(1, second)
    return results[0], results[1]
