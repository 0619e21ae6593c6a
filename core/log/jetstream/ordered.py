"""Messages of a stream in order and without gaps, by a consumer that lives in the broker's memory and may vanish at any time.

The broker sends what was asked for with raw pull requests, one of them ahead while nothing comes, two while messages do. Each message
carries its number in the order of delivery; where one is missing, or nothing at all is heard (the broker beats while it waits), a new
consumer starts after the last message that was taken. So a killed broker, a lost connection and a lost message all look the same from
outside: a pause.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache

import anyio
from nats.aio.msg import Msg

from headwater.core.errors import LogUnavailable
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.jetstream import codec
from headwater.core.log.jetstream.api import ApiRefusal, Backoff, ask_api
from headwater.core.log.jetstream.codec import ApiAnswer
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.read import next_on_leader
from headwater.core.log.mailbox import Mailbox
from headwater.core.log.protocol import Recorded
from headwater.core.values.identifiers import new_id

_PULL = 2000
# Two pulls of this size fit well within what the server buffers for a client (8 MB) before it gives it up as too slow.
_PULL_BYTES = 2 * 1024 * 1024
_PULL_SECONDS = 300
_BEAT_SECONDS = 10
_QUICK_BEAT_SECONDS = 1
"""In a cluster the consumer may be on a node that dies while the connection, to another one, lives: only silence tells. Elsewhere the
connection ends with the consumer, which is heard at once. Who reads up to a position learns by a beat that nothing more comes."""
_SILENT_BEATS = 2.5
_INACTIVE_SECONDS = 30
_SECOND = 10**9

Restore = Callable[[Connection], Awaitable[None]]

_log = logging.getLogger(__name__)


class _ConsumerMade(ApiAnswer, frozen=True):
    num_pending: int = 0


class OrderedReader:
    """Reads on after `position`. Made by `read_in_order`; `next` may be cancelled and called again."""

    def __init__(
        self,
        connection: Connection,
        stream: str,
        subjects: str,
        after: Position,
        restore: Restore | None = None,
        *,
        only_last: bool = False,
    ) -> None:
        self.position = after
        self._connection = connection
        self._stream = stream
        self._subjects = subjects
        self._restore = restore
        self._only_last = only_last
        self._arrived: Mailbox[Msg] = Mailbox()
        self._inbox = connection.new_inbox()
        self._consumer = ""  # empty: there is none, or it is not trusted any more
        self._former = ""  # the one that was given up
        self._order = 0
        self._pulls = 0
        self._due = 0
        self._pending = 0
        self._beat_seconds = _QUICK_BEAT_SECONDS

    async def start(self) -> None:
        """Return when the consumer exists.

        Raises:
            LogUnavailable: it could not be made within seconds.

        """
        await self._start_consumer()

    async def next(self) -> Sequence[Recorded]:
        """Return the next messages, at least one, waiting for them as long as it takes."""
        return await self._next(None)

    async def next_up_to(self, last: Position) -> Sequence[Recorded]:
        """Return the next messages, at least one; none where the stream holds no more up to this position.

        A stream may hold less than its last position says: a crash tore its last block, or an operator purged it.

        Raises:
            LogUnavailable: the stream's leader cannot be asked whether that is so.

        """
        return await self._next(last)

    async def _next(self, last: Position | None) -> Sequence[Recorded]:
        idle = False
        while True:
            if not self._consumer:
                await self._start_patiently()
            # A message that cannot be read any more counts among those that are to come, and never does: so its beats are heeded, too.
            if last is not None and (idle or not self._pending) and await self._holds_no_more(last):
                return ()
            await self._keep_pulls_ahead(quick=last is not None or self._connection.in_cluster)
            heard = await self._arrived.wait(_SILENT_BEATS * self._beat_seconds)
            if not heard:
                if self._connection.client.is_connected:
                    _log.debug("%s: nothing heard of %s; starting again after %d", self._stream, self._consumer, self.position)
                self._give_up()
                continue
            # From here to the return nothing waits: a cancelled reader has taken nothing.
            taken = self._accept(self._arrived.take_now())
            if taken:
                return taken
            idle = True

    async def stop(self) -> None:
        """Let the broker forget the consumer."""
        self._give_up()
        await self._delete_former()

    def arrived(self, message: Msg) -> None:
        self._arrived.put(message)

    def failed(self, error: Exception) -> None:
        self._arrived.fail(error)

    def distrust(self) -> None:
        """Start again after the last message taken: the connection was away, and no pull survives that."""
        self._give_up()
        self._arrived.wake()

    def _give_up(self) -> None:
        if self._consumer:
            self._former, self._consumer = self._consumer, ""

    async def _delete_former(self) -> None:
        """Let the broker forget the consumer that was given up: it would keep it for half a minute, and of a large stream that is dear."""
        if self._former and self._connection.client.is_connected:
            former, self._former = self._former, ""
            await self._connection.publish(f"$JS.API.CONSUMER.DELETE.{self._stream}.{former}")

    def _accept(self, messages: list[Msg]) -> list[Recorded]:
        taken: list[Recorded] = []
        for message in messages:
            if not message.reply:
                self._note_status(message)
                continue
            place = codec.delivered(message.reply)
            if place is None or place.consumer != self._consumer:
                continue
            if place.order != self._order + 1:
                _log.debug("%s: message %d of %s is missing", self._stream, self._order + 1, self._consumer)
                self._give_up()
                continue
            self._order = place.order
            self._due -= 1
            self._pending = place.pending
            self.position = place.position
            taken.append(Recorded(place.position, message.subject, place.at, message.data))
        return taken

    def _note_status(self, message: Msg) -> None:
        said = codec.status(message)
        if said == codec.HEARTBEAT or not subjects.matches(f"{self._inbox}.{self._consumer}.*", message.subject):
            return
        headers = message.headers or {}
        if said == _PULL_EXPIRED or headers.get("Description") in _PULL_ENDED:
            self._due -= _whole(headers.get("Nats-Pending-Messages"), _PULL)
        else:
            _log.debug("%s: %s of %s", self._stream, headers.get("Description", said), self._consumer)
            # The consumer is gone, its leader has changed, or no node serves it.
            self._give_up()

    async def _keep_pulls_ahead(self, *, quick: bool) -> None:
        while self._consumer and self._due < _PULL and self._connection.client.is_connected:
            self._pulls += 1
            self._due += _PULL
            self._beat_seconds = _QUICK_BEAT_SECONDS if quick else _BEAT_SECONDS
            await self._connection.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}",
                _pull_request(self._beat_seconds),
                reply=f"{self._inbox}.{self._consumer}.{self._pulls}",
            )

    async def _holds_no_more(self, last: Position) -> bool:
        """Ask the stream's leader whether it has anything on these subjects up to this position: a replica may lag behind it."""
        if len(self._arrived):
            return False
        following = await next_on_leader(self._connection, self._subjects, after=self.position, stream=self._stream)
        return following is None or following.position > last

    async def _start_patiently(self) -> None:
        backoff = Backoff(float("inf"))
        while await backoff.lasts():
            try:
                await self._start_consumer()
            except LogUnavailable as error:
                if self._connection.closed:
                    raise
                _log.debug("%s cannot be read now: %s", self._stream, error)
            else:
                return

    async def _start_consumer(self) -> None:
        name = f"reader-{new_id()}"
        config = {
            "name": name,
            "filter_subject": self._subjects,
            "ack_policy": "none",
            "max_deliver": 1,
            "replay_policy": "instant",
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": _INACTIVE_SECONDS * _SECOND,
        }
        if self._only_last and not self.position:
            config["deliver_policy"] = "last_per_subject"
        else:
            config |= {"deliver_policy": "by_start_sequence", "opt_start_seq": self.position + 1}
        question = {"stream_name": self._stream, "config": config, "action": "create"}
        operation = f"CONSUMER.CREATE.{self._stream}.{name}.{self._subjects}"
        try:
            made = await ask_api(self._connection, operation, question, _ConsumerMade)
        except ApiRefusal as refusal:
            if refusal.not_found and self._restore is not None:
                await self._restore(self._connection)
                made = await ask_api(self._connection, operation, question, _ConsumerMade)
            elif refusal.error.err_code == _CONSUMER_EXISTS:  # made by the question whose answer was lost
                made = _ConsumerMade(type="")
            else:
                raise
        await self._delete_former()
        self._consumer = name
        self._pending = made.num_pending
        self._order = self._pulls = self._due = 0


