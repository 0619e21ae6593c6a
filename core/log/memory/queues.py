"""Work items and timers, in memory, with the broker's habits: an item not renewed is offered again, a newer timer replaces the older."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio.lowlevel

from headwater.core.log import subjects
from headwater.core.log.dead_letters import dead_letter
from headwater.core.log.mailbox import Mailbox
from headwater.core.log.memory.clock import MemoryClock
from headwater.core.log.memory.interference import Interference, Operation
from headwater.core.log.protocol import DeadLetters, QueueBinding, StreamSize, WorkItem
from headwater.core.log.work_item import decode_item, encode_item


@dataclass(eq=False)
class _Stored:
    """An item in the stream."""

    queue_id: str
    data: bytes
    offered_at: datetime
    deliveries: int = 0
    until: datetime | None = None  # held by an agent, or held back, until then


@dataclass(eq=False)
class _Queue:
    ready: deque[_Stored] = field(default_factory=deque)
    held: list[_Stored] = field(default_factory=list)
    half_lease: timedelta = timedelta(seconds=5)
    limit: int | None = None


@dataclass(frozen=True)
class _Timer:
    due: datetime
    order: int
    queue_id: str
    data: bytes
    set_at: datetime


class MemoryQueues:
    """`RunQueues` in memory."""

    def __init__(self, clock: MemoryClock, interfere: Callable[[], Interference], dead_letters: DeadLetters) -> None:
        self.dead_letters = dead_letters
        self._clock = clock
        self._interference = interfere
        self._queues: dict[str, _Queue] = {}
        self._timers: dict[str, _Timer] = {}
        self._timers_set = 0
        self._waiting: set[Mailbox[None]] = set()
        self._loss_listeners: set[Mailbox[None]] = set()

    def now(self) -> datetime:
        return self._clock.now()

    async def enqueue(self, item: WorkItem) -> None:
        data = encode_item(item)
        await self._asked("offer", item.run_id)
        self._publish(_Stored(item.queue_id, data, self._clock.now()))
        await self._done("offer", item.run_id)

    async def set_timer(self, item: WorkItem, *, due: datetime) -> None:
        data = encode_item(item)
        await self._asked("set_timer", item.run_id)
        self.settle()
        self._timers_set += 1
        self._timers[item.run_id] = _Timer(due, self._timers_set, item.queue_id, data, self._clock.now())
        self._wake()
        await self._done("set_timer", item.run_id)

    async def cancel_timer(self, run_id: str) -> None:
        await self._asked("cancel_timer", run_id)
        self.settle()
        self._timers.pop(run_id, None)
        await self._done("cancel_timer", run_id)

    async def is_waiting(self, run_id: str, *, generation: int = 0) -> bool:
        await anyio.lowlevel.checkpoint()
        return any(item.run_id == run_id and item.generation >= generation for item in self._items())

    async def undelivered(self, queue_id: str) -> int:
        await anyio.lowlevel.checkpoint()
        self.settle()
        return len(self._queues[queue_id].ready) if queue_id in self._queues else 0

    async def waiting_runs(self) -> set[str]:
        await anyio.lowlevel.checkpoint()
        return {item.run_id for item in self._items()}

    def _items(self) -> Iterator[WorkItem]:
        """Yield what is in the queues, held by an agent or not, and what the timers will put there."""
        self.settle()
        for timer in self._timers.values():
            yield decode_item(timer.data)
        for queue in self._queues.values():
            for stored in (*queue.ready, *queue.held):
                yield decode_item(stored.data)

    def size(self) -> StreamSize:
        """Return how much there is."""
        self.settle()
        stored = [each for queue in self._queues.values() for each in (*queue.ready, *queue.held)]
        kept = [(each.offered_at, len(each.data)) for each in stored]
        kept += [(timer.set_at, len(timer.data)) for timer in self._timers.values()]
        moments = [at for at, _ in kept]
        return StreamSize(
            name="WORK",
            messages=len(kept),
            bytes=sum(length for _, length in kept),
            first=min(moments, default=None),
            last=max(moments, default=None),
        )

    def work_lost(self) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        return self._losses()

    def lose_everything(self) -> None:
        """Do what the deletion of the broker's stream does: every item and every timer is gone."""
        for queue in self._queues.values():
            queue.ready.clear()
            queue.held.clear()
        self._timers.clear()
        self.tell_of_loss()

    def tell_of_loss(self) -> None:
        """Let those who listen know that something may have been lost."""
        for listener in self._loss_listeners:
            listener.put(None)

    def bind(
        self,
        queue_id: str,
        *,
        lease_seconds: float,
        limit: int | None = None,
        at_once: int = 1,  # noqa: ARG002 - here an item needs no asking
    ) -> AbstractAsyncContextManager[QueueBinding]:
        return self._bind(queue_id, timedelta(seconds=lease_seconds / 2), limit)

    def limit(self, queue_id: str, number: int | None) -> None:
        """Let at most so many items of the queue be in anybody's hands."""
        self._queues.setdefault(queue_id, _Queue()).limit = number
        self._wake()

    def next_due(self) -> datetime | None:
        """Return when the next timer fires or the next unrenewed item is offered again; None where nothing is due ever."""
        dues = [timer.due for timer in self._timers.values()]
        dues += [stored.until for queue in self._queues.values() for stored in queue.held if stored.until is not None]
        return min(dues, default=None)

    def settle(self) -> None:
        """Let everything happen that is due by now, in the order in which it was due."""
        now = self._clock.now()
        for run_id, timer in sorted(self._timers.items(), key=lambda entry: (entry[1].due, entry[1].order)):
            if timer.due <= now:
                del self._timers[run_id]
                self._publish(_Stored(timer.queue_id, timer.data, timer.due))
        for queue in self._queues.values():
            over = [stored for stored in queue.held if stored.until is not None and stored.until <= now]
            for stored in reversed(over):
                self._offer_again(queue, stored)

    def forget_deliveries(self) -> None:
        """Offer everything that agents hold once more, as if for the first time: what a killed broker does."""
        for queue in self._queues.values():
            for stored in reversed(queue.held):
                stored.deliveries = 0
                self._offer_again(queue, stored)

    def take(self, queue_id: str) -> MemoryDelivery | None:
        """Hand the queue's next item to the agent that asks."""
        self.settle()
        queue = self._queues.setdefault(queue_id, _Queue())
        if not queue.ready or (queue.limit is not None and len(queue.held) >= queue.limit):
            return None
        stored = queue.ready.popleft()
        stored.deliveries += 1
        stored.until = self._clock.now() + queue.half_lease
        queue.held.append(stored)
        return MemoryDelivery(self, stored)

    async def extend(self, stored: _Stored) -> None:
        await self._asked("renew", stored.queue_id)
        self.settle()
        queue = self._queues[stored.queue_id]
        if stored in queue.held:
            stored.until = self._clock.now() + queue.half_lease

    async def finish(self, stored: _Stored) -> None:
        await self._asked("finish", stored.queue_id)
        queue = self._queues[stored.queue_id]
        for place in (queue.held, queue.ready):
            if stored in place:
                place.remove(stored)
        self._wake()
        await self._done("finish", stored.queue_id)

    async def nack(self, stored: _Stored, delay: timedelta) -> None:
        await self._asked("nack", stored.queue_id)
        queue = self._queues[stored.queue_id]
        if stored in queue.held:
            stored.until = self._clock.now() + delay
            self.settle()
            self._wake()

    def _publish(self, stored: _Stored) -> None:
        self._queues.setdefault(stored.queue_id, _Queue()).ready.append(stored)
        self._wake()

    def _offer_again(self, queue: _Queue, stored: _Stored) -> None:
        queue.held.remove(stored)
        stored.until = None
        queue.ready.appendleft(stored)
        self._wake()

    def _wake(self) -> None:
        for mailbox in self._waiting:
            mailbox.wake()

    async def _asked(self, operation: Operation, subject: str) -> None:
        await anyio.lowlevel.checkpoint()
        self._interference()(operation, "asked", subject)

    async def _done(self, operation: Operation, subject: str) -> None:
        await anyio.lowlevel.checkpoint()
        self._interference()(operation, "done", subject)

    @asynccontextmanager
    async def _losses(self) -> AsyncIterator[AsyncIterator[None]]:
        await anyio.lowlevel.checkpoint()
        news: Mailbox[None] = Mailbox(limit=1)
        self._loss_listeners.add(news)
        try:
            yield _Losses(news)
        finally:
            self._loss_listeners.discard(news)

    @asynccontextmanager
    async def _bind(self, queue_id: str, half_lease: timedelta, limit: int | None) -> AsyncIterator[QueueBinding]:
        await anyio.lowlevel.checkpoint()
        self._queues.setdefault(queue_id, _Queue()).half_lease = half_lease
        self.limit(queue_id, limit)
        news: Mailbox[None] = Mailbox()
        self._waiting.add(news)
        try:
            yield _Binding(self, self._clock, queue_id, news)
        finally:
            self._waiting.discard(news)


