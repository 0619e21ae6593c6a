"""A work item in somebody's hands: renewed, done with, or given back."""

from __future__ import annotations

import json
from datetime import datetime

from headwater.core.errors import LogUnavailable, NoAnswer
from headwater.core.log.jetstream import wire
from headwater.core.log.jetstream.api import ApiAnswer, ApiRefusal, Patience, ask_api
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.streams import WORK
from headwater.core.log.protocol import WorkItem

_DONE_SECONDS = 15.0
_ANSWER_SECONDS = 3.0


class JetStreamDelivery:
    """`Delivery` by JetStream. Serves as long as the connection, also after its binding has ended."""

    def __init__(self, connection: Connection, reply: str, item: WorkItem) -> None:
        self._connection = connection
        self._reply = reply
        self._place = wire.delivered(reply)
        self.item = item

    def __repr__(self) -> str:
        return f"<JetStreamDelivery {self._place.position} of run {self.item.run_id}>"

    @property
    def offered_at(self) -> datetime:
        return self._place.at

    @property
    def redelivered(self) -> bool:
        return self._place.deliveries > 1

    async def renew(self) -> None:
        await self._connection.publish(self._reply, b"+WPI")

    async def done(self) -> None:
        patience = Patience(_DONE_SECONDS)
        reason = ""
        while await patience.lasts():
            try:
                await self._connection.request(self._reply, b"+ACK", timeout=min(patience.left, _ANSWER_SECONDS))
            except NoAnswer as error:
                if not error.maybe_received:
                    # The consumer has ended (or the server has just begun): the item itself is removed.
                    await self._remove()
                    return
                reason = error.reason
            except LogUnavailable as error:
                if self._connection.closed:
                    raise
                reason = str(error)
            else:
                return
        raise LogUnavailable(self._connection.address, f"the end of run {self.item.run_id} was not confirmed; {reason}")

    async def give_back(self, *, delay_seconds: float = 0.0) -> None:
        delay = json.dumps({"delay": int(delay_seconds * 10**9)}) if delay_seconds > 0 else ""
        await self._connection.publish(self._reply, f"-NAK {delay}".strip().encode())

    async def _remove(self) -> None:
        try:
            await ask_api(self._connection, f"STREAM.MSG.DELETE.{WORK}", {"seq": self._place.position, "no_erase": True}, ApiAnswer)
        except ApiRefusal as refusal:
            if refusal.error.err_code not in _GONE:
                raise


_GONE = {10043, 10057, 10037, 10059}  # the message is not there any more, or the whole stream is not
