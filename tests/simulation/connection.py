"""One participant's connection to the log in memory: it takes time, loses requests and replies, is cut, freezes, dies with its holder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeVar

import anyio
from simulation.virtual_time import number_of

from headwater.core.errors import LogUnavailable, OutcomeUnknown, RequestTimeout
from headwater.core.log.commit import Commit, Position
from headwater.core.log.memory import MemoryLog
from headwater.core.log.protocol import (
    Append,
    DeadLetters,
    Delivery,
    LiveMessage,
    LogTail,
    QueueBinding,
    Recorded,
    RunLogs,
    StreamSize,
    WorkItem,
)

T = TypeVar("T")


@dataclass(frozen=True)
class FaultPlan:
    """How often what happens on the way. Shares of all calls; seconds."""

    lost_requests: float = 0.02
    lost_replies: float = 0.03
    slow: float = 0.05
    usual_seconds: float = 0.002
    slow_seconds: float = 0.8


FAIR = FaultPlan(0.0, 0.0, 0.0)


class Gate:
    """Callers wait while it is closed; it may be closed several times at once."""

    def __init__(self) -> None:
        self._closed = 0
        self._opened = anyio.Event()

    @property
    def is_closed(self) -> bool:
        return self._closed > 0

    def close(self) -> None:
        self._closed += 1

    def open(self) -> None:
        self._closed -= 1
        if not self._closed:
            self._opened.set()
            self._opened = anyio.Event()

    async def pass_through(self) -> None:
        while self._closed:
            await self._opened.wait()


class Connection:
    """`Log` for one participant. `dead`: its holder was killed, and nothing it still does reaches the log."""

    def __init__(self, log: MemoryLog, random: Random, weather: FaultPlan = FAIR) -> None:
        self.log, self.random, self.weather = log, random, weather
        self.url = log.url
        self.dead = False
        self._ice, self._cut = Gate(), Gate()
        self._on_mend: list[Callable[[], None]] = []
        self.events = _Events(self)
        self.queues = _Queues(self)
        self.logs: RunLogs = log.logs
        self.dead_letters: DeadLetters = log.dead_letters

    @property
    def is_cut(self) -> bool:
        return self._cut.is_closed

    def freeze(self) -> None:
        """Stop the holder: it neither sends nor hears anything until `thaw`."""
        self._ice.close()

    def thaw(self) -> None:
        self._ice.open()

    def cut(self) -> None:
        self._cut.close()

    def mend(self) -> None:
        self._cut.open()
        if not self.is_cut:
            for callback in tuple(self._on_mend):
                callback()
            self.log.queues.tell_of_loss()

    async def hop(self) -> None:
        """Be on the way, in one direction."""
        is_slow = self.random.random() < self.weather.slow
        await anyio.sleep(self.random.random() * (self.weather.slow_seconds if is_slow else self.weather.usual_seconds))
        await self._ice.pass_through()
        if self.dead:
            await anyio.sleep_forever()

    async def mended(self) -> None:
        await self._cut.pass_through()

    async def call(self, act: Callable[[], Awaitable[T]], *, commit_id: str | None = None) -> T:
        """Do it over there. With a commit id, a lost reply leaves the outcome unknown; else it is the same as a lost request."""
        await self.hop()
        if self.is_cut or self.random.random() < self.weather.lost_requests:
            raise LogUnavailable(self.url, "lost on the way")
        result = await act()
        await self.hop()
        if self.is_cut or self.random.random() < self.weather.lost_replies:
            raise LogUnavailable(self.url, "lost on the way back") if commit_id is None else OutcomeUnknown(commit_id, "no reply")
        return result

    async def sizes(self) -> tuple[StreamSize, ...]:
        return await self.call(self.log.sizes)

    async def write_problem(self, *, timeout_seconds: float) -> str | None:
        return await self.call(lambda: self.log.write_problem(timeout_seconds=timeout_seconds))

    async def publish(self, subject: str, data: bytes) -> None:
        await self.call(lambda: self.log.publish(subject, data))

    async def request(self, subject: str, data: bytes, *, timeout: float) -> bytes:
        with anyio.move_on_after(timeout):
            return await self.call(lambda: self.log.request(subject, data, timeout=timeout))
        raise RequestTimeout(subject, "none came in time", maybe_received=True)

    @asynccontextmanager
    async def subscribe(self, subjects: str, *, group: str = "") -> AsyncIterator[AsyncIterator[LiveMessage]]:
        await self.mended()
        async with self.log.subscribe(subjects, group=group) as messages:
            yield self._heard(messages)

    async def _heard(self, messages: AsyncIterator[LiveMessage]) -> AsyncIterator[LiveMessage]:
        async for message in messages:
            await self.hop()
            if not self.is_cut:
                yield _Heard(self, message)

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        forget = self.log.on_reconnect(callback)
        self._on_mend.append(callback)

        def forget_both() -> None:
            forget()
            self._on_mend.remove(callback)

        return forget_both


@dataclass(frozen=True)
class _Heard:
    connection: Connection
    message: LiveMessage

    @property
    def subject(self) -> str:
        return self.message.subject

    @property
    def data(self) -> bytes:
        return self.message.data

    async def respond(self, data: bytes) -> None:
        await self.connection.call(lambda: self.message.respond(data))


class _Events:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._events = connection.log.events

    async def append(self, subject: str, commit: Commit, *, expected: Position) -> Position:
        return await self._connection.call(lambda: self._events.append(subject, commit, expected=expected), commit_id=commit.id)

    async def append_together(self, appends: Sequence[Append]) -> Position:
        return await self._connection.call(lambda: self._events.append_together(appends), commit_id=appends[0].commit.id)

    async def read(self, subject: str, *, after: Position = 0, at_least: Position = 0) -> list[Recorded]:
        return await self._connection.call(lambda: self._events.read(subject, after=after, at_least=at_least))

    async def last(self, subject: str) -> Recorded | None:
        return await self._connection.call(lambda: self._events.last(subject))

    async def last_of_each(self, subjects: str) -> list[Recorded]:
        return await self._connection.call(lambda: self._events.last_of_each(subjects))

    async def read_all(self, *, after: Position = 0, until: Position | None = None) -> AsyncIterator[Sequence[Recorded]]:
        async for batch in self._events.read_all(after=after, until=until):
            await self._connection.hop()
            yield batch

    async def at(self, position: Position) -> Recorded | None:
        return await self._connection.call(lambda: self._events.at(position))

    async def tail(self) -> LogTail:
        return await self._connection.call(self._events.tail)

    @asynccontextmanager
    async def follow(self, subjects: str, *, after: Position = 0) -> AsyncIterator[AsyncIterator[Sequence[Recorded]]]:
        await self._connection.mended()
        async with self._events.follow(subjects, after=after) as batches:
            yield self._followed(batches)

    async def _followed(self, batches: AsyncIterator[Sequence[Recorded]]) -> AsyncIterator[Sequence[Recorded]]:
        async for batch in batches:
            await self._connection.hop()
            await self._connection.mended()
            yield batch


class _Queues:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queues = connection.log.queues

    async def enqueue(self, item: WorkItem) -> None:
        await self._connection.call(lambda: self._queues.enqueue(item), commit_id="")

    async def set_timer(self, item: WorkItem, *, due: datetime) -> None:
        await self._connection.call(lambda: self._queues.set_timer(item, due=due), commit_id="")

    async def cancel_timer(self, run_id: str) -> None:
        await self._connection.call(lambda: self._queues.cancel_timer(run_id), commit_id="")

    async def is_waiting(self, run_id: str, *, generation: int = 0) -> bool:
        return await self._connection.call(lambda: self._queues.is_waiting(run_id, generation=generation))

    async def waiting_runs(self) -> set[str]:
        return await self._connection.call(self._queues.waiting_runs)

    async def undelivered(self, queue_id: str) -> int:
        return await self._connection.call(lambda: self._queues.undelivered(queue_id))

    def work_lost(self) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        return self._queues.work_lost()

    @asynccontextmanager
    async def bind(self, queue_id: str, *, lease_seconds: float, limit: int | None = None, at_once: int = 1) -> AsyncIterator[QueueBinding]:
        await self._connection.mended()
        async with self._queues.bind(queue_id, lease_seconds=lease_seconds, limit=limit) as binding:
            yield _Binding(self._connection, binding)


class _Binding:
    __hash__ = number_of

    def __init__(self, connection: Connection, binding: QueueBinding) -> None:
        self._connection = connection
        self._binding = binding

    def limit(self, number: int | None) -> None:
        self._binding.limit(number)

    def pause(self) -> None:
        self._binding.pause()

    def resume(self) -> None:
        self._binding.resume()

    def __aiter__(self) -> AsyncIterator[Delivery]:
        return self._arriving()

    async def _arriving(self) -> AsyncIterator[Delivery]:
        async for delivery in self._binding:
            await self._connection.hop()
            if not self._connection.is_cut:  # else it is lost on its way, and comes again after half a lease
                yield _Delivery(self._connection, delivery)


class _Delivery:
    __hash__ = number_of

    def __init__(self, connection: Connection, delivery: Delivery) -> None:
        self._connection = connection
        self._delivery = delivery
        self.item, self.offered_at, self.redelivered = delivery.item, delivery.offered_at, delivery.redelivered

    async def extend(self) -> None:
        await self._connection.call(self._delivery.extend)

    async def ack(self, *, confirmed: bool = True) -> None:
        await self._connection.call(lambda: self._delivery.ack(confirmed=confirmed), commit_id="")

    async def nack(self, *, delay_seconds: float = 0.0) -> None:
        await self._connection.call(lambda: self._delivery.nack(delay_seconds=delay_seconds), commit_id="")

    async def set_aside(self, reason: str) -> None:
        await self._connection.call(lambda: self._delivery.set_aside(reason), commit_id="")
