"""Reading one subject, and the leader's word on what a replica may not know yet."""

from __future__ import annotations

import json

from headwater.core.errors import LogUnavailable, RequestTimeout
from headwater.core.log.commit import Position
from headwater.core.log.jetstream import codec
from headwater.core.log.jetstream.api import ApiRefusal, Backoff, ask_api
from headwater.core.log.jetstream.codec import EVENTS, ApiAnswer
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.streams import stream_info
from headwater.core.log.protocol import LogTail, Recorded

_BATCH = 1000
_BATCH_BYTES = 2 * 1024 * 1024
_SILENCE_SECONDS = 3.0


class _MessageGot(ApiAnswer, frozen=True):
    message: codec.StoredMessage | None = None

    def __post_init__(self) -> None:
        if (self.message is None) == (self.error is None):
            raise ValueError("a message or an error is missing")


async def next_on_leader(
    connection: Connection, subject: str, *, after: Position, stream: str = EVENTS, seconds: float | None = None
) -> Recorded | None:
    """Return the first message of the subject over `after` as the stream's leader knows it, None where it knows none.

    Raises:
        LogUnavailable: the leader does not answer.

    """
    return await _leader(connection, stream, {"seq": after + 1, "next_by_subj": subject}, seconds)


async def last_message(connection: Connection, subject: str, *, stream: str = EVENTS) -> Recorded | None:
    """Return the subject's last message as the stream's leader knows it, None where it knows none."""
    return await _leader(connection, stream, {"last_by_subj": subject})


async def last_on_leader(connection: Connection, subject: str, *, stream: str = EVENTS) -> Position:
    """Return the position of the subject's last message as the stream's leader knows it, 0 where it knows none."""
    last = await last_message(connection, subject, stream=stream)
    return last.position if last else 0


async def message_at(connection: Connection, stream: str, position: Position) -> Recorded | None:
    """Return the message at this position as the stream's leader knows it, None where there is none any more."""
    return await _leader(connection, stream, {"seq": position})


async def _leader(connection: Connection, stream: str, question: dict[str, object], seconds: float | None = None) -> Recorded | None:
    try:
        got = await ask_api(connection, f"STREAM.MSG.GET.{stream}", question, _MessageGot, seconds=seconds)
    except ApiRefusal as refusal:
        if refusal.error.err_code != _NO_MESSAGE:
            raise
        return None
    assert got.message is not None
    return codec.recorded_of_stored(got.message)


_NO_MESSAGE = 10037


async def tail(connection: Connection, stream: str = EVENTS) -> LogTail:
    """Return which stream this is and its last position, by its leader."""
    info = await stream_info(connection, stream)
    return LogTail(identity=info.identity, position=info.state.last_seq, now=codec.moment(info.ts) if info.ts else None)


async def read_subject(
    connection: Connection, subjects: str, *, after: Position = 0, at_least: Position = 0, stream: str = EVENTS
) -> list[Recorded]:
    """Return the messages of the subjects over `after`, in order, up to `at_least` or further.

    In a cluster any replica may answer, and it may lag behind what was acknowledged a moment ago: there its leader is asked for what
    follows.

    Raises:
        LogUnavailable: no answer within seconds.

    """
    found: list[Recorded] = []
    reason = ""
    backoff = Backoff(connection.times.call_seconds)
    while await backoff.lasts():
        reached = found[-1].position if found else after
        try:
            found += await _read_replica(connection, stream, subjects, reached)
        except RequestTimeout as error:
            reason = error.reason
            continue
        reached = found[-1].position if found else after
        if reached >= at_least and not connection.in_cluster:
            return found
        while (missing := await next_on_leader(connection, subjects, after=reached, stream=stream)) is not None:
            found.append(missing)
            reached = missing.position
        # The leader knows no more of this subject; unless it is a new leader that has not heard of everything yet, that is all.
        if reached >= at_least or (await tail(connection, stream)).position >= at_least:
            return found
        reason = f"the log does not reach position {at_least}"
    raise LogUnavailable(connection.address, f"{subjects} cannot be read; {reason}")


async def _read_replica(connection: Connection, stream: str, subjects: str, after: Position) -> list[Recorded]:
    found: list[Recorded] = []
    while True:
        question = json.dumps({"seq": after + 1, "next_by_subj": subjects, "batch": _BATCH, "max_bytes": _BATCH_BYTES}).encode()
        messages, end = await connection.collect(
            f"$JS.API.DIRECT.GET.{stream}", question, codec.recorded_of_headers, silence_seconds=_SILENCE_SECONDS
        )
        found += messages
        if end.status != codec.END_OF_BATCH or not end.pending or not messages:
            return found
        after = found[-1].position
