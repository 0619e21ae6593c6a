"""The facts, in a list."""

from __future__ import annotations

import uuid
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio.lowlevel

from headwater.core.errors import Conflict
from headwater.core.log.commit import Commit, Position
from headwater.core.log.edge import write_commit
from headwater.core.log.mailbox import Mailbox
from headwater.core.log.memory.clock import MemoryClock
from headwater.core.log.memory.interference import Interference
from headwater.core.log.protocol import Append, LogTail, Recorded, StreamSize
from headwater.core.log.subjects import is_literal, matches

_BATCH = 2000


class MemoryEvents:
    """`EventLog` in memory. Every operation gives others a turn before it takes effect and before it answers, as a network would."""

    def __init__(self, clock: MemoryClock, interfere: Callable[[], Interference], announce: Callable[[Recorded], None]) -> None:
        self._clock = clock
        self._interference = interfere
        self._announce = announce
        self._identity = str(uuid.uuid4())
        self._recorded: list[Recorded] = []
        self._by_subject: dict[str, list[Recorded]] = {}
        self._followers: set[Mailbox[None]] = set()

    async def append(self, subject: str, commit: Commit, *, expected: Position) -> Position:
        return await self._append([Append(subject, commit, expected)])

    async def append_together(self, appends: Sequence[Append]) -> Position:
        assert len({append.subject for append in appends}) == len(appends), "one commit per subject"
        return await self._append(appends)

    async def read(self, subject: str, *, after: Position = 0, at_least: Position = 0) -> list[Recorded]:  # noqa: ARG002 - nothing lags here
        await anyio.lowlevel.checkpoint()
        self._interference()("read", "asked", subject)
        return self._after(subject, after)

    async def last(self, subject: str) -> Recorded | None:
        await anyio.lowlevel.checkpoint()
        self._interference()("read", "asked", subject)
        history = self._by_subject.get(subject)
        return history[-1] if history else None

    async def last_of_each(self, subjects: str) -> list[Recorded]:
        await anyio.lowlevel.checkpoint()
        self._interference()("read", "asked", subjects)
        return sorted((history[-1] for subject, history in self._by_subject.items() if matches(subjects, subject)), key=_position)

    async def read_all(self, *, after: Position = 0, until: Position | None = None) -> AsyncIterator[Sequence[Recorded]]:
        await anyio.lowlevel.checkpoint()
        end = len(self._recorded) if until is None else min(until, len(self._recorded))
        while after < end:
            batch = self._recorded[after : min(after + _BATCH, end)]
            after = batch[-1].position
            yield batch
            await anyio.lowlevel.checkpoint()

    def follow(self, subjects: str, *, after: Position = 0) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Recorded]]]:
        return self._follow(subjects, after)

    async def tail(self) -> LogTail:
        await anyio.lowlevel.checkpoint()
        return LogTail(self._identity, len(self._recorded), self._clock.now())

    async def at(self, position: Position) -> Recorded | None:
        await anyio.lowlevel.checkpoint()
        return self._recorded[position - 1] if 0 < position <= len(self._recorded) else None

    def size(self) -> StreamSize:
        """Return how much there is."""
        ends = (self._recorded[0].recorded_at, self._recorded[-1].recorded_at) if self._recorded else (None, None)
        size = sum(len(recorded.data) for recorded in self._recorded)
        return StreamSize(name="EVENTS", messages=len(self._recorded), bytes=size, first=ends[0], last=ends[1])

    async def _append(self, appends: Sequence[Append]) -> Position:
        encoded = [write_commit(append.subject, append.commit) for append in appends]
        await anyio.lowlevel.checkpoint()
        subject = appends[0].subject
        self._interference()("append", "asked", subject)
        position = self._settled(appends)
        if position is None:
            now = self._clock.now()
            for append, data in zip(appends, encoded, strict=True):
                position = self._record(append.subject, Recorded(len(self._recorded) + 1, append.subject, now, data))
        assert position is not None
        await anyio.lowlevel.checkpoint()
        self._interference()("append", "done", subject)
        return position

    def _settled(self, appends: Sequence[Append]) -> Position | None:
        """Return the position these commits have already, None where they may be written.

        Raises:
            Conflict: another writer wrote there.

        """
        already: Position | None = None
        for append in appends:
            history = self._by_subject.get(append.subject, [])
            last = history[-1].position if history else 0
            if last == append.expected:
                continue
            following = self._after(append.subject, append.expected)
            if not following or following[0].commit_id != append.commit.id:
                raise Conflict(append.subject, expected=append.expected, found=last)
            already = following[0].position
        return already

    def plant(self, subject: str, data: bytes) -> Position:
        """Store any bytes, as one who does not go through this interface can."""
        return self._record(subject, Recorded(len(self._recorded) + 1, subject, self._clock.now(), data))

    def _record(self, subject: str, recorded: Recorded) -> Position:
        self._recorded.append(recorded)
        self._by_subject.setdefault(subject, []).append(recorded)
        self._announce(recorded)
        for follower in self._followers:
            follower.wake()
        return recorded.position

    def _after(self, pattern: str, after: Position) -> list[Recorded]:
        if is_literal(pattern):
            history = self._by_subject.get(pattern, [])
            return history[bisect_right(history, after, key=lambda recorded: recorded.position) :]
        return [recorded for recorded in self._recorded[after:] if matches(pattern, recorded.subject)]

    @asynccontextmanager
    async def _follow(self, pattern: str, after: Position) -> AsyncIterator[AsyncIterator[Sequence[Recorded]]]:
        await anyio.lowlevel.checkpoint()
        news: Mailbox[None] = Mailbox()
        self._followers.add(news)
        try:
            yield _Follower(lambda position: (self._after(pattern, position), len(self._recorded)), news, after)
        finally:
            self._followers.discard(news)


class _Follower:
    def __init__(self, read: Callable[[Position], tuple[list[Recorded], Position]], news: Mailbox[None], after: Position) -> None:
        self._read = read
        self._news = news
        self._position = after

    def __aiter__(self) -> _Follower:
        return self

    async def __anext__(self) -> Sequence[Recorded]:
        await anyio.lowlevel.checkpoint()
        while True:
            found, read_to = self._read(self._position)
            self._position = max(self._position, read_to)
            if found:
                return found
            await self._news.wait()


def _position(recorded: Recorded) -> Position:
    return recorded.position
