"""One connection to NATS: opened within seconds or refused with a reason, kept for ever after; questions, messages, subscriptions.

A question whose answer cannot come any more, because the connection broke, ends at that moment and not at its time limit.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
from nats import errors as nats_errors
from nats.aio.client import Server
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from headwater.core.errors import AuthenticationFailed, CommitTooLarge, LogUnavailable, RequestTimeout, SettingsError
from headwater.core.log.jetstream import codec
from headwater.core.log.jetstream.client import PatchedClient, describe_nats_error, next_server
from headwater.core.log.jetstream.collection import Collection, NobodyListens, Question
from headwater.core.log.jetstream.log_times import LogTimes
from headwater.core.log.subjects import require_sendable

CONNECT_SECONDS = 3.0
"""How long the first connection may take before the address counts as dead."""

_PING_SECONDS = 15
_PONG_SECONDS = 1.5
"""How long a node may take to say that it is there, once it left a question unanswered, before another one is asked."""

_HEADERS_BYTES = len("NATS/1.0\r\n\r\n")

_log = logging.getLogger(__name__)

Callback = Callable[[Msg], Awaitable[None]]
T = TypeVar("T")


class Connection:
    """A connection that comes back by itself. Made by `connect`."""

    def __init__(self, address: str, look_up: Callable[[], str | None] | None = None, times: LogTimes | None = None) -> None:
        self.address = address
        self.times = times or LogTimes()
        self.client = PatchedClient()
        self._look_up = look_up
        self._expected: dict[str, Question[Any] | Collection[Any]] = {}
        self._asked = 0
        self._inbox = ""
        self._connected = anyio.Event()
        self._on_reconnect: set[Callable[[], None]] = set()
        self._on_close: set[Callable[[Exception], None]] = set()
        self._last_error = ""
        self._doubt: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """What it is called where the server's connections are listed."""
        return str(self.client.options.get("name") or "")

    @property
    def closed(self) -> bool:
        return self.client.is_closed

    @property
    def in_cluster(self) -> bool:
        """Whether the server is one of several: then it may not know yet what another acknowledged a moment ago."""
        return bool(self.client._server_info.get("cluster"))  # noqa: SLF001 - the library shows it nowhere else

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called after each reconnection; call the answer to end that."""
        self._on_reconnect.add(callback)
        return lambda: self._on_reconnect.discard(callback)

    def on_close(self, callback: Callable[[Exception], None]) -> Callable[[], None]:
        """Have `callback` called when the connection is over for good; call the answer to end that."""
        self._on_close.add(callback)
        return lambda: self._on_close.discard(callback)

    async def publish(self, subject: str, data: bytes = b"", *, reply: str = "", headers: dict[str, str] | None = None) -> None:
        """Send a message.

        Raises:
            InvalidArgument: no message can have this subject.
            LogUnavailable: not connected now; nothing was sent.
            CommitTooLarge: the server takes no message of this size.

        """
        require_sendable(subject)
        # The library counts the data alone; of more than it takes, headers with it, the server ends the connection.
        size = len(data) + sum(len(name) + len(value) + 4 for name, value in (headers or {}).items()) + _HEADERS_BYTES * bool(headers)
        if size > self.client.max_payload:
            raise CommitTooLarge(size, self.client.max_payload)
        try:
            await self.client.publish(subject, data, reply=reply, headers=headers)
        except (nats_errors.ConnectionClosedError, nats_errors.ConnectionDrainingError, nats_errors.OutboundBufferLimitError):
            raise self.unavailable() from None

    async def ask(self, subject: str, data: bytes, read: Callable[[Msg], T], *, timeout: float, headers: dict[str, str] | None = None) -> T:
        """Send a question and return what `read` makes of its answer. A message of which it makes nothing (it raises) is not an answer.

        Raises:
            LogUnavailable: not connected, and not again within `timeout` seconds; nothing was sent.
            RequestTimeout: no one listens, the time is over, or the connection broke.

        """
        if not self.client.is_connected:
            await self.wait_until_connected(timeout)
        question = Question(read)
        token = self._expect(question)
        late = RequestTimeout(subject, f"none came in {timeout:g} s", maybe_received=True)
        expiry = asyncio.get_running_loop().call_later(timeout, question.fail, late)
        try:
            await self.publish(subject, data, reply=self._inbox + token, headers=headers)
            answer = await question.answer
        except _ConnectionLost:
            raise RequestTimeout(subject, "the connection broke", maybe_received=True) from None
        except NobodyListens:
            raise RequestTimeout(subject, "nothing listens there", maybe_received=False) from None
        except RequestTimeout:
            self._doubt_node()
            raise
        finally:
            expiry.cancel()
            del self._expected[token]
        return answer

    async def collect(self, subject: str, data: bytes, read: Callable[[Msg], T], *, silence_seconds: float) -> tuple[list[T], codec.End]:
        """Send a question that has many answers; return what `read` makes of each, and what ends them.

        Raises as `ask` does; here RequestTimeout also means that the answers stopped coming.
        """
        if not self.client.is_connected:
            await self.wait_until_connected(silence_seconds)
        collection = Collection(read)
        token = self._expect(collection)
        try:
            await self.publish(subject, data, reply=self._inbox + token)
            end = await collection.complete(subject, silence_seconds)
        finally:
            del self._expected[token]
        if end.status == codec.NOBODY_LISTENS:
            raise RequestTimeout(subject, "nothing listens there", maybe_received=False)
        return collection.found, end

    async def subscribe(self, subject: str, callback: Callback, *, group: str = "") -> Subscription:
        """Have `callback` called with each message, in order. The subscription outlives reconnections.

        Raises:
            InvalidArgument: nothing can come on this subject.

        """
        require_sendable(subject)
        try:
            return await self.client.subscribe(subject, queue=group, cb=callback)
        except (nats_errors.ConnectionClosedError, nats_errors.ConnectionDrainingError):
            raise self.unavailable() from None

    async def drain(self, subscription: Subscription) -> None:
        """End a subscription; its callback has got what was on its way when this returns."""
        if not self.client.is_connected:
            await self.unsubscribe(subscription)
            return
        try:
            await subscription.drain()  # type: ignore[no-untyped-call]
        except nats_errors.Error as error:
            _log.debug("%s ended with its connection: %s", subscription.subject, error)

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; messages on their way to it are dropped."""
        try:
            await subscription.unsubscribe()
        except (nats_errors.ConnectionClosedError, nats_errors.ConnectionDrainingError, nats_errors.BadSubscriptionError):
            _log.debug("%s was not subscribed any more", subscription.subject)

    async def flush(self, *, timeout: float = CONNECT_SECONDS) -> None:
        """Return when the server has read all that was sent.

        Raises:
            LogUnavailable: it did not in time.

        """
        try:
            with anyio.fail_after(timeout):
                await self.client.flush()
        except (TimeoutError, nats_errors.Error):
            raise self.unavailable() from None

    async def wait_until_connected(self, timeout: float) -> None:
        """Return when there is a connection.

        Raises:
            LogUnavailable: none came in `timeout` seconds, or the connection is over for good.

        """
        with anyio.move_on_after(timeout):
            while not self.client.is_connected and not self.closed:
                if self._connected.is_set():  # by the reconnection before this one
                    self._connected = anyio.Event()
                await self._connected.wait()
        if not self.client.is_connected or self.closed:
            raise self.unavailable()

    def unavailable(self, reason: str = "") -> LogUnavailable:
        """Return the error that says that there is no connection, with the last reason known."""
        return LogUnavailable(self.address, reason or self._last_error or "not connected")

    def new_inbox(self) -> str:
        return self.client.new_inbox()

    def _doubt_node(self) -> None:
        """Find out whether the node we talk to is there at all: a frozen one keeps its connections open."""
        if self.in_cluster and self.client.is_connected and (self._doubt is None or self._doubt.done()):
            self._doubt = asyncio.get_running_loop().create_task(self._leave_if_silent())

    async def _leave_if_silent(self) -> None:
        try:
            await self.client.flush(timeout=_PONG_SECONDS)  # type: ignore[arg-type]
        except (OSError, nats_errors.Error):  # silent, or broken meanwhile
            if self.client.is_connected:
                _log.info("The NATS node at %s does not answer; another one is asked.", self.client.connected_url)
                await self.client._process_op_err(nats_errors.StaleConnectionError())  # noqa: SLF001 - as the library does for pings

    def _expect(self, answer: Question[Any] | Collection[Any]) -> str:
        self._asked += 1
        token = str(self._asked)
        self._expected[token] = answer
        return token

    async def _open(self, *, key: str | None, name: str) -> None:
        addresses = [part.strip() for part in self.address.split(",") if part.strip()]
        if not addresses:
            raise self._no_address("it is empty")
        first = _FirstConnection(len(addresses))
        self._report: Callable[[Exception], Awaitable[None]] = first.report
        try:
            with anyio.fail_after(CONNECT_SECONDS):
                await self.client.connect(
                    addresses,
                    name=name,
                    token=key,
                    error_cb=self._error,
                    disconnected_cb=self._disconnected,
                    reconnected_cb=self._reconnected,
                    closed_cb=self._closed,
                    connect_timeout=2,
                    ping_interval=_PING_SECONDS,
                    max_reconnect_attempts=-1,
                    reconnect_to_server_handler=self._next_server,
                    # A message that cannot be sent now is refused now: its sender decides whether to wait.
                    pending_size=0,
                )
        except TimeoutError:
            raise LogUnavailable(self.address, first.reason or f"no answer within {CONNECT_SECONDS:g} s") from None
        except _KeyRefusedByServer:
            raise AuthenticationFailed(self.address, sent=bool(key)) from None
        except _NobodyConnected:
            raise LogUnavailable(self.address, first.reason) from None
        except (nats_errors.Error, ValueError) as error:
            raise self._no_address(describe_nats_error(error)) from None
        finally:
            self._report = self._note
        self._inbox = self.client.new_inbox() + "."
        await self.client.subscribe(self._inbox + "*", cb=self._answered)

    def _next_server(self, servers: list[Server], info: Mapping[str, Any]) -> tuple[Server, float]:
        """Choose a server, as `next_server`; where all were tried in vain, learn where the server is by now."""
        if self._look_up is not None and all(server.reconnects for server in servers):
            address = self._look_up()
            if address is not None and address != self.address:
                self.address = address
                self.client.add_server(address)
        return next_server(servers, info)

    def _no_address(self, reason: str) -> SettingsError:
        return SettingsError(
            f"{self.address!r} is not the address of a NATS server: {reason}.", hint="An address looks like nats://127.0.0.1:4222."
        )

    async def _close(self) -> None:
        with anyio.CancelScope(shield=True):
            if self._doubt is not None:
                self._doubt.cancel()
                await asyncio.wait([self._doubt])
            await self.client.close_all()

    async def _answered(self, message: Msg) -> None:
        answer = self._expected.get(message.subject[len(self._inbox) :])
        if answer is not None:
            answer.take(message)

    async def _error(self, error: Exception) -> None:
        await self._report(error)

    async def _note(self, error: Exception) -> None:
        self._last_error = describe_nats_error(error)
        _log.debug("%s: %s", self.address, self._last_error)

    async def _disconnected(self) -> None:
        for answer in self._expected.values():
            answer.fail(_ConnectionLost())

    async def _reconnected(self) -> None:
        self._last_error = ""
        self._connected.set()
        for callback in tuple(self._on_reconnect):
            callback()

    async def _closed(self) -> None:
        self._connected.set()
        for callback in tuple(self._on_close):
            callback(self.unavailable("the connection was closed"))


