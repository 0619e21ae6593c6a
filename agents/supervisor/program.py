"""The supervisor as a program: it serves its agent until that is gone, and ends the runs of one that is gone."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from headwater.agents.attempt_channel import channel_of
from headwater.agents.frames import NO_DESCRIPTOR, Frames
from headwater.agents.launcher import AttemptReport
from headwater.agents.retry import retry_until_available
from headwater.agents.shortages import shortage
from headwater.agents.supervisor.attempt_session import AttemptSession, SessionListener
from headwater.agents.supervisor_protocol import (
    Attend,
    Closed,
    Connect,
    MustEnd,
    NotAttended,
    ProcessEnded,
    Ready,
    Reported,
    Started,
    SupervisorAnswer,
    read_supervisor_requests,
    supervisor_frame,
)
from headwater.core.errors import HeadwaterError, LogUnavailable
from headwater.core.log.protocol import Log
from headwater.core.program import open_files
from headwater.core.program.exception_groups import unwrap_exception_group
from headwater.core.program.server_file import server_address

if TYPE_CHECKING:
    from headwater.core.log.jetstream import JetStreamLog

FAREWELL_SECONDS = 2.0
"""So long after its agent's end, what is at hand may take to be stored."""
_IGNORED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Supervisor:
    """The attempts of one agent, whose socket is `channel`."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._frames = Frames()
        self._descriptors: list[int] = []
        self._sessions: dict[int, AttemptSession] = {}
        self._log: Log | None = None
        self._opened = anyio.Event()
        self._outgoing = bytearray()
        self._to_send = anyio.Event()

    async def serve(self) -> None:
        """Serve until the agent is gone; then end the processes of its runs, and store what they sent."""
        self._channel.setblocking(False)
        async with anyio.create_task_group() as group:
            group.start_soon(self._send_answers)
            self._tell(Ready(os.getpid()))
            async with anyio.create_task_group() as attempts:
                await self._take_requests(group, attempts)
                self._end_runs()
                with suppress(TimeoutError), anyio.fail_after(FAREWELL_SECONDS):
                    while self._sessions:  # noqa: ASYNC110 - each ends by itself, and nothing else is to be done
                        await anyio.sleep(0.01)
                attempts.cancel_scope.cancel()
            group.cancel_scope.cancel()

    async def _take_requests(self, group: TaskGroup, attempts: TaskGroup) -> None:
        while True:
            await anyio.wait_readable(self._channel)
            try:
                requests = read_supervisor_requests(self._channel, self._frames, self._descriptors)
            except BlockingIOError:
                continue
            if requests is None:
                return
            for request in requests:
                match request:
                    case Connect():
                        group.start_soon(self._keep_connected, request)
                    case Attend():
                        self._attend(request, self._descriptors.pop(0), attempts)
                    case ProcessEnded(launch_id=launch_id):
                        self._note_process_ended(launch_id)

    async def _keep_connected(self, connect: Connect) -> None:
        """Keep the connection to the log. Where it is over for good, this program ends: its agent starts another, and the runs go on there.

        Raises:
            LogUnavailable: it is over.

        """
        async with AsyncExitStack() as stack:
            log = await retry_until_available(lambda: _opened(stack, connect), "the log")
            closed = anyio.Event()
            log.on_close(lambda _: closed.set())
            self._log = log
            self._opened.set()
            if not log.closed:
                await closed.wait()
            raise LogUnavailable(log.url, "the connection was closed")

    async def _log_opened(self) -> Log:
        await self._opened.wait()
        assert self._log is not None
        return self._log

    def _attend(self, attend: Attend, descriptor: int, attempts: TaskGroup) -> None:
        launch_id = attend.launch_id
        if descriptor == NO_DESCRIPTOR:
            self._tell(NotAttended(launch_id, shortage(OSError(errno.EMFILE, os.strerror(errno.EMFILE)))))
            return
        channel = channel_of(descriptor)
        channel.setblocking(False)

        def report(what: AttemptReport) -> None:
            self._tell(Reported(launch_id, what))

        session = AttemptSession(
            attend,
            channel,
            SessionListener(lambda: self._tell(Started(launch_id)), report, lambda reason: self._tell(MustEnd(launch_id, reason))),
        )
        self._sessions[launch_id] = session
        attempts.start_soon(self._serve, launch_id, session, self._log_opened)

    async def _serve(self, launch_id: int, session: AttemptSession, opened: Callable[[], Awaitable[Log]]) -> None:
        try:
            await session.serve(opened)
        finally:
            del self._sessions[launch_id]
            self._tell(Closed(launch_id))

    def _note_process_ended(self, launch_id: int) -> None:
        if launch_id in self._sessions:
            self._sessions[launch_id].note_process_ended()

    def _end_runs(self) -> None:
        """Kill the processes of the runs, whose agent is gone: the zygote may be gone as well."""
        for session in self._sessions.values():
            session.kill_process()
            session.note_process_ended()

    def _tell(self, answer: SupervisorAnswer) -> None:
        self._outgoing += supervisor_frame(answer)
        self._to_send.set()

    async def _send_answers(self) -> None:
        while True:
            await self._to_send.wait()
            self._to_send = anyio.Event()
            while self._outgoing:
                try:
                    del self._outgoing[: self._channel.send(self._outgoing)]
                except BlockingIOError:
                    await anyio.wait_writable(self._channel)
                except OSError:
                    return  # the agent is gone, as the reader of its requests finds as well


async def _opened(stack: AsyncExitStack, connect: Connect) -> JetStreamLog:
    from headwater.core.log.jetstream import open_log

    look_up = partial(server_address, Path(connect.home)) if connect.home else None
    try:
        return await stack.enter_async_context(open_log(connect.nats_url, key=connect.key, name=connect.name, look_up=look_up))
    except LogUnavailable:
        address = None if look_up is None else look_up()
        if address is None or address == connect.nats_url:
            raise
        return await stack.enter_async_context(open_log(address, key=connect.key, name=connect.name, look_up=look_up))


def main() -> None:
    """Serve the agent whose socket is the descriptor named on the command line."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    for number in _IGNORED_SIGNALS:
        # What ends programs in terminals, and services, is for the agent to answer: this process lives as long as its socket.
        signal.signal(number, signal.SIG_IGN)
    open_files.raise_limit()
    try:
        with unwrap_exception_group():
            anyio.run(Supervisor(socket.socket(fileno=int(sys.argv[1]))).serve, backend="asyncio")
    except HeadwaterError as error:
        sys.exit(f"The supervisor of the runs ends: {error}")
