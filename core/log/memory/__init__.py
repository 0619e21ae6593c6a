"""The log in one process's memory: for tests and simulations. It keeps the same promises, and time and faults are in the test's hands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import anyio.lowlevel

from headwater.core.log.memory.clock import ManualClock, MemoryClock, SteadyClock
from headwater.core.log.memory.dead_letters import MemoryDeadLetters
from headwater.core.log.memory.events import MemoryEvents
from headwater.core.log.memory.interference import Interference, Moment, Operation, no_faults
from headwater.core.log.memory.live import MemoryLive
from headwater.core.log.memory.queues import MemoryQueues
from headwater.core.log.memory.run_logs import MemoryRunLogs
from headwater.core.log.protocol import LiveMessage, Recorded, StreamSize
from headwater.core.log.subjects import live

__all__ = ["Interference", "ManualClock", "MemoryClock", "MemoryLog", "Moment", "Operation", "SteadyClock"]


class MemoryLog:
    """`Log` in memory. Everyone who holds the object is connected to the same log.

    `interference` may be set at any time; it is called around each operation and may raise in its place.
    """

    def __init__(self, *, clock: MemoryClock | None = None, interference: Interference = no_faults) -> None:
        self.clock: MemoryClock = clock or SteadyClock()
        self.interference: Interference = interference
        self.url = "memory:"
        self._live = MemoryLive()
        self._on_reconnect: list[Callable[[], None]] = []
        self.events = MemoryEvents(self.clock, self._interfere, self._announce)
        self.dead_letters = MemoryDeadLetters()
        self.queues = MemoryQueues(self.clock, self._interfere, self.dead_letters)
        self.logs = MemoryRunLogs(self.clock, self._interfere)

    async def sizes(self) -> tuple[StreamSize, ...]:
        await anyio.lowlevel.checkpoint()
        return (self.events.size(), self.queues.size(), self.logs.size())

    async def write_problem(self, *, timeout_seconds: float) -> str | None:  # noqa: ARG002 - it never waits
        await anyio.lowlevel.checkpoint()
        return None

    async def publish(self, subject: str, data: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        self._live.publish(subject, data)

    async def request(self, subject: str, data: bytes, *, timeout: float) -> bytes:
        return await self._live.request(subject, data, timeout)

    def subscribe(self, subjects: str, *, group: str = "") -> AbstractAsyncContextManager[AsyncIterator[LiveMessage]]:
        return self._live.subscribe(subjects, group)

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._on_reconnect.append(callback)
        return lambda: self._on_reconnect.remove(callback)

    def restart_broker(self) -> None:
        """Do what the kill and restart of a single broker does: facts stay, every item that an agent holds is offered again."""
        self.queues.forget_deliveries()
        self.queues.tell_of_loss()
        for callback in tuple(self._on_reconnect):
            callback()

    def _interfere(self) -> Interference:
        return self.interference

    def _announce(self, recorded: Recorded) -> None:
        self._live.publish(live(recorded.subject), recorded.data)
