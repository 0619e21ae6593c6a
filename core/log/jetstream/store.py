"""Publishing what may be stored twice: sent until the broker confirms it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from headwater.core.errors import LogFull, LogUnavailable, NoAnswer
from headwater.core.log.jetstream import wire
from headwater.core.log.jetstream.api import ApiRefusal, Patience
from headwater.core.log.jetstream.connection import Connection

STORE_SECONDS = 15.0

_ANSWER_SECONDS = 3.0


async def store(
    connection: Connection,
    subject: str,
    data: bytes,
    *,
    headers: dict[str, str] | None = None,
    restore: Callable[[Connection], Awaitable[None]] | None = None,
) -> int:
    """Publish a message; return its sequence in the stream. On disk when this returns; once more where an answer was lost.

    `restore` makes the stream where nobody listens for want of it.

    Raises:
        LogFull: the broker has no room.
        CommitTooLarge: one message cannot hold it.
        LogUnavailable: no answer within seconds; it may be stored nevertheless.

    """
    patience = Patience(STORE_SECONDS)
    reason = ""
    while await patience.lasts():
        try:
            message = await connection.request(subject, data, timeout=min(patience.left, _ANSWER_SECONDS), headers=headers)
        except NoAnswer as error:
            reason = error.reason
            if restore is not None and not error.maybe_received:
                await restore(connection)
            continue
        except LogUnavailable as error:
            if connection.closed:
                raise
            reason = str(error)
            continue
        answer = wire.decode_acknowledgement(message.data)
        if answer.error is None:
            return answer.seq
        if answer.error.full:
            raise LogFull(answer.error.description)
        if not answer.error.passing:
            raise ApiRefusal(f"a message on {subject}", answer.error)
        reason = str(answer.error)
    raise LogUnavailable(connection.address, f"a message on {subject} was not confirmed; {reason}")
