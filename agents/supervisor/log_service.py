"""What the code of a flow asks of the log as a client does, done over the supervisor's connection."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from typing import Any

import anyio
import msgspec
from anyio.abc import TaskGroup

from headwater.agents.attempt_protocol import Answered
from headwater.agents.log_calls import (
    AppendCommit,
    AppendTogether,
    AskIsWaiting,
    AskOthers,
    AskTail,
    AskWaitingRuns,
    AwaitCommits,
    AwaitLines,
    CancelTimer,
    CommitToAppend,
    Enqueue,
    LogCall,
    ReadAt,
    ReadLast,
    ReadLastOfEach,
    ReadLines,
    ReadOn,
    ReadSubject,
    SendMessage,
    SetTimer,
    StoredCommit,
    refusal_of,
)
from headwater.agents.retry import retry_until_available
from headwater.core.errors import HeadwaterError, InvalidArgument
from headwater.core.log.codec import decode
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Append, Log, Recorded, RecordedLines
from headwater.core.log.subjects import is_literal
from headwater.core.log.work_item import decode_item
from headwater.core.values.amounts import size_words
from headwater.core.values.json_bytes import json_bytes

CALLS_MAX = 1_000
"""So many calls of one attempt are done at once; code that makes more of them gets an error."""
UNSENT_BYTES_MAX = 16 * 1024 * 1024
"""Where the process leaves so much of its answers unread, nothing more is read of what it sends."""
READ_BYTES_MAX = 64 * 1024 * 1024
"""So much is one answer at most; calls that would have a larger one fail."""
READS_MAX = 4
"""So many calls that may read much are done at once."""
FAILURES_MAX = 3
"""So many calls that fail for no reason of the log are reported of one attempt."""

_log = logging.getLogger(__name__)


class LogService:
    """Does the calls of one attempt, each in a task of the group; `send` takes their answers."""

    def __init__(self, log: Log, send: Callable[[Answered], Awaitable[None]], group: TaskGroup) -> None:
        self._log = log
        self._send = send
        self._group = group
        self._underway: dict[int, anyio.CancelScope] = {}
        self._unsent_bytes = 0
        self._has_room = anyio.Event()
        self._failures = 0
        self._reading = anyio.Semaphore(READS_MAX)

    def begin(self, number: int, call: LogCall) -> None:
        """Do a call; of one that is made while very many are under way nothing is done but to say so."""
        scope = self._underway[number] = anyio.CancelScope()
        self._group.start_soon(self._serve, number, None if len(self._underway) > CALLS_MAX else call, scope)

    def withdraw(self, number: int) -> None:
        """End a call that is waited for no more."""
        if number in self._underway:
            self._underway[number].cancel()

    async def room(self) -> None:
        """Return when no more is kept for the process than it may leave unread: calls that it made, and their answers."""
        while len(self._underway) > 2 * CALLS_MAX or self._unsent_bytes > UNSENT_BYTES_MAX:
            self._has_room = anyio.Event()
            await self._has_room.wait()

    async def _serve(self, number: int, call: LogCall | None, scope: anyio.CancelScope) -> None:
        answered = Answered(number, refusal="The call was withdrawn.")
        try:
            with scope:
                async with self._reading if isinstance(call, _READS) else nullcontext():
                    answered = await self._answer(number, call)
            size = len(answered.value)
            self._unsent_bytes += size
            try:
                await self._send(answered)
            finally:
                self._unsent_bytes -= size
        finally:
            self._underway.pop(number, None)
            self._has_room.set()

    async def _answer(self, number: int, call: LogCall | None) -> Answered:
        if call is None:
            return Answered(number, refusal=f"{CALLS_MAX} calls of this run are under way; no more are taken at once.")
        try:
            return Answered(number, value=msgspec.Raw(json_bytes(await _ANSWERS[type(call)](self._log, call))))
        except HeadwaterError as error:
            return Answered(number, failed=refusal_of(error))
        except Exception as error:  # noqa: BLE001 - whatever it is: the other calls, and the run, go on
            self._failures += 1
            if self._failures <= FAILURES_MAX:
                _log.exception("A call of a run's code failed.")
            return Answered(number, refusal=f"The supervisor could not do it: {error!r}")


async def _append(log: Log, call: AppendCommit) -> Position:
    append = _append_of(call.append)
    return await log.events.append(append.subject, append.commit, expected=append.expected)


async def _read(log: Log, call: ReadSubject) -> list[StoredCommit]:
    if not is_literal(call.subject):
        raise InvalidArgument(f"{call.subject!r} names more than one subject.", hint="Follow them, or read all of the log.")
    return _stored(await log.events.read(call.subject, after=call.after, at_least=call.at_least))


async def _last(log: Log, call: ReadLast) -> StoredCommit | None:
    return _stored_or_none(await log.events.last(call.subject))


async def _last_of_each(log: Log, call: ReadLastOfEach) -> list[StoredCommit]:
    return _stored(await log.events.last_of_each(call.subjects))


async def _at(log: Log, call: ReadAt) -> StoredCommit | None:
    return _stored_or_none(await log.events.at(call.position))


async def _read_on(log: Log, call: ReadOn) -> list[StoredCommit]:
    async def read() -> list[StoredCommit]:
        async for batch in log.events.read_all(after=call.after, until=call.until):
            return _stored(batch)
        return []

    return await retry_until_available(read, "the log")  # one who has begun to read, or follows, goes on over outages


async def _await_commits(log: Log, call: AwaitCommits) -> list[StoredCommit]:
    async def wait() -> list[StoredCommit]:
        async with log.events.follow(call.subjects, after=call.after) as commits:
            return _stored(await anext(commits))

    return await retry_until_available(wait, f"what comes on {call.subjects}")


async def _await_lines(log: Log, call: AwaitLines) -> Sequence[RecordedLines]:
    async def wait() -> Sequence[RecordedLines]:
        async with log.logs.follow(call.run_id, after=call.after) as messages:
            return await anext(messages)

    return await retry_until_available(wait, f"the lines of run {call.run_id}")


async def _waiting_runs(log: Log, _: AskWaitingRuns) -> list[str]:
    return sorted(await log.queues.waiting_runs())


_READS = (ReadSubject, ReadLastOfEach, ReadLines)
_ANSWERS: dict[type[LogCall], Callable[[Log, Any], Awaitable[Any]]] = {
    AppendCommit: _append,
    AppendTogether: lambda log, call: log.events.append_together([_append_of(each) for each in call.appends]),
    ReadSubject: _read,
    ReadLast: _last,
    ReadLastOfEach: _last_of_each,
    ReadAt: _at,
    ReadOn: _read_on,
    AwaitCommits: _await_commits,
    AskTail: lambda log, _: log.events.tail(),
    Enqueue: lambda log, call: log.queues.enqueue(decode_item(call.item)),
    SetTimer: lambda log, call: log.queues.set_timer(decode_item(call.item), due=call.due),
    CancelTimer: lambda log, call: log.queues.cancel_timer(call.run_id),
    AskIsWaiting: lambda log, call: log.queues.is_waiting(call.run_id, generation=call.generation),
    AskWaitingRuns: _waiting_runs,
    ReadLines: lambda log, call: log.logs.read(call.run_id, after=call.after),
    AwaitLines: _await_lines,
    SendMessage: lambda log, call: log.publish(call.subject, call.data),
    AskOthers: lambda log, call: log.request(call.subject, call.data, timeout=call.timeout),
}


def _append_of(wanted: CommitToAppend) -> Append:
    return Append(wanted.subject, decode(wanted.commit), wanted.expected)


def _stored(commits: Sequence[Recorded]) -> list[StoredCommit]:
    if sum(len(each.data) for each in commits) > READ_BYTES_MAX:
        raise InvalidArgument(f"This is more than {size_words(READ_BYTES_MAX)}, too much for one answer.", hint="Read less at once.")
    return [StoredCommit.of(each) for each in commits]


def _stored_or_none(recorded: Recorded | None) -> StoredCommit | None:
    return None if recorded is None else StoredCommit.of(recorded)
