"""An event loop whose time passes only when every task waits for it: an hour takes as long as what happens in it."""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import anyio
from anyio._backends import _asyncio as _anyio_backend

from headwater.core.log.mailbox import Mailbox

T = TypeVar("T")

TURN_SECONDS = 1e-6
"""What each turn of the loop takes: a task that asks again and again without waiting sees the time pass, too."""
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class NumberedTask(asyncio.Task):  # type: ignore[type-arg]
    """A task that sets keep in the order of its making, wherever in the memory it lies."""

    def __hash__(self) -> int:
        return number_of(self)


def number_of(thing: Any) -> int:
    """Return the thing's number: things are numbered in the order in which they are asked."""
    found: int = getattr(thing, "number_in_the_simulation", -1)
    if found < 0:
        found = thing.number_in_the_simulation = next(_numbers[0])
    return found


_numbers = [itertools.count()]


class NumberedScope(_anyio_backend.CancelScope):
    """A scope that sets keep in the order of its making."""

    def __hash__(self) -> int:
        return number_of(self)


class Deadlock(AssertionError):
    """Every task waits for another, and no time that could pass would change that."""


class _NoWaiting(selectors.DefaultSelector):
    """Waits for nothing: what the loop would wait for the time is added to the time."""

    loop: VirtualTimeLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        # The system is not asked: there are no files and no threads in the simulation, and asking would take a twentieth of its time.
        if timeout is None:
            raise Deadlock("nothing is left that could happen")
        self.loop.pass_time(max(timeout, TURN_SECONDS))
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop with a time of its own, which begins at 0."""

    def __init__(self) -> None:
        self._passed = 0.0
        selector = _NoWaiting()
        selector.loop = self
        super().__init__(selector)
        self.set_task_factory(lambda loop, coro, **more: NumberedTask(coro, loop=loop, **more))

    def time(self) -> float:
        return self._passed

    def pass_time(self, seconds: float) -> None:
        self._passed += seconds


class LoopClock:
    """The loop's time as the log's `Clock`."""

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=anyio.current_time())

    async def wait(self, mailbox: Mailbox[Any], until: datetime | None) -> None:
        await mailbox.wait(None if until is None else max(TURN_SECONDS, (until - self.now()).total_seconds()))


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Run it in virtual time, the same in every process."""
    _numbers[0] = itertools.count()
    # What is kept in sets comes out of them in the order of its address, which no seed decides.
    Mailbox.__hash__ = number_of  # type: ignore[method-assign, assignment]
    _anyio_backend.CancelScope = NumberedScope  # type: ignore[misc]
    return anyio.run(main, backend_options={"loop_factory": VirtualTimeLoop})
