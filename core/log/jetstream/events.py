"""The facts, on the stream EVENTS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

from headwater.core.log.commit import Commit, Position
from headwater.core.log.jetstream.append import append_batch, append_commit
from headwater.core.log.jetstream.codec import EVENTS
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.follow import follow_subjects
from headwater.core.log.jetstream.ordered import read_in_order
from headwater.core.log.jetstream.read import last_message, message_at, read_subject, tail
from headwater.core.log.jetstream.shared_end import SharedEnd
from headwater.core.log.protocol import Append, LogTail, Recorded
from headwater.core.log.subjects import EVENTS_ALL


class JetStreamEvents:
    """`EventLog` by JetStream."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._end = SharedEnd(connection, EVENTS, EVENTS_ALL)

    async def append(self, subject: str, commit: Commit, *, expected: Position) -> Position:
        return await append_commit(self._connection, Append(subject, commit, expected))

    async def append_together(self, appends: Sequence[Append]) -> Position:
        return await append_batch(self._connection, appends)

    async def read(self, subject: str, *, after: Position = 0, at_least: Position = 0) -> list[Recorded]:
        return await read_subject(self._connection, subject, after=after, at_least=at_least)

    async def last(self, subject: str) -> Recorded | None:
        return await last_message(self._connection, subject)

    async def last_of_each(self, subjects: str) -> list[Recorded]:
        last = (await tail(self._connection)).position
        found: dict[str, Recorded] = {}
        async with read_in_order(self._connection, EVENTS, subjects, 0, only_last=True) as reader:
            while reader.position < last and (batch := await reader.next_up_to(last)):
                for recorded in batch:
                    found.pop(recorded.subject, None)
                    found[recorded.subject] = recorded
        return list(found.values())

    async def read_all(self, *, after: Position = 0, until: Position | None = None) -> AsyncIterator[Sequence[Recorded]]:
        last = (await tail(self._connection)).position
        end = last if until is None else min(until, last)
        if after >= end:
            return
        async with read_in_order(self._connection, EVENTS, EVENTS_ALL, after) as reader:
            while reader.position < end and (batch := await reader.next_up_to(end)):
                yield batch if batch[-1].position <= end else [recorded for recorded in batch if recorded.position <= end]

    def follow(self, subjects: str, *, after: Position = 0) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Recorded]]]:
        return self._end.follow(after) if subjects == EVENTS_ALL else follow_subjects(self._connection, subjects, after)

    async def tail(self) -> LogTail:
        return await tail(self._connection)

    async def at(self, position: Position) -> Recorded | None:
        return await message_at(self._connection, EVENTS, position)
