"""Keeping what runs logged where it can be asked for: follows the stream of log lines, and lets old lines go."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import msgspec
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.core.errors import LogError
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log, RecordedLines, Unreadable
from headwater.core.queries import LogLinesAnnouncement
from headwater.projections.apply import tell_of_dead_letters
from headwater.projections.copied_table import CopiedTable
from headwater.projections.database import USUAL_TIMES, DatabaseTimes, connect, is_of_the_moment
from headwater.projections.follower import Follower
from headwater.projections.health import Health
from headwater.projections.schema import LOG_LINES_LOCK, Fenced
from headwater.projections.stored_values import text

logger = logging.getLogger("headwater.projections")

MESSAGES_AT_ONCE_MAX = 1_000
TIDY_SECONDS = 3600.0
_DELETED_AT_ONCE = 20_000
_encode = msgspec.json.Encoder().encode

_START = """
INSERT INTO headwater.log_checkpoint (log_identity) VALUES ($1)
ON CONFLICT (one) DO UPDATE SET log_identity = excluded.log_identity, position = CASE
    WHEN headwater.log_checkpoint.log_identity = excluded.log_identity THEN headwater.log_checkpoint.position ELSE 0 END
RETURNING position
"""
_MOVE = "UPDATE headwater.log_checkpoint SET position = $1 WHERE position = $2 AND log_identity = $3"
_NOTE_DEAD_LETTER = """
INSERT INTO headwater.log_dead_letters (position, subject, reason, recorded_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
_DELETE = """
DELETE FROM headwater.log_lines WHERE ctid = ANY(ARRAY(SELECT ctid FROM headwater.log_lines WHERE at < $1 LIMIT $2))
"""


@dataclass
class LogLines:
    """A service: brings log lines into the database as they come, and deletes those older than `retention_days`.

    Its checkpoint moves in the transaction of the lines, as the projector's does.
    """

    log: Log
    database_url: str
    retention_days: float = 7.0
    health: Health = field(default_factory=lambda: Health("The reader of log lines"))
    times: DatabaseTimes = USUAL_TIMES
    _follower: Follower = field(init=False)

    def __post_init__(self) -> None:
        self._follower = Follower(self.database_url, "log lines", LOG_LINES_LOCK, self.health, self.times)

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        # A caller that asks for lines is shown that they lag; it need not wait for this service to get that far.
        task_status.started()
        await self._follower.serve(self._follow)

    async def _follow(self, db: Any, group: TaskGroup) -> None:
        identity = (await self.log.events.tail()).identity
        position = await self._start(db, identity)

        async def write(batch: Sequence[RecordedLines]) -> Position:
            nonlocal position
            await self._write(db, batch, identity, seen=position)
            position = batch[-1].position
            return position

        group.start_soon(self._tidy)
        async with self.log.logs.follow(after=position) as batches:
            self.health.follows(group)
            await self._follower.write_batches(db, batches, MESSAGES_AT_ONCE_MAX, write, self._announce)

    async def _start(self, db: Any, identity: str) -> Position:
        async with db.transaction():
            position: Position = await db.fetchval(_START, identity)
            if not position:
                # From the first message on: what is there is of another log, or of a table that was emptied half-way.
                await db.execute("TRUNCATE headwater.log_lines, headwater.log_dead_letters")
        return position

    async def _write(self, db: Any, batch: Sequence[RecordedLines], identity: str, *, seen: Position) -> None:
        async with db.transaction():
            try:
                async with db.transaction():
                    await keep_lines(db, batch)
            except Exception as error:
                if is_of_the_moment(error):
                    raise
                await self._write_one_by_one(db, batch)
            if await db.execute(_MOVE, batch[-1].position, seen, identity) != "UPDATE 1":
                raise Fenced(f"The checkpoint of the log lines is no longer at position {seen}.")
        tell_of_dead_letters("log lines", [(each.position, each.unreadable.reason) for each in batch if each.unreadable is not None])

    async def _write_one_by_one(self, db: Any, batch: Sequence[RecordedLines]) -> None:
        """Write what can be written. What cannot is set aside, and stays readable in the stream for as long as that keeps it."""
        for lines in batch:
            try:
                async with db.transaction():
                    await keep_lines(db, [lines])
            except Exception as error:
                if is_of_the_moment(error):
                    raise
                logger.warning("Set aside the log lines at position %d of run %s: %s", lines.position, lines.run_id, error)
                why = Unreadable(subjects.run_log(lines.run_id, lines.attempt), lines.lines[0].at, f"They cannot be kept: {error}")
                await keep_lines(db, [lines._replace(lines=(), unreadable=why)])

    async def _announce(self, position: Position) -> None:
        try:
            await self.log.publish(subjects.LOG_LINES_POSITION, _encode(LogLinesAnnouncement(position)))
        except LogError as error:
            logger.debug("The position of log lines was not announced: %s", error)

    async def _tidy(self) -> None:
        """Delete lines that are too old, now and then, over a connection of its own so that new lines need not wait."""
        while True:
            async with connect(self.database_url, name="log retention", times=self.times) as db:
                before = datetime.now(UTC) - timedelta(days=self.retention_days)
                while await db.execute(_DELETE, before, _DELETED_AT_ONCE) == f"DELETE {_DELETED_AT_ONCE}":
                    pass
            await anyio.sleep(TIDY_SECONDS)


async def keep_lines(db: Any, batch: Sequence[RecordedLines]) -> None:
    """Write lines, and note the dead letters among them, in the transaction that is open on the connection."""
    await LOG_LINES.copy(db, _rows(batch))
    for lines in batch:
        if (why := lines.unreadable) is not None:
            await db.execute(_NOTE_DEAD_LETTER, lines.position, text(why.subject), text(why.reason), why.recorded_at)


LOG_LINES = CopiedTable(
    "log_lines",
    ("run_id", "position", "line", "attempt", "at", "level", "logger", "message", "task", "map_index"),
    schema="headwater",
)


def _rows(batch: Sequence[RecordedLines]) -> Iterator[tuple[Any, ...]]:
    for lines in batch:
        for number, line in enumerate(lines.lines):
            where = (lines.run_id, lines.position, number, lines.attempt)
            yield (*where, line.at, line.level, text(line.logger), text(line.message), text(line.task), line.map_index)
