"""Publishing what may be stored twice: sent until the broker confirms it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from headwater.core.errors import LogFull, LogNotWritable, LogUnavailable, RequestTimeout
from headwater.core.log.jetstream import codec
from headwater.core.log.jetstream.api import ApiRefusal, Backoff
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.diagnosis import log_health, why_not_writable


async def store(
    connection: Connection,
    subject: str,
    data: bytes,
    *,
    stream: str,
    headers: dict[str, str] | None = None,
    restore: Callable[[Connection], Awaitable[None]] | None = None,
) -> int:
    """Publish a message; return its sequence in `stream`. On disk when this returns; once more where an answer was lost.

    `restore` makes the stream where a request finds no listener because it is gone.

    Raises:
        LogFull: the broker has no room.
        CommitTooLarge: one message cannot hold it.
        LogUnavailable: no answer within seconds; `maybe_stored` tells whether it may be stored nevertheless.
        LogNotWritable: the same, and it is known why.

    """
    backoff = Backoff(connection.times.call_seconds)
    reason = ""
    uncertain = False
    while await backoff.lasts():
        try:
            answer = await connection.ask(subject, data, codec.acknowledgement, timeout=backoff.answer_seconds(), headers=headers)
        except RequestTimeout as error:
            reason = error.reason
            uncertain = uncertain or error.maybe_received
            if restore is not None and not error.maybe_received:
                await restore(connection)
            health = await log_health(connection, backoff.left) if error.maybe_received else None
            if health is not None and stream in health.refusing:
                raise LogFull(health.problem or reason) from None
            continue
        except LogUnavailable as error:
            if connection.closed:
                raise
            reason = str(error)
            continue
        if answer.error is None:
            return answer.seq
        if answer.error.full:
            raise LogFull(answer.error.description)
        if not answer.error.passing:
            raise ApiRefusal(f"a message on {subject}", answer.error)
        reason = str(answer.error)
    problem = await why_not_writable(connection)
    unconfirmed = f"a message on {subject} was not confirmed; {reason}"
    unavailable = LogUnavailable(connection.address, unconfirmed) if problem is None else LogNotWritable(connection.address, problem)
    unavailable.maybe_stored = uncertain
    raise unavailable
