"""Messages that are stored nowhere: publish, ask, listen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from nats.aio.msg import Msg

from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.mailbox import Mailbox
from headwater.core.log.protocol import LiveMessage

_WAITING_MESSAGES_MAX = 65_536


class _Heard:
    def __init__(self, connection: Connection, message: Msg) -> None:
        self._connection = connection
        self._reply = message.reply
        self.subject = message.subject
        self.data = message.data

    async def respond(self, data: bytes) -> None:
        if self._reply:
            await self._connection.publish(self._reply, data)


class _Listener:
    def __init__(self, heard: Mailbox[LiveMessage]) -> None:
        self._heard = heard

    def __aiter__(self) -> _Listener:
        return self

    async def __anext__(self) -> LiveMessage:
        return await self._heard.take()


@asynccontextmanager
async def listen(connection: Connection, subjects: str, group: str) -> AsyncIterator[AsyncIterator[LiveMessage]]:
    """Listen on live subjects; see `Log.subscribe` for the promise."""
    heard: Mailbox[LiveMessage] = Mailbox(limit=_WAITING_MESSAGES_MAX)

    async def arrived(message: Msg) -> None:
        heard.put(_Heard(connection, message))

    async with AsyncExitStack() as stack:
        subscription = await connection.subscribe(subjects, arrived, group=group)
        stack.push_async_callback(connection.unsubscribe, subscription)
        stack.callback(connection.on_close(heard.fail))
        await connection.flush()
        yield _Listener(heard)
