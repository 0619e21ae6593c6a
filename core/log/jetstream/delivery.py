"""A work item that an agent holds: renewed, done with, or given back."""

from __future__ import annotations

import json
from datetime import datetime

from nats.aio.msg import Msg

from headwater.core.errors import LogUnavailable, RequestTimeout
from headwater.core.log.jetstream import codec
from headwater.core.log.jetstream.api import ApiRefusal, ask_api
from headwater.core.log.jetstream.codec import WORK, ApiAnswer
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.read import message_at
from headwater.core.log.jetstream.setting_aside import set_aside
from headwater.core.log.protocol import WorkItem

_ANSWER_SECONDS = 2.0


class JetStreamDelivery:
    """`Delivery` by JetStream. Serves as long as the connection, also after its binding has ended."""

    def __init__(self, connection: Connection, message: Msg, place: codec.Delivered, item: WorkItem) -> None:
        self._connection = connection
        self._message = message
        self._reply = message.reply
        self._place = place
        self.item = item

    def __repr__(self) -> str:
        return f"<JetStreamDelivery {self._place.position} of run {self.item.run_id}>"

    @property
    def offered_at(self) -> datetime:
        return self._place.at

    @property
    def redelivered(self) -> bool:
        return self._place.deliveries > 1

    async def extend(self) -> None:
        await self._connection.publish(self._reply, b"+WPI")

    async def ack(self, *, confirmed: bool = True) -> None:
        if not confirmed:
            await self._connection.publish(self._reply, b"+ACK")
            return
        try:
            await self._connection.ask(self._reply, b"+ACK", lambda _: None, timeout=_ANSWER_SECONDS)
        except (RequestTimeout, LogUnavailable):
            # The connection broke, or the consumer is not the one that handed the item out: it has ended, or its server was killed and
            # forgot. Then the item itself is removed.
            await self._remove()

    async def nack(self, *, delay_seconds: float = 0.0) -> None:
        delay = json.dumps({"delay": int(delay_seconds * 10**9)}) if delay_seconds > 0 else ""
        await self._connection.publish(self._reply, f"-NAK {delay}".strip().encode())

    async def set_aside(self, reason: str) -> None:
        await set_aside(self._connection, self._message, reason)

    async def _remove(self) -> None:
        try:
            there = await message_at(self._connection, WORK, self._place.position)
            # A stream that was lost and made again counts from 1 again: another item may lie at this position.
            if there is not None and there.recorded_at == self._place.at:
                await ask_api(self._connection, f"STREAM.MSG.DELETE.{WORK}", {"seq": self._place.position, "no_erase": True}, ApiAnswer)
        except ApiRefusal as refusal:
            if refusal.error.err_code not in _GONE:
                raise


_GONE = {10043, 10057, 10059}  # the message is not there any more, or the whole stream is not
