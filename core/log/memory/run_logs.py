"""What runs logged, in a list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

import anyio.lowlevel

from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.log_lines import decode_lines, encode_lines
from headwater.core.log.mailbox import Mailbox
from headwater.core.log.memory.clock import MemoryClock
from headwater.core.log.memory.interference import Interference
from headwater.core.log.protocol import LogLine, Recorded, RecordedLines, StreamSize


class MemoryRunLogs:
    """`RunLogs` in memory. Nothing is removed by age."""

    def __init__(self, clock: MemoryClock, interfere: Callable[[], Interference]) -> None:
        self._clock = clock
        self._interference = interfere
        self._stored: list[tuple[datetime, bytes]] = []
        self._recorded: list[RecordedLines] = []
        self._followers: set[Mailbox[None]] = set()

    async def write(self, run_id: str, attempt: int, lines: Sequence[LogLine]) -> Position:
        await anyio.lowlevel.checkpoint()
        self._interference()("write_lines", "asked", run_id)
        position = 0
        for data in encode_lines(lines):
            position = len(self._recorded) + 1
            now = self._clock.now()
            self._recorded.append(decode_lines(Recorded(position, subjects.run_log(run_id, attempt), now, data)))
            self._stored.append((now, data))
        for follower in self._followers:
            follower.wake()
        self._interference()("write_lines", "done", run_id)
        return position

    async def read(self, run_id: str, *, after: Position = 0) -> list[RecordedLines]:
        await anyio.lowlevel.checkpoint()
        return self.after(run_id, after)

    async def at(self, position: Position) -> RecordedLines | None:
        await anyio.lowlevel.checkpoint()
        return self._recorded[position - 1] if 0 < position <= len(self._recorded) else None

    async def bytes_at(self, position: Position) -> bytes | None:
        await anyio.lowlevel.checkpoint()
        return self._stored[position - 1][1] if 0 < position <= len(self._stored) else None

    def size(self) -> StreamSize:
        """Return how much there is."""
        ends = (self._stored[0][0], self._stored[-1][0]) if self._stored else (None, None)
        size = sum(len(data) for _, data in self._stored)
        return StreamSize(name="LOGS", messages=len(self._stored), bytes=size, first=ends[0], last=ends[1])

    def after(self, run_id: str | None, position: Position) -> list[RecordedLines]:
        return [recorded for recorded in self._recorded[position:] if run_id is None or recorded.run_id == run_id]

    def follow(
        self, run_id: str | None = None, *, after: Position = 0
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[RecordedLines]]]:
        return self._follow(run_id, after)

    @asynccontextmanager
    async def _follow(self, run_id: str | None, after: Position) -> AsyncIterator[AsyncIterator[Sequence[RecordedLines]]]:
        await anyio.lowlevel.checkpoint()
        news: Mailbox[None] = Mailbox()
        self._followers.add(news)
        try:
            yield _LinesFollower(self, news, run_id, after)
        finally:
            self._followers.discard(news)


class _LinesFollower:
    def __init__(self, logs: MemoryRunLogs, news: Mailbox[None], run_id: str | None, after: Position) -> None:
        self._logs = logs
        self._news = news
        self._run_id = run_id
        self._position = after

    def __aiter__(self) -> _LinesFollower:
        return self

    async def __anext__(self) -> Sequence[RecordedLines]:
        await anyio.lowlevel.checkpoint()
        while not (found := self._logs.after(self._run_id, self._position)):
            await self._news.wait()
        self._position = found[-1].position
        return found
