"""The NATS client library with its gaps closed: what it leaves open or undone after a broken connection is closed and done here."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlparse

import anyio
from nats.aio.client import PING_PROTO, Client, Server, Srv
from nats.aio.msg import Msg
from nats.protocol import parser

_CLOSE_SECONDS = 2.0
_END_SECONDS = 0.05
_RECONNECT_SECONDS_MAX = 2.0

_log = logging.getLogger(__name__)

# The library takes every white space for the end of a word; NATS only spaces and tabs. A message on a subject with a vertical tab in it
# broke the connection of each subscriber, each time it was delivered, for ever.
_WORD, _GAP = rb"([^ \t\r\n]+)", rb"[ \t]+"
parser.MSG_RE = re.compile(rb"\AMSG" + _GAP + _WORD + _GAP + _WORD + _GAP + rb"(" + _WORD + _GAP + rb")?([0-9]+)[ \t]*\r\n")
parser.HMSG_RE = re.compile(
    rb"\AHMSG" + _GAP + _WORD + _GAP + _WORD + _GAP + rb"(" + _WORD + _GAP + rb")?([0-9]+)" + _GAP + rb"([0-9]+)[ \t]*\r\n"
)


class PatchedClient(Client):
    """The library's client without some faults of its 2.16."""

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        # What anyone may write into a message must not end the reading of all that come after it.
        try:
            return await super()._process_headers(headers)
        except Exception as error:  # noqa: BLE001 - of headers that are none
            _log.debug("The headers of a message cannot be read: %s", error)
            return None

    def _build_message(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: dict[str, str] | None) -> Msg:
        # Subjects are bytes to NATS. One that is not UTF-8 is not one of Headwater's; it is shown, and read past.
        words = [word.decode(errors="backslashreplace") for word in (subject, reply)]
        return self.msg_class(subject=words[0], reply=words[1], data=data, headers=headers, _client=self, _sid=sid)

    async def close_all(self) -> None:
        """Close, and return when every task and socket of the connection has ended. Twice is not an error."""
        await _end(self._reconnection_task)
        tasks = [self._reading_task, self._ping_interval_task, self._flusher_task]
        tasks += [subscription._wait_for_msgs_task for subscription in self._subs.values()]  # noqa: SLF001
        if self.is_connected or self.is_connecting or self.is_reconnecting:
            with anyio.move_on_after(_CLOSE_SECONDS):
                try:
                    await self.close()
                except OSError as error:
                    # Its last words did not come through, since the connection broke meanwhile: it is closed all the same.
                    _log.debug("The connection broke while it was closed: %s", error)
                    if self._transport is not None:
                        self._transport.close()  # type: ignore[no-untyped-call]
                except asyncio.CancelledError:
                    # A reconnection that was cancelled while it waited for its socket to close has cancelled that for us, too.
                    if _cancelled():
                        raise
        for task in tasks:
            await _end(task)

    def add_server(self, address: str) -> None:
        """Try this address too, from the next attempt on."""
        self._server_pool.append(Srv(urlparse(address)))

    async def _connect_to_server(self, s: Any) -> None:
        # A server that accepts and then goes away during a reconnection would leave its socket open.
        if self._transport is not None:
            self._transport.close()  # type: ignore[no-untyped-call]
        await super()._connect_to_server(s)

    async def _send_ping(self, future: asyncio.Future[Any] | None = None) -> None:
        # The library writes a ping past the commands that wait to be sent: its answer would not mean that the server has read these.
        self._pongs.append(asyncio.get_running_loop().create_future() if future is None else future)
        await self._send_command(PING_PROTO)
        await self._flush_pending()

    async def _process_pong(self) -> None:
        # The library answers the oldest ping even where its sender was cancelled, and that error ends its reading for good.
        if self._pongs and self._pongs[0].done():
            self._pongs.pop(0)
            self._pings_outstanding = 0
        else:
            await super()._process_pong()


def next_server(servers: list[Server], _info: Mapping[str, Any]) -> tuple[Server, float]:
    """Choose the server that failed least, after a pause that grows and differs between clients."""
    chosen = min(servers, key=lambda server: (server.reconnects, random.random()))  # noqa: S311 - spreads load, hides nothing
    pause = min(_RECONNECT_SECONDS_MAX, 0.05 * 2 ** min(chosen.reconnects, 10))
    return chosen, pause * random.uniform(0.5, 1.0) if chosen.reconnects else 0.0  # noqa: S311


def describe_nats_error(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).removeprefix("nats: ").strip("'") or type(error).__name__


async def _end(task: asyncio.Task[Any] | None) -> None:
    """Cancel the task until it has ended: some of the library's take a cancellation for a broken connection and go on."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_END_SECONDS)


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
