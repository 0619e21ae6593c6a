"""Dead letters: listed from where each kind is kept, shown with their bytes, and tried once more when someone asks for that.

Of facts and log lines the position and the reason are in the database and the bytes in the log; work items are kept whole in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headwater.core.errors import CommandRejected, CommitUnreadable, InvalidArgument, LogError, NotFound
from headwater.core.events import UnknownEvent, event_type
from headwater.core.hints import ListDeadLettersAction, hint
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import KeptLetter, Log, Recorded
from headwater.core.log.work_item import decode_item
from headwater.core.operations.run_lookup import load_run
from headwater.core.queries import DeadLetterDetail, DeadLetterRow, DeadLetterSource, RetryOutcome, RetryRow
from headwater.core.values.plain_values import position_in
from headwater.projections.database import connect
from headwater.projections.fold.batch import fold_batch
from headwater.projections.fold.known_run import KnownRun
from headwater.projections.log_lines import keep_lines
from headwater.projections.reader import ViewsReader
from headwater.projections.rebuilder import Rebuilder

SHOWN_BYTES_MAX = 64 * 1024
_HINT = hint("{} lists them.", ListDeadLettersAction())

_FACTS = """
SELECT position, subject, event, reason, recorded_at FROM set_aside WHERE $1::bigint IS NULL OR position = $1
ORDER BY position DESC LIMIT $2
"""
_LINES = """
SELECT position, subject, '' AS event, reason, recorded_at FROM headwater.log_dead_letters WHERE $1::bigint IS NULL OR position = $1
ORDER BY position DESC LIMIT $2
"""
_FORGET_LINES = "DELETE FROM headwater.log_dead_letters WHERE position = $1"


@dataclass(frozen=True)
class DeadLetterDesk:
    """What is asked about dead letters, answered. Every method raises LogError, ViewsUnavailable or DATABASE_ERRORS where one is away."""

    log: Log
    reader: ViewsReader
    database_url: str
    rebuilder: Rebuilder

    async def rows(self, source: str | None, limit: int) -> list[DeadLetterRow]:
        """Return dead letters, the newest first, at most so many; only those of one source, where one is given.

        Raises:
            InvalidArgument: that is not a source.

        """
        if source is not None and source not in set(DeadLetterSource):
            raise InvalidArgument(f"{source!r} is not a source of dead letters.", hint=f"They are {', '.join(DeadLetterSource)}.")
        found = await self._find(None if source is None else DeadLetterSource(source), None, max(0, limit))
        return sorted(found, key=lambda row: row.recorded_at, reverse=True)[: max(0, limit)]

    async def detail(self, key: str) -> DeadLetterDetail:
        """Return one with its bytes.

        Raises:
            NotFound: there is none of this key.

        """
        row = await self._one(key)
        data = await self._bytes(row)
        fields = {name: getattr(row, name) for name in row.__struct_fields__}
        size = row.size if row.size is not None or data is None else len(data)
        return DeadLetterDetail(**{**fields, "size": size}, data=None if data is None else data[:SHOWN_BYTES_MAX])

    async def retry(self, key: str) -> RetryRow:
        """Try the message once more, and tell what came of it. What is still bad stays as it is.

        Raises:
            NotFound: there is none of this key.

        """
        row = await self._one(key)
        match row.source:
            case DeadLetterSource.EVENTS:
                outcome, message = await self._retry_fact(row)
            case DeadLetterSource.LOGS:
                outcome, message = await self._retry_lines(row)
            case DeadLetterSource.WORK:
                outcome, message = await self._retry_item(row)
        return RetryRow(key=row.key, outcome=outcome, message=message)

    async def _find(self, source: DeadLetterSource | None, position: Position | None, limit: int) -> list[DeadLetterRow]:
        found: list[DeadLetterRow] = []
        if source is not DeadLetterSource.WORK:
            async with self.reader.snapshot() as (db, _):
                for kind, statement in ((DeadLetterSource.EVENTS, _FACTS), (DeadLetterSource.LOGS, _LINES)):
                    if source in {None, kind}:
                        found += [_row(kind, dict(each)) for each in await db.fetch(statement, position, limit)]
        if source in {None, DeadLetterSource.WORK}:
            found += await self._items(position, limit)
        return found

    async def _items(self, position: Position | None, limit: int) -> list[DeadLetterRow]:
        if position is None:
            kept = await self.log.dead_letters.read(newest=limit)
        else:
            letter = await self.log.dead_letters.get(position)
            kept = [] if letter is None else [KeptLetter(position, letter)]
        return [
            DeadLetterRow(
                key=f"{DeadLetterSource.WORK}:{each.position}",
                source=DeadLetterSource.WORK,
                position=each.position,
                subject=each.letter.subject,
                event="",
                reason=each.letter.reason,
                recorded_at=each.letter.at,
                reported_by=each.letter.reported_by,
                size=each.letter.size,
            )
            for each in kept
        ]

    async def _one(self, key: str) -> DeadLetterRow:
        found = await self._find(*_parsed(key), 1)
        if not found:
            raise NotFound("dead letter", key, hint=_HINT)
        return found[0]

    async def _bytes(self, row: DeadLetterRow) -> bytes | None:
        match row.source:
            case DeadLetterSource.EVENTS:
                recorded = await self.log.events.at(row.position)
                return None if recorded is None else recorded.data
            case DeadLetterSource.LOGS:
                return await self.log.logs.bytes_at(row.position)
            case DeadLetterSource.WORK:
                letter = await self.log.dead_letters.get(row.position)
                return None if letter is None else letter.data

    async def _retry_fact(self, row: DeadLetterRow) -> tuple[RetryOutcome, str]:
        recorded = await self.log.events.at(row.position)
        if recorded is None:
            return RetryOutcome.GONE, "The log holds no message at this position."
        if (dead := recorded.dead_letter) is not None:
            return RetryOutcome.UNREADABLE, f"This version cannot read it either: {dead.reason}"
        if unknown := sorted({event_type(event) for event in recorded.events if isinstance(event, UnknownEvent)}):
            return RetryOutcome.UNREADABLE, f"This version does not know {', '.join(unknown)} either."
        is_of_run = subjects.address(recorded.subject).kind == "run"
        if is_of_run and (reason := contradiction(await self._history(recorded), recorded)) is not None:
            return RetryOutcome.REFUSED, f"It can be read, and still contradicts what was before it: {reason}"
        progress = await self.rebuilder.start()
        if progress.state == "failed":
            return RetryOutcome.REFUSED, f"It can be read, but the views cannot be rebuilt to give it its place: {progress.reason}"
        return (
            RetryOutcome.REBUILDING,
            f"It can be read now. The views are being rebuilt ({progress.schema}), and it is applied in its place.",
        )

    async def _history(self, recorded: Recorded) -> Sequence[Recorded]:
        return [each for each in await self.log.events.read(recorded.subject) if each.position <= recorded.position]

    async def _retry_lines(self, row: DeadLetterRow) -> tuple[RetryOutcome, str]:
        lines = await self.log.logs.at(row.position)
        if lines is not None and lines.unreadable is not None:
            return RetryOutcome.UNREADABLE, f"This version cannot read it either: {lines.unreadable.reason}"
        async with connect(self.database_url, name="dead letters") as db, db.transaction():
            await db.execute(_FORGET_LINES, row.position)
            if lines is None:
                return RetryOutcome.GONE, "The log keeps it no longer; it is off the list."
            await keep_lines(db, [lines])
        return RetryOutcome.APPLIED, f"{len(lines.lines)} log lines of run {lines.run_id} are shown now."

    async def _retry_item(self, row: DeadLetterRow) -> tuple[RetryOutcome, str]:
        letter = await self.log.dead_letters.get(row.position)
        if letter is None:
            return RetryOutcome.GONE, "It is kept no longer."
        try:
            item = decode_item(letter.data)
        except CommitUnreadable as error:
            return RetryOutcome.UNREADABLE, f"This version cannot read it either: {error.reason}"
        if item.creation is None:
            try:
                await load_run(self.log.events, item.run_id)
            except CommandRejected as error:
                return RetryOutcome.REFUSED, f"It can be read, but wakes no run: {error}"
        await self.log.queues.enqueue(item)
        await self.log.dead_letters.remove(row.position)
        return RetryOutcome.OFFERED, f"It was put back into queue {item.queue_id}, for run {item.run_id}."


def contradiction(history: Sequence[Recorded], recorded: Recorded) -> str | None:
    """Return why the last commit of this history of a run cannot be applied, or None where it can."""
    known: dict[str, KnownRun] = {}
    changes = fold_batch(history, known)
    return next((dead.reason for dead in changes.dead_letters if dead.position == recorded.position), None)


def _row(source: DeadLetterSource, fields: dict[str, Any]) -> DeadLetterRow:
    return DeadLetterRow(key=f"{source}:{fields['position']}", source=source, **fields)


def _parsed(key: str) -> tuple[DeadLetterSource, Position]:
    """Read `events:17`; a bare number is a position among the facts."""
    source, _, number = key.rpartition(":")
    position = position_in(number)
    if not position or (source and source not in set(DeadLetterSource)):
        named = ", ".join(f"{each}:17" for each in DeadLetterSource)
        raise InvalidArgument(f"{key!r} names no dead letter.", hint=f"Dead letters are named like {named}. {_HINT}")
    return DeadLetterSource(source or DeadLetterSource.EVENTS), position


async def kept_work_count(log: Log) -> int:
    """Return how many work items lie among the dead letters; 0 where the log cannot tell."""
    try:
        return await log.dead_letters.count()
    except LogError:
        return 0
