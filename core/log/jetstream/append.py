"""Appending: conditional always, and certain in the end. A reply that was lost is found by looking for our own commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from headwater.core.errors import (
    CommitTooLarge,
    Conflict,
    LogError,
    LogFull,
    LogNotWritable,
    LogUnavailable,
    OutcomeUnknown,
    RequestTimeout,
)
from headwater.core.log.codec import COMMIT_BYTES_MAX
from headwater.core.log.commit import Position
from headwater.core.log.edge import write_commit
from headwater.core.log.health import LogHealth
from headwater.core.log.jetstream import codec
from headwater.core.log.jetstream.api import ApiRefusal, Backoff
from headwater.core.log.jetstream.codec import EVENTS
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.diagnosis import log_health, why_not_writable
from headwater.core.log.jetstream.read import last_on_leader, next_on_leader
from headwater.core.log.protocol import Append
from headwater.core.values.identifiers import new_id

_Send = Callable[[float], Awaitable[codec.Acknowledgement]]


async def append_commit(connection: Connection, append: Append) -> Position:
    """Append one commit; see `EventLog.append` for the promise."""
    data = write_commit(append.subject, append.commit)
    headers = {codec.EXPECTED: str(append.expected)}

    async def send(timeout: float) -> codec.Acknowledgement:
        return await connection.ask(append.subject, data, codec.acknowledgement, timeout=timeout, headers=headers)

    return await _settle(connection, [append], send, len(data))


async def append_batch(connection: Connection, appends: Sequence[Append]) -> Position:
    """Append commits to different subjects, all or none; see `EventLog.append_together` for the promise."""
    assert len({append.subject for append in appends}) == len(appends), "one commit per subject"
    if len(appends) == 1:
        return await append_commit(connection, appends[0])
    encoded = [write_commit(append.subject, append.commit) for append in appends]

    async def send(timeout: float) -> codec.Acknowledgement:
        batch = new_id()
        for number, (append, data) in enumerate(zip(appends, encoded, strict=True), start=1):
            headers = {codec.EXPECTED: str(append.expected), "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number < len(appends):
                # Only the first is answered (empty where it was accepted), so that a refused batch is known at once.
                if number == 1:
                    refused = await connection.ask(append.subject, data, codec.acknowledgement_or_nothing, timeout=timeout, headers=headers)
                    if refused is not None:
                        return refused
                else:
                    await connection.publish(append.subject, data, headers=headers)
            else:
                headers["Nats-Batch-Commit"] = "1"
                return await connection.ask(append.subject, data, codec.acknowledgement, timeout=timeout, headers=headers)
        raise AssertionError("a batch ends with its last message")

    return await _settle(connection, appends, send, sum(map(len, encoded)))


async def _settle(connection: Connection, appends: Sequence[Append], send: _Send, size: int) -> Position:
    """Send until it is certain what became of it."""
    uncertain = False
    reason = ""
    health: LogHealth | None = None
    backoff = Backoff(connection.times.call_seconds)
    while await backoff.lasts():
        try:
            if uncertain and (position := await _written(connection, appends, backoff.left)) is not None:
                return position
            answer = await send(backoff.answer_seconds(connection.times.append_answer_seconds))
        except RequestTimeout as error:
            uncertain = uncertain or error.maybe_received
            reason = error.reason
            if error.maybe_received:
                health = await log_health(connection, backoff.left) or health
                if health is not None and EVENTS in health.refusing:
                    return await _refused_by_storage(connection, appends, health.problem or reason)
            continue
        except LogUnavailable as error:
            if connection.closed and not uncertain:
                raise
            reason = str(error)
            continue
        if answer.error is None:
            return answer.seq
        if answer.error.conflict:
            position = await _written(connection, appends, backoff.left, found=answer.error.found)
            if position is not None:
                return position
            # Refused because of a message in flight, which is not stored yet or never will be.
        elif (refused := await _refused(connection, answer.error, appends[0].subject, size)) is not None:
            raise refused
        reason = str(answer.error)
    problem = await why_not_writable(connection)
    if uncertain:
        told = health if problem is None else LogHealth(problem=problem)
        raise OutcomeUnknown(appends[-1].commit.id, reason, log_problem=(told.words if told is not None else None) or "")
    nothing = f"nothing was written; {reason}"
    raise LogUnavailable(connection.address, nothing) if problem is None else LogNotWritable(connection.address, problem)


async def _refused_by_storage(connection: Connection, appends: Sequence[Append], refusal: str) -> Position:
    """Return the position that our commits got before the storage failed.

    Raises:
        LogFull: they got none, and get none any more: a storage that failed drops what was sent to it.
        Conflict: another writer wrote there.

    """
    position = await _written(connection, appends, connection.times.call_seconds)
    if position is None:
        raise LogFull(refusal)
    return position


async def _refused(connection: Connection, error: codec.ApiError, subject: str, size: int) -> LogError | None:
    """Return the error that this refusal means; None where the same may succeed a moment later."""
    if error.full:
        return LogFull(error.description)
    if error.batch_lost and (health := await log_health(connection, connection.times.append_answer_seconds)) is not None and health.full:
        return LogFull(health.problem or error.description)
    if error.passing:
        return None
    if error.too_large:
        return CommitTooLarge(size, COMMIT_BYTES_MAX)
    return ApiRefusal(f"a message on {subject}", error)


async def _written(connection: Connection, appends: Sequence[Append], seconds: float, *, found: Position | None = None) -> Position | None:
    """Return the position our commits got, None where nothing was written on their subjects since.

    Raises:
        Conflict: another writer wrote there.

    """
    ours: Position | None = None
    for append in appends:
        following = await next_on_leader(connection, append.subject, after=append.expected, seconds=seconds)
        if following is None:
            continue
        if following.commit_id != append.commit.id:
            named = found if found is not None and found > following.position else following.position
            raise Conflict(append.subject, expected=append.expected, found=named)
        ours = following.position
    if ours is None and found is not None:
        # Nothing follows, yet the broker named another position: the caller expects what was never there.
        for append in appends:
            last = await last_on_leader(connection, append.subject)
            if last != append.expected:
                raise Conflict(append.subject, expected=append.expected, found=last)
    return ours
