"""Two small words over anyio's task groups: what a service is, and doing things together without a group of errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

First = TypeVar("First")
Second = TypeVar("Second")


class Service(Protocol):
    """Runs until cancelled; reports readiness once; leaves nothing behind."""

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None: ...


async def start_all(group: TaskGroup, services: Sequence[Service]) -> None:
    """Start the services in order in the group, each when the one before is ready."""
    for service in services:
        await group.start(service.serve, name=type(service).__name__)


@contextmanager
def single_error() -> Iterator[None]:
    """Raise the one error of a task group by itself: callers of a function that uses a group inside expect plain errors.

    Where several failed at once, the first is raised and the others are noted on it.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        errors = list(_leaves(group))
        first = next((error for error in errors if isinstance(error, Exception)), errors[0])
        for other in errors:
            if other is not first:
                first.add_note(f"Also failed: {other!r}")
        raise first from first.__cause__


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def together(first: Callable[[], Awaitable[First]], second: Callable[[], Awaitable[Second]]) -> tuple[First, Second]:
    """Await both at the same time and return both results; the first error ends the other and is raised by itself."""
    results: list[Any] = [None, None]

    async def keep(index: int, call: Callable[[], Awaitable[Any]]) -> None:
        results[index] = await call()

    with single_error():
        async with anyio.create_task_group() as group:
            group.start_soon(keep, 0, first)
            await keep(1, second)
    return results[0], results[1]