class _Losses:
    def __init__(self, news: Mailbox[None]) -> None:
        self._news = news

    def __aiter__(self) -> _Losses:
        return self

    async def __anext__(self) -> None:
        await self._news.take()
        self._news.take_now()


class _Binding:
    def __init__(self, queues: MemoryQueues, clock: MemoryClock, queue_id: str, news: Mailbox[None]) -> None:
        self._queues = queues
        self._clock = clock
        self._queue_id = queue_id
        self._news = news
        self._paused = False

    def pause(self) -> None:
        self._paused = True
        self._news.wake()

    def resume(self) -> None:
        self._paused = False
        self._news.wake()

    def limit(self, number: int | None) -> None:
        self._queues.limit(self._queue_id, number)

    def __aiter__(self) -> _Binding:
        return self

    async def __anext__(self) -> MemoryDelivery:
        await anyio.lowlevel.checkpoint()
        while True:
            delivery = None if self._paused else self._queues.take(self._queue_id)
            if delivery is not None:
                return delivery
            await self._clock.wait(self._news, None if self._paused else self._queues.next_due())


class MemoryDelivery:
    """`Delivery` in memory."""

    def __init__(self, queues: MemoryQueues, stored: _Stored) -> None:
        self._queues = queues
        self._stored = stored
        self.item = decode_item(stored.data)
        self.redelivered = stored.deliveries > 1

    def __repr__(self) -> str:
        return f"<MemoryDelivery of run {self.item.run_id}>"

    @property
    def offered_at(self) -> datetime:
        return self._stored.offered_at

    async def extend(self) -> None:
        await self._queues.extend(self._stored)

    async def ack(self, *, confirmed: bool = True) -> None:  # noqa: ARG002 - it always is
        await self._queues.finish(self._stored)

    async def nack(self, *, delay_seconds: float = 0.0) -> None:
        await self._queues.nack(self._stored, timedelta(seconds=delay_seconds))

    async def set_aside(self, reason: str) -> None:
        now = self._queues.now()
        subject = subjects.scheduled(self.item.queue_id, self.item.run_id)
        await self._queues.dead_letters.keep(dead_letter(subject, self._stored.data, reason, reported_by="memory", at=now))
        await self._queues.finish(self._stored)