@asynccontextmanager
async def connect(
    address: str,
    *,
    key: str | None = None,
    name: str = "headwater",
    look_up: Callable[[], str | None] | None = None,
    times: LogTimes | None = None,
) -> AsyncIterator[Connection]:
    """Open a connection to the server or servers at `address` (comma-separated); `name` is what their monitoring shows.

    `look_up` is asked for the address by now where, later on, no server answers there.

    Raises:
        LogUnavailable: no server answers there within 3 seconds.
        AuthenticationFailed: the server wants another key.
        SettingsError: this is not an address.

    """
    connection = Connection(address, look_up, times)
    try:
        await connection._open(key=key, name=name)  # noqa: SLF001 - the one way to make one
        yield connection
    finally:
        await connection._close()  # noqa: SLF001


class _ConnectionLost(Exception):
    pass


class _KeyRefusedByServer(Exception):
    pass


class _NobodyConnected(Exception):
    pass


class _FirstConnection:
    """Judges what goes wrong on the first connection: the client library itself would go on trying without a word."""

    def __init__(self, addresses: int) -> None:
        self.reason = ""
        self._left = addresses

    async def report(self, error: Exception) -> None:
        text = str(error)
        if "Authorization Violation" in text or "Authentication" in text:
            raise _KeyRefusedByServer
        self.reason = describe_nats_error(error)
        self._left -= 1
        if self._left <= 0:
            raise _NobodyConnected
