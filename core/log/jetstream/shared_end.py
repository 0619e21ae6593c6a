"""One reader of the log's end for all in this program who follow all of it: the broker sends each commit once, and it is decoded once.

Who begins further back reads up to there by itself; so does one who is so slow that too much would have to be kept for it.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import anyio

from headwater.core.errors import LogUnavailable
from headwater.core.log.commit import Position
from headwater.core.log.jetstream.api import Backoff
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.ordered import OrderedReader, read_in_order
from headwater.core.log.jetstream.read import tail
from headwater.core.log.protocol import Recorded

KEPT_BYTES_MAX = 8 * 1024 * 1024
"""So much is kept for those who are slower than others."""
_BATCH = 2000

_log = logging.getLogger(__name__)


class SharedEnd:
    """The end of a stream, read once for all its followers, and not at all while it has none."""

    def __init__(self, connection: Connection, stream: str, subjects: str, *, kept_bytes_max: int = KEPT_BYTES_MAX) -> None:
        self._connection = connection
        self._stream = stream
        self._subjects = subjects
        self._kept_bytes_max = kept_bytes_max
        self._reading: _Reading | None = None
        self._joining = anyio.Lock()

    @asynccontextmanager
    async def follow(self, after: Position) -> AsyncIterator[EndFollower]:
        """Follow the stream; see `EventLog.follow` for the promise."""
        reading = await self._join()
        follower = EndFollower(self, reading, after)
        reading.followers.add(follower)
        try:
            yield follower
        finally:
            reading.followers.discard(follower)
            await follower.close()
            if not reading.followers and not reading.closed:
                reading.closed = True
                await reading.stack.aclose()

    async def _join(self) -> _Reading:
        """Return how the stream is read as it is now: one that was made again, or lost its last messages, is read by a new reader."""
        async with self._joining:
            reading = self._reading
            reached = reading.reader.position if reading is not None else 0
            end = await tail(self._connection, self._stream)
            if reading is None or reading.closed or end.identity != reading.identity or end.position < reached:
                stack = AsyncExitStack()
                reader = await stack.enter_async_context(self.read_alone(end.position))
                reading = self._reading = _Reading(reader, stack, end.identity, self._kept_bytes_max)
            return reading

    @property
    def closed(self) -> bool:
        """Whether the connection is over for good."""
        return self._connection.closed

    def read_alone(self, after: Position) -> AbstractAsyncContextManager[OrderedReader]:
        """Read the messages over `after`, for one follower or for all."""
        return read_in_order(self._connection, self._stream, self._subjects, after)


class _Reading:
    """What was read and not yet taken by all. One who finds nothing reads on; the others wait for what that brings."""

    def __init__(self, reader: OrderedReader, stack: AsyncExitStack, identity: str, kept_bytes_max: int) -> None:
        self.reader = reader
        self.stack = stack
        self.identity = identity
        self.followers: set[EndFollower] = set()
        self.closed = False
        self.kept_after = self.position = reader.position
        self._kept: list[Recorded] = []
        self._kept_bytes = 0
        self._kept_bytes_max = kept_bytes_max
        self._turn = anyio.Lock()

    async def next(self, after: Position) -> Sequence[Recorded]:
        """Return the next messages over `after`; none where they are kept no more."""
        while True:
            if after < self.kept_after:
                return ()
            if after < self.position:
                first = bisect_right(self._kept, after, key=_position)
                return self._kept[first : first + _BATCH]
            async with self._turn:
                if after >= self.position:
                    self._keep(await self.reader.next())

    def _keep(self, batch: Sequence[Recorded]) -> None:
        self._kept += batch
        self._kept_bytes += sum(len(recorded.data) for recorded in batch)
        self.position = batch[-1].position
        self._forget_up_to(min(each.position for each in self.followers if each.position >= self.kept_after))
        while self._kept_bytes > self._kept_bytes_max and len(self._kept) > len(batch):
            self._forget_up_to(self._kept[len(self._kept) // 2 - 1].position)

    def _forget_up_to(self, position: Position) -> None:
        count = bisect_right(self._kept, position, key=_position)
        if count:
            self.kept_after = self._kept[count - 1].position
            self._kept_bytes -= sum(len(recorded.data) for recorded in self._kept[:count])
            del self._kept[:count]


class EndFollower:
    """Each message over `after`, once, in order, in batches that belong to all followers. A cancelled wait loses nothing."""

    def __init__(self, end: SharedEnd, reading: _Reading, after: Position) -> None:
        self.position = after
        self._end = end
        self._reading = reading
        self._alone: OrderedReader | None = None
        self._stack = AsyncExitStack()

    def __aiter__(self) -> EndFollower:
        return self

    async def __anext__(self) -> Sequence[Recorded]:
        while True:
            if self.position < self._reading.kept_after:
                found = await self._next_alone()
            else:
                await self.close()
                found = await self._reading.next(self.position)
            # From here to the return nothing waits: a cancelled follower has taken nothing.
            if found:
                self.position = found[-1].position
                return found

    async def _next_alone(self) -> Sequence[Recorded]:
        """Return the next messages, up to what the others have read or beyond; none where there are no more up to there.

        Waits over outages, as long as they take.
        """
        backoff = Backoff(float("inf"))
        while await backoff.lasts():
            reached = self._reading.position
            try:
                if self._alone is None:
                    self._alone = await self._stack.enter_async_context(self._end.read_alone(self.position))
                found = await self._alone.next_up_to(reached)
            except LogUnavailable as error:
                if self._end.closed:
                    raise
                _log.debug("What lies behind position %d cannot be read now: %s", self.position, error)
                continue
            if not found:
                self.position = reached
            return found
        raise AssertionError("it lasts for ever")

    async def close(self) -> None:
        """Read no more alone."""
        if self._alone is not None:
            self._alone = None
            await self._stack.aclose()


def _position(recorded: Recorded) -> Position:
    return recorded.position