@cache
def _pull_request(beat_seconds: int) -> bytes:
    wanted = {"batch": _PULL, "max_bytes": _PULL_BYTES, "expires": _PULL_SECONDS * _SECOND, "idle_heartbeat": beat_seconds * _SECOND}
    return json.dumps(wanted).encode()


_PULL_EXPIRED = "408"
_PULL_ENDED = frozenset({"Message Size Exceeds MaxBytes", "Batch Completed"})
"""How the broker says of a pull with a limit of bytes that it has ended: before the limit, or with all of its messages, of which the last
one comes after these words. The consumer lives on."""
_CONSUMER_EXISTS = 10148


def _whole(text: str | None, otherwise: int) -> int:
    """Return the number in a header; anyone may write to an inbox."""
    return int(text) if text is not None and re.fullmatch("[0-9]{1,9}", text) else otherwise


@asynccontextmanager
async def read_in_order(
    connection: Connection,
    stream: str,
    subjects: str,
    after: Position,
    *,
    restore: Restore | None = None,
    only_last: bool = False,
) -> AsyncIterator[OrderedReader]:
    """Read the stream's messages on these subjects over `after`; ready when it is entered.

    `restore` makes the stream where it was deleted, now or while it is read. With `only_last`, and after 0, no message of a subject need
    come but its last one; what is sent again after an interruption comes as it is.

    Raises:
        LogUnavailable: the stream cannot be read now.

    """
    reader = OrderedReader(connection, stream, subjects, after, restore, only_last=only_last)

    async def arrived(message: Msg) -> None:
        reader.arrived(message)

    subscription = await connection.subscribe(f"{reader._inbox}.>", arrived)  # noqa: SLF001 - one of a kind with its reader
    forget = [connection.on_reconnect(reader.distrust), connection.on_close(reader.failed)]
    try:
        await reader.start()
        yield reader
    finally:
        for each in forget:
            each()
        with anyio.move_on_after(1, shield=True):
            await connection.unsubscribe(subscription)
            await reader.stop()
