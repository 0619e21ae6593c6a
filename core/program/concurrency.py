"""Two small words over anyio's task groups: what a service is, and doing things together without a group of errors."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol, TypeVar, overload

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.core.program.exception_groups import unwrap_exception_group

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


class Service(Protocol):
    """Runs until cancelled; reports readiness once; leaves nothing behind."""

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None: ...


async def start_all(group: TaskGroup, services: Sequence[Service]) -> None:
    """Start the services in order in the group, each when the one before is ready."""
    for service in services:
        await group.start(service.serve, name=type(service).__name__)


@overload
async def gather(first: Awaitable[A], second: Awaitable[B], /) -> tuple[A, B]: ...
@overload
async def gather(first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], /) -> tuple[A, B, C]: ...
@overload
async def gather(first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], fourth: Awaitable[D], /) -> tuple[A, B, C, D]: ...
@overload
async def gather(
    first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], fourth: Awaitable[D], fifth: Awaitable[E], /
) -> tuple[A, B, C, D, E]: ...
@overload
async def gather(*calls: Awaitable[Any]) -> tuple[Any, ...]: ...
async def gather(*calls: Awaitable[Any]) -> tuple[Any, ...]:
    """Await several answers at the same time; the first error ends the others and is raised by itself."""
    answers: list[Any] = [None] * len(calls)

    async def keep(index: int, call: Awaitable[Any]) -> None:
        answers[index] = await call

    with unwrap_exception_group():
        async with anyio.create_task_group() as group:
            for index, call in enumerate(calls[:-1]):
                group.start_soon(keep, index, call)
            for index, call in enumerate(calls[-1:], len(calls) - 1):
                await keep(index, call)  # the last one needs no task of its own
    return tuple(answers)
