"""A log on JetStream, opened and closed as one thing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from headwater.core.log.jetstream.api import ApiRefusal
from headwater.core.log.jetstream.connection import Connection, connect
from headwater.core.log.jetstream.dead_letters import JetStreamDeadLetters
from headwater.core.log.jetstream.events import JetStreamEvents
from headwater.core.log.jetstream.live import listen
from headwater.core.log.jetstream.log_times import LogTimes
from headwater.core.log.jetstream.majority import write_problem
from headwater.core.log.jetstream.queues import JetStreamQueues
from headwater.core.log.jetstream.run_logs import JetStreamRunLogs
from headwater.core.log.jetstream.streams import StreamSettings, check_streams, ensure_streams, stream_sizes
from headwater.core.log.protocol import DeadLetters, EventLog, LiveMessage, LogTail, RunLogs, RunQueues, StreamSize


class JetStreamLog:
    """`Log` by JetStream. Made by `open_log`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.events: EventLog = JetStreamEvents(connection)
        self.queues: RunQueues = JetStreamQueues(connection)
        self.logs: RunLogs = JetStreamRunLogs(connection)
        self.dead_letters: DeadLetters = JetStreamDeadLetters(connection)

    @property
    def url(self) -> str:
        return self._connection.address

    @property
    def closed(self) -> bool:
        """Whether the connection is over for good."""
        return self._connection.closed

    def on_close(self, callback: Callable[[Exception], None]) -> Callable[[], None]:
        """Have `callback` called when the connection is over for good; call the answer to end that."""
        return self._connection.on_close(callback)

    async def ensure_streams(self, settings: StreamSettings) -> None:
        """Make the streams that are missing and check the others.

        Raises:
            SettingsError: several replicas are asked of a single server.
            StreamMismatch: a stream there is older, newer, or not ours.

        """
        await ensure_streams(self._connection, settings)

    async def existing_tail(self) -> LogTail | None:
        """Return which log is here and how far it goes; None where none was made yet.

        Raises:
            LogUnavailable: no answer.

        """
        try:
            return await self.events.tail()
        except ApiRefusal as refusal:
            if refusal.not_found:
                return None
            raise

    async def check_streams(self) -> None:
        """Check that the streams are as this version needs them.

        Raises:
            StreamMissing: one is not there.
            StreamMismatch: one is older, newer, or not ours.

        """
        await check_streams(self._connection)

    async def write_problem(self, *, timeout_seconds: float) -> str | None:
        return await write_problem(self._connection, timeout_seconds=timeout_seconds)

    async def sizes(self) -> tuple[StreamSize, ...]:
        return await stream_sizes(self._connection)

    async def publish(self, subject: str, data: bytes) -> None:
        await self._connection.publish(subject, data)

    async def request(self, subject: str, data: bytes, *, timeout: float) -> bytes:
        return await self._connection.ask(subject, data, lambda message: message.data, timeout=timeout)

    def subscribe(self, subjects: str, *, group: str = "") -> AbstractAsyncContextManager[AsyncIterator[LiveMessage]]:
        return listen(self._connection, subjects, group)

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        return self._connection.on_reconnect(callback)


@asynccontextmanager
async def open_log(
    url: str,
    key: str | None = None,
    name: str = "headwater",
    *,
    replicas: int = 1,
    ensure_streams: bool = False,
    log_retention_days: float | None = None,
    look_up: Callable[[], str | None] | None = None,
    times: LogTimes | None = None,
) -> AsyncIterator[JetStreamLog]:
    """Connect to the log at `url` (several addresses comma-separated) with its `key`; `name` is what its monitoring shows.

    With `ensure_streams`, as a server does, streams that are missing are made and the others checked; `replicas` and
    `log_retention_days` say how (see `StreamSettings`). The connection comes back by itself for as long as it is open; `look_up` is
    asked where the server is by now when it cannot be reached any more. `times` says how long calls wait.

    Raises:
        LogUnavailable: no server answers there within 3 seconds.
        AuthenticationFailed: the server wants another key.
        SettingsError: this is not an address, or several replicas are asked of a single server.
        StreamMismatch: a stream there is older, newer, or not ours.

    """
    async with connect(url, key=key, name=name, look_up=look_up, times=times) as connection:
        if ensure_streams:
            await _ensure_streams(connection, StreamSettings(replicas=replicas, log_retention_days=log_retention_days))
        yield JetStreamLog(connection)


_ensure_streams = ensure_streams  # its name is also that of the option, which callers read more often
