"""Dead letters, on the stream DEAD."""

from __future__ import annotations

from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.dead_letters import DeadLetter, decode_dead_letter, encode_dead_letter
from headwater.core.log.jetstream.api import ApiRefusal, ask_api
from headwater.core.log.jetstream.codec import DEAD, ApiAnswer
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.read import message_at, read_subject
from headwater.core.log.jetstream.store import store
from headwater.core.log.jetstream.streams import StreamInfo, ensure_dead, stream_info
from headwater.core.log.protocol import KeptLetter, Recorded

_NOT_THERE = {10037, 10043, 10057}  # as one node says it, and a cluster


class JetStreamDeadLetters:
    """`DeadLetters` by JetStream."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def keep(self, letter: DeadLetter) -> Position:
        # The id lets the broker drop what is found, or sent, once more.
        headers = {"Nats-Msg-Id": letter.id}
        return await store(
            self._connection, subjects.DEAD_WORK, encode_dead_letter(letter), stream=DEAD, headers=headers, restore=ensure_dead
        )

    async def read(self, *, newest: int | None = None) -> list[KeptLetter]:
        last = (await self._info()).state.last_seq
        after = 0 if newest is None else max(0, last - newest)
        return [_kept(message) for message in await read_subject(self._connection, subjects.DEAD_ALL, after=after, stream=DEAD)]

    async def count(self) -> int:
        return (await self._info()).state.messages

    async def get(self, position: Position) -> DeadLetter | None:
        message = await message_at(self._connection, DEAD, position)
        return None if message is None else _kept(message).letter

    async def _info(self) -> StreamInfo:
        try:
            return await stream_info(self._connection, DEAD)
        except ApiRefusal as refusal:
            if not refusal.not_found:
                raise
            await ensure_dead(self._connection)
            return await stream_info(self._connection, DEAD)

    async def remove(self, position: Position) -> None:
        try:
            await ask_api(self._connection, f"STREAM.MSG.DELETE.{DEAD}", {"seq": position}, ApiAnswer)
        except ApiRefusal as refusal:
            if refusal.error.err_code not in _NOT_THERE:
                raise


def _kept(message: Recorded) -> KeptLetter:
    return KeptLetter(message.position, decode_dead_letter(message.data, subject=message.subject, at=message.recorded_at))
