"""What runs logged, on the stream LOGS: several lines to a message, kept by age."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.jetstream.codec import LOGS
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.ordered import OrderedReader, read_in_order
from headwater.core.log.jetstream.read import message_at, read_subject
from headwater.core.log.jetstream.store import store
from headwater.core.log.jetstream.streams import ensure_logs
from headwater.core.log.log_lines import decode_lines, encode_lines
from headwater.core.log.protocol import LogLine, RecordedLines
from headwater.core.values.identifiers import new_id


class JetStreamRunLogs:
    """`RunLogs` by JetStream."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def write(self, run_id: str, attempt: int, lines: Sequence[LogLine]) -> Position:
        position = 0
        for data in encode_lines(lines):
            # The id lets the broker drop what is sent once more because an answer was lost.
            position = await store(
                self._connection,
                subjects.run_log(run_id, attempt),
                data,
                stream=LOGS,
                headers={"Nats-Msg-Id": new_id()},
                restore=ensure_logs,
            )
        return position

    async def read(self, run_id: str, *, after: Position = 0) -> list[RecordedLines]:
        found = await read_subject(self._connection, subjects.run_log_all(run_id), after=after, stream=LOGS)
        return [decode_lines(message) for message in found]

    async def at(self, position: Position) -> RecordedLines | None:
        message = await message_at(self._connection, LOGS, position)
        return None if message is None else decode_lines(message)

    async def bytes_at(self, position: Position) -> bytes | None:
        message = await message_at(self._connection, LOGS, position)
        return None if message is None else message.data

    def follow(
        self, run_id: str | None = None, *, after: Position = 0
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[RecordedLines]]]:
        followed = subjects.RUN_LOGS_ALL if run_id is None else subjects.run_log_all(run_id)
        return _follow(self._connection, followed, after)


class _LinesFollower:
    def __init__(self, reader: OrderedReader) -> None:
        self._reader = reader

    def __aiter__(self) -> _LinesFollower:
        return self

    async def __anext__(self) -> Sequence[RecordedLines]:
        return [decode_lines(message) for message in await self._reader.next()]


@asynccontextmanager
async def _follow(connection: Connection, followed: str, after: Position) -> AsyncIterator[AsyncIterator[Sequence[RecordedLines]]]:
    async with read_in_order(connection, LOGS, followed, after, restore=ensure_logs) as reader:
        yield _LinesFollower(reader)
