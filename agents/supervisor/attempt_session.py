"""One attempt, as its supervisor has it: it reads what the process of the run sends, and has it stored."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from socket import socket

import anyio
import msgspec
from anyio.abc import TaskGroup

from headwater.agents.attempt_channel import ChannelBroken, MessageAssembler, pieces_of, receive
from headwater.agents.attempt_protocol import (
    Answered,
    Asked,
    Begun,
    Briefing,
    Called,
    FencedAnswer,
    FromSupervisor,
    Happened,
    Logged,
    Resumed,
    StartAttempt,
    TimeLimited,
    TimeLimitOver,
    Withdrawn,
    decode_from_process,
    encode,
)
from headwater.agents.attempt_spec import attempt_actor
from headwater.agents.errors import AttemptFenced
from headwater.agents.launcher import STOP_SECONDS, AttemptReport
from headwater.agents.log_trouble import log_trouble
from headwater.agents.retry import retry_until_available
from headwater.agents.supervisor.attempt_requests import AttemptRequests
from headwater.agents.supervisor.attempt_writer import WAITING_EVENTS_MAX, AttemptWriter
from headwater.agents.supervisor.log_service import LogService
from headwater.agents.supervisor.log_shipping import LogShipper
from headwater.agents.supervisor.resume_listener import ResumeListener
from headwater.agents.supervisor.time_limit import TimeLimit, record_outlived
from headwater.agents.supervisor_protocol import Attend
from headwater.core.aggregates import Actor, Aggregate
from headwater.core.errors import CommitUnreadable, HeadwaterError
from headwater.core.events import TaskRunEvent
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_lookup import run as run_aggregate
from headwater.core.program.exception_groups import unwrap_exception_group
from headwater.core.runs.commands import RunCommand
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run

PIECES_AT_ONCE = 500
"""So many pieces of one attempt are read before others get their turn."""
MESSAGE_BYTES_MAX = 64 * 1024 * 1024
"""More than any message of a run's process has: something else sends more."""
UNREAD_MAX = 3
"""So many messages that cannot be read are reported; a process that sends more of them sends them by the thousand."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SessionListener:
    """Who hears that an attempt runs, what is to be reported of it, and that it must end; why, where the log does not tell."""

    started: Callable[[], None]
    report: Callable[[AttemptReport], None]
    must_end: Callable[[str], None]


class AttemptSession:
    """One attempt. `serve` ends when the process is gone and all it sent is stored, or when the channel is of no use any more.

    Up to `events_max` events wait for the log; then the process waits.
    """

    def __init__(self, attend: Attend, channel: socket, listener: SessionListener, *, events_max: int = WAITING_EVENTS_MAX) -> None:
        self._events_max = events_max
        self._attend = attend
        self._channel = channel
        self._listener = listener
        self._actor = Actor(attempt_actor(attend.run_id, attend.attempt))
        self._began = time.monotonic()
        self._assembler = MessageAssembler(MESSAGE_BYTES_MAX)
        self._sent = 0
        self._sending = anyio.Lock()
        self._unread = 0
        self._reading = anyio.CancelScope()
        self._process_ended = anyio.Event()
        self._time_limit = TimeLimit()
        self.log_service: LogService | None = None
        """What does the calls of the flow's code; there once the log is."""
        self._troubled = False
        self.process_id: int | None = None
        """The process of the run, once it has said so."""

    def note_process_ended(self) -> None:
        """The process is gone: what it sent is all there is."""
        self._process_ended.set()
        self._reading.cancel()

    async def serve(self, opened: Callable[[], Awaitable[Log]]) -> None:
        """Serve the attempt. `opened` returns the log as soon as there is a connection to it."""
        try:
            if self._attend.known is not None:
                await self._send(Briefing(known=self._attend.known))
            log = await opened()
            run = await self._run_in(log)
            if not run.state.held or run.state.attempt != self._attend.attempt:
                self._listener.report(AttemptReport(fenced=True))
                return
            with unwrap_exception_group():
                async with anyio.create_task_group() as group:
                    await self._serve_run(log, run, group)
                    group.cancel_scope.cancel()
        except HeadwaterError as error:
            self._listener.must_end(f"what it did cannot be recorded: {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is: other attempts go on
            _log.exception("Attempt %d of run %s cannot be served any more.", self._attend.attempt, self._attend.run_id)
            self._listener.must_end(f"its supervisor failed: {error!r}")
        finally:
            self._channel.close()

    async def _run_in(self, log: Log) -> Aggregate[Run, RunCommand]:
        """Return the run, as the agent knew it a moment ago or else as the log has it, which the process hears then, too."""
        known, aggregate = self._attend.known, run_aggregate(log.events, self._attend.run_id)
        if known is not None:
            # Should it have changed since, the first append is refused, and the rest is read then.
            aggregate.state, aggregate.position = known.fold(), known.position
            return aggregate
        recorded = await retry_until_available(lambda: log.events.read(aggregate.subject), "the run")
        await self._send(Briefing(commits=tuple(each.data for each in recorded)))
        for each in recorded:
            aggregate.state, aggregate.position = RULES.fold(each.events, aggregate.state), each.position
        return aggregate

    async def _serve_run(self, log: Log, run: Aggregate[Run, RunCommand], group: TaskGroup) -> None:
        def must_end() -> None:
            self._listener.must_end("")
            group.start_soon(self._end_process)

        writer = AttemptWriter(run, self._actor, self._attend.attempt, must_end, events_max=self._events_max)
        writer.listener = self
        shipper = LogShipper(log.logs, self._attend.run_id, self._attend.attempt)
        await group.start(writer.serve)
        await group.start(shipper.serve)
        resumes = ResumeListener(group, log.events, run.subject, lambda keys: self._send(Resumed(keys)))
        writer.on_pause = lambda: resumes.listen(run.position)
        group.start_soon(self._time_limit.ring, self._send_signal)
        requests = AttemptRequests(Headwater(log, self._actor), self._attend, run, writer, shipper, resumes)
        async with anyio.create_task_group() as calls:  # what the flow's code asks of the log ends with the process
            self.log_service = LogService(log, self._send, calls)
            async with anyio.create_task_group() as answers:  # what was asked for is done, though the process may not live to hear of it
                await self._read(answers, writer, shipper, requests)
                while not self._process_ended.is_set():  # its code closed the channel
                    with anyio.CancelScope(deadline=self._time_limit.deadline) as self._reading:
                        await self._process_ended.wait()
                    await self._end_outlived(writer, shipper, requests, is_all_read=True)
            calls.cancel_scope.cancel()
        with suppress(AttemptFenced):
            await requests.flush()

    async def _end_process(self) -> None:
        """End the process, whatever its agent is busy with: nothing of it may be executed beside the attempt that has the run now."""
        if self.process_id is None or self._process_ended.is_set():
            return
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self.process_id, signal.SIGTERM)
        await anyio.sleep(STOP_SECONDS)
        self.kill_process()

    async def _read(self, answers: TaskGroup, writer: AttemptWriter, shipper: LogShipper, requests: AttemptRequests) -> None:
        """Take what the process sends until its end is closed; or all it had sent when it ended: children of it may keep that open."""
        try:
            while True:
                await self._wait_readable()
                for _ in range(PIECES_AT_ONCE):
                    try:
                        piece = receive(self._channel)
                    except BlockingIOError:
                        if self._process_ended.is_set():
                            return
                        await self._end_outlived(writer, shipper, requests, is_all_read=True)
                        break
                    if piece is None:
                        return
                    if (data := self._assembler.feed(piece)) is not None:
                        self._take(data, answers, writer, shipper, requests)
                    await self._end_outlived(writer, shipper, requests)
                await writer.room()
                await self._room_for_answers()
        except ChannelBroken as broken:
            self._listener.must_end(f"something else than Headwater wrote to the channel of its process: {broken}")
            self._channel.close()  # the process waits for no answer
        except OSError as error:
            _log.debug("Run %s: its channel cannot be read: %s", self._attend.run_id, error)

    async def _end_outlived(
        self, writer: AttemptWriter, shipper: LogShipper, requests: AttemptRequests, *, is_all_read: bool = False
    ) -> None:
        """End the process where it goes on with a task that outlived its time-out, and have the rest of the run go on in another."""
        limited = self._time_limit.outlived(is_all_read=is_all_read)
        if limited is not None:
            self.kill_process()
            suspend = record_outlived(limited, writer, shipper, self._actor.clock())
            await self._answer(Asked(0, suspend), requests)

    def _send_signal(self, number: int) -> None:
        """Interrupt the process, and have its reader look when it is to be ended."""
        self._reading.cancel()
        if self.process_id is not None and not self._process_ended.is_set():
            with suppress(OSError):
                os.kill(self.process_id, number)

    def kill_process(self) -> None:
        """Kill the process, if it has said which one it is, and those in its group."""
        if self.process_id is not None and not self._process_ended.is_set():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process_id, signal.SIGKILL)

    async def _room_for_answers(self) -> None:
        """Return when the process has read enough of what it asked for, or has ended."""
        if self.log_service is not None and not self._process_ended.is_set():
            with anyio.CancelScope() as self._reading:
                await self.log_service.room()

    async def _wait_readable(self) -> None:
        with anyio.CancelScope(deadline=self._time_limit.deadline) as self._reading:
            if self._process_ended.is_set():
                await anyio.lowlevel.checkpoint()
            else:
                await anyio.wait_readable(self._channel)

    def _take(self, data: bytes, answers: TaskGroup, writer: AttemptWriter, shipper: LogShipper, requests: AttemptRequests) -> None:
        try:
            message = decode_from_process(data)
        except CommitUnreadable as unreadable:
            # The flow's code wrote to a descriptor that is not its own: it harms only its own run.
            self._unread += 1
            if self._unread <= UNREAD_MAX:
                _log.warning("Run %s sent what cannot be read: %s", self._attend.run_id, unreadable)
            return
        match message:
            case Happened(event=event):
                if isinstance(event, TaskRunEvent):
                    writer.record(event)
            case Logged(line=line):
                shipper.add(line)
            case TimeLimited():
                self._time_limit.begin(message)
            case TimeLimitOver():
                self._time_limit.end()
            case Begun(process_id=process_id) if self.process_id is None:  # the first word, before any code of the flow is executed
                self.process_id = process_id
            case Called(number=number, call=call) if self.log_service is not None:
                self.log_service.begin(number, call)
            case Withdrawn(number=number) if self.log_service is not None:
                self.log_service.withdraw(number)
            case Asked():
                answers.start_soon(self._answer, message, requests)

    async def _answer(self, asked: Asked, requests: AttemptRequests) -> None:
        try:
            value = await requests.answer(asked.request)
        except AttemptFenced as fenced:
            self._listener.report(AttemptReport(fenced=True, message=str(fenced)))
            self._listener.must_end("")
            await self._send(Answered(asked.number, fenced=FencedAnswer(fenced.attempt, fenced.state, fenced.last_attempt)))
        except HeadwaterError as error:
            await self._send(Answered(asked.number, refusal=str(error)))
        else:
            if isinstance(asked.request, StartAttempt):
                self._listener.started()
            if (report := requests.report_of(asked.request)) is not None:
                seconds = time.monotonic() - self._began
                self._listener.report(msgspec.structs.replace(report, duration_seconds=seconds))
            await self._send(Answered(asked.number, value=msgspec.Raw(encode(value))))

    async def _send(self, message: FromSupervisor) -> None:
        """Send the process a message; do nothing where it is gone."""
        async with self._sending:
            self._sent += 1
            for piece in pieces_of(self._sent, encode(message)):
                while True:
                    try:
                        self._channel.send(piece)
                    except BlockingIOError:
                        await anyio.wait_writable(self._channel)
                        continue
                    except OSError:
                        return
                    break

    def failed(self, error: Exception) -> None:
        """The log did not take what happened."""
        if not self._troubled:
            self._troubled = True
            self._listener.report(AttemptReport(log_trouble=log_trouble(error)))

    def recovered(self) -> None:
        """The log took it."""
        if self._troubled:
            self._troubled = False
            self._listener.report(AttemptReport(log_trouble=""))
