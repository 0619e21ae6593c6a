"""Following one subject: the live feed tells what comes, and the log itself is read wherever the feed may have missed something.

The feed is at most once. It is not believed after a reconnection, after the election of a new leader (a killed leader may have stored
what it did not announce any more), and after a while of silence.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from nats.aio.msg import Msg

from headwater.core.errors import LogUnavailable
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.jetstream import codec
from headwater.core.log.jetstream.api import Backoff
from headwater.core.log.jetstream.codec import EVENTS
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.ordered import OrderedReader, read_in_order
from headwater.core.log.jetstream.read import last_on_leader, read_subject
from headwater.core.log.mailbox import Mailbox
from headwater.core.log.protocol import Recorded

LOOK_SECONDS = 20.0
"""After so long without news the log is asked whether there are any."""

_LEADER_ELECTED = f"$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.{EVENTS}"

_log = logging.getLogger(__name__)


class SubjectFollower:
    """Each commit of one subject over `after`, once, in order. A cancelled wait loses nothing."""

    def __init__(self, connection: Connection, subject: str, after: Position) -> None:
        self._connection = connection
        self._subject = subject
        self._position = after
        self._sure = after  # the log itself has told of all up to here
        self._told: set[Position] = set()  # what the feed told beyond it
        self._announced: Mailbox[Msg] = Mailbox()
        self._found: list[Recorded] = []
        self._doubtful = False

    def __aiter__(self) -> SubjectFollower:
        return self

    async def __anext__(self) -> Sequence[Recorded]:
        while True:
            if self._doubtful:
                await self._look_patiently()
            # From here to the return nothing waits: a cancelled reader has taken nothing.
            fresh = self._take()
            if fresh:
                return fresh
            if not self._doubtful and not await self._announced.wait(LOOK_SECONDS):
                self._doubtful = True

    def announced(self, message: Msg) -> None:
        self._announced.put(message)

    def doubt(self) -> None:
        """Look into the log before the feed is believed again."""
        self._doubtful = True
        self._announced.wake()

    def failed(self, error: Exception) -> None:
        self._announced.fail(error)

    async def look(self) -> None:
        """Read what the log holds over the position reached, up to what its leader knows.

        Raises:
            LogUnavailable: it cannot be read now.

        """
        last = await last_on_leader(self._connection, self._subject)
        # A position beyond the last one is one that another program wrote to the feed, and the log does not hold.
        after = self._position if last >= self._position else self._sure
        if last > after:
            found = await read_subject(self._connection, self._subject, after=after, at_least=last)
            self._found += [recorded for recorded in found if recorded.position not in self._told]
            last = max(last, found[-1].position)
        self._sure = self._position = max(self._sure, last)
        self._told = {position for position in self._told if position > self._sure}

    async def _look_patiently(self) -> None:
        backoff = Backoff(float("inf"))
        while self._doubtful and await backoff.lasts():
            self._doubtful = False
            looked = False
            try:
                await self.look()
                looked = True
            except LogUnavailable as error:
                if self._connection.closed:
                    raise
                _log.debug("%s cannot be read now: %s", self._subject, error)
            finally:
                self._doubtful = self._doubtful or not looked

    def _take(self) -> list[Recorded]:
        fresh, self._found = self._found, []
        for message in self._announced.take_now():
            announced = codec.announced(message)
            if announced is None:
                _log.debug("Not a message of the live feed on %s", message.subject)
                continue
            position = announced.recorded.position
            if position <= self._sure or position in self._told:
                continue
            follows = announced.previous == self._position or announced.previous <= self._sure == self._position
            if position < self._position or not follows:
                self._doubtful = True
                continue
            fresh.append(announced.recorded)
            self._position = position
            self._told.add(position)
        return fresh


class OrderedFollower:
    """What an ordered reader reads, as an iterator."""

    def __init__(self, reader: OrderedReader) -> None:
        self._reader = reader

    def __aiter__(self) -> OrderedFollower:
        return self

    async def __anext__(self) -> Sequence[Recorded]:
        return await self._reader.next()


@asynccontextmanager
async def follow_subjects(connection: Connection, followed: str, after: Position) -> AsyncIterator[AsyncIterator[Sequence[Recorded]]]:
    """Follow facts; see `EventLog.follow` for the promise."""
    if subjects.is_literal(followed):
        async with _follow_one(connection, followed, after) as follower:
            yield follower
    else:
        async with read_in_order(connection, EVENTS, followed, after) as reader:
            yield OrderedFollower(reader)


@asynccontextmanager
async def _follow_one(connection: Connection, subject: str, after: Position) -> AsyncIterator[SubjectFollower]:
    follower = SubjectFollower(connection, subject, after)

    async def announced(message: Msg) -> None:
        follower.announced(message)

    async def elected(_: Msg) -> None:
        follower.doubt()

    async with AsyncExitStack() as stack:
        for listened, callback in ((subjects.live(subject), announced), (_LEADER_ELECTED, elected)):
            subscription = await connection.subscribe(listened, callback)
            stack.push_async_callback(connection.unsubscribe, subscription)
        stack.callback(connection.on_reconnect(follower.doubt))
        stack.callback(connection.on_close(follower.failed))
        # The server we talk to knows of the subscription after a flush; the leader does when it has answered behind it.
        await connection.flush()
        await follower.look()
        yield follower
