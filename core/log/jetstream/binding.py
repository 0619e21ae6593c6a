"""The consumer of a queue in an agent: asks for one item at a time, waits as long as it takes, and asks nothing else while it waits."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable

import anyio
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from headwater.core.errors import CommitUnreadable, LogError, LogUnavailable
from headwater.core.log.jetstream import codec
from headwater.core.log.jetstream.api import ApiRefusal
from headwater.core.log.jetstream.codec import WORK
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.delivery import JetStreamDelivery
from headwater.core.log.jetstream.setting_aside import set_aside
from headwater.core.log.mailbox import Mailbox
from headwater.core.log.work_item import item_on

PULL_SECONDS = 300
HEARTBEAT_SECONDS = 15
_SILENCE_SECONDS = 2 * HEARTBEAT_SECONDS + 2
_PAUSE_SECONDS_MAX = 5.0
_RECONNECT_SECONDS = 60.0
_SEARCHED_AT_ONCE = 100
"""Where an item cannot be used, so many are asked for, until one can be: thousands of them must not keep the good ones waiting."""
_PULL_EXPIRED = "408"
_SET_ASIDE_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Binding:
    """`QueueBinding` by JetStream. `ensure_consumer` makes the queue's consumer where it is gone; `at_once` items are asked for."""

    def __init__(self, connection: Connection, queue_id: str, ensure_consumer: Callable[[], Awaitable[None]], at_once: int = 1) -> None:
        self._connection = connection
        self._queue_id = queue_id
        self._ensure_consumer = ensure_consumer
        self._at_once = at_once
        self._arrived: Mailbox[Msg] = Mailbox()
        self._inbox: Subscription | None = None
        self._paused = False
        self._due = 0  # so many items may still come of the question under way
        self._searching = False  # among items of which the last one could not be used
        self._trusted = True  # it is sure to be answered, sometime
        self._heard = 0.0
        self._refusals = 0
        self._unusable: deque[tuple[Msg, str]] = deque()
        self.limit_number: int | None = None

    def pause(self) -> None:
        self._paused = True
        self._arrived.wake()

    def resume(self) -> None:
        self._paused = False
        self._arrived.wake()

    def limit(self, number: int | None) -> None:
        if number != self.limit_number:
            self.limit_number = number
            self.ask_again()

    def ask_again(self) -> None:
        """The question under way may be forgotten: the connection was away, or the queue has another leader."""
        self._trusted = False
        self._arrived.wake()

    def failed(self, error: Exception) -> None:
        self._arrived.fail(error)

    def __aiter__(self) -> Binding:
        return self

    async def __anext__(self) -> JetStreamDelivery:
        while True:
            if self._paused:
                await self._stop_asking()
                if self._paused:
                    await self._arrived.wait()
                continue
            if self._due > self._at_once and not self._searching:
                await self._stop_asking()  # the search found one; what else it asked for is for others
            # Between an item's arrival and the return nothing waits: a cancelled wait has lost nothing.
            delivery = self._take()
            if delivery is not None:
                return delivery
            if self._unusable:
                await self._set_aside()
                continue
            if not self._due or not self._trusted:
                await self._ask()
            elif not await self._arrived.wait(self._silent_after()) and self._silent_after() <= 0:
                _log.debug("queue %s: nothing heard for %d s; asking again", self._queue_id, _SILENCE_SECONDS)
                self._trusted = False

    async def stop(self) -> None:
        """Stop asking, and give back what still arrived."""
        self._paused = True
        await self._stop_asking()
        if self._inbox is not None:
            await self._connection.unsubscribe(self._inbox)

    def _take(self) -> JetStreamDelivery | None:
        while self._arrived:
            message = self._arrived.take_first()
            self._heard = time.monotonic()
            if not message.reply:
                self._note_status(message)
                continue
            place = codec.delivered(message.reply)
            if place is None or place.consumer != self._queue_id:
                continue  # not from the queue: another program wrote to our inbox
            self._due = max(0, self._due - 1)
            self._refusals = 0
            try:
                delivery = JetStreamDelivery(self._connection, message, place, item_on(message.subject, message.data))
            except CommitUnreadable as error:
                self._unusable.append((message, error.reason))
                self._searching = True
            else:
                self._searching = False
                return delivery
        return None

    async def _set_aside(self) -> None:
        """Set aside what cannot be read. Where that cannot be done now, it comes again after half a lease."""
        found = [*self._unusable]
        self._unusable.clear()
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        _log.warning("An item of queue %s cannot be read, and is set aside: %s%s", self._queue_id, found[0][1], more)
        with anyio.move_on_after(_SET_ASIDE_SECONDS):
            async with anyio.create_task_group() as group:
                for message, reason in found:
                    group.start_soon(self._set_one_aside, message, reason)
        if self._connection.closed:
            raise self._connection.unavailable()

    async def _set_one_aside(self, message: Msg, reason: str) -> None:
        try:
            await set_aside(self._connection, message, reason)
        except LogError as error:
            _log.debug("An item of queue %s cannot be set aside now: %s", self._queue_id, error)

    def _note_status(self, message: Msg) -> None:
        said = codec.status(message)
        if self._inbox is None or message.subject != self._inbox.subject:
            return  # about a question of before
        if said == codec.HEARTBEAT:
            self._refusals = 0
            return
        self._due = 0
        if said != _PULL_EXPIRED:
            # The consumer is gone or has another leader, the server is about to end, or too many ask.
            _log.debug("queue %s: %s %s", self._queue_id, said, message.headers)
            self._trusted = False
            self._refusals += 1

    def _silent_after(self) -> float:
        return self._heard + _SILENCE_SECONDS - time.monotonic()

    async def _ask(self) -> None:
        try:
            if not self._connection.client.is_connected:
                await self._connection.wait_until_connected(_RECONNECT_SECONDS)
            if not self._trusted:
                await self._renew_trust()
            if self._inbox is None:
                self._inbox = await self._connection.subscribe(self._connection.new_inbox(), self._arrive)
            if not self._paused and self._trusted:
                self._heard = time.monotonic()
                self._due = max(_SEARCHED_AT_ONCE if self._searching else 1, self._at_once)
                question = _question(self._due)
                await self._connection.publish(f"$JS.API.CONSUMER.MSG.NEXT.{WORK}.{self._queue_id}", question, reply=self._inbox.subject)
        except (LogUnavailable, ApiRefusal) as error:
            if self._connection.closed:
                raise
            _log.debug("queue %s cannot be asked now: %s", self._queue_id, error)
            self._due, self._trusted = 0, False
            self._refusals += 1

    async def _renew_trust(self) -> None:
        """Leave the inbox of the question before, so that it dies if it still lives, and see that the consumer exists."""
        if self._refusals > 1:
            await self._arrived.wait(min(_PAUSE_SECONDS_MAX, 0.05 * 2 ** min(self._refusals, 10)))
        self._trusted = True
        renewed = False
        try:
            self._due = 0
            if self._inbox is not None:
                inbox, self._inbox = self._inbox, None
                await self._connection.drain(inbox)
            await self._ensure_consumer()
            renewed = True
        finally:
            self._trusted = self._trusted and renewed

    async def _stop_asking(self) -> None:
        if self._due and self._inbox is not None:
            inbox, self._inbox = self._inbox, None
            self._due = 0
            await self._connection.drain(inbox)
        for message in self._arrived.take_now():
            if message.reply:
                await self._give_back(message)

    async def _give_back(self, message: Msg) -> None:
        try:
            await self._connection.publish(message.reply, b"-NAK")
        except LogUnavailable as error:
            _log.debug("An item of queue %s comes again after half a lease: %s", self._queue_id, error)

    async def _arrive(self, message: Msg) -> None:
        self._arrived.put(message)


def _question(items: int) -> bytes:
    return json.dumps({"batch": items, "expires": PULL_SECONDS * 10**9, "idle_heartbeat": HEARTBEAT_SECONDS * 10**9}).encode()
