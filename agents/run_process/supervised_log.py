"""The log for clients in the code of a flow: each call goes to the supervisor of the run, over the socket that is there anyway."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

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
)
from headwater.agents.run_process.supervisor_link import SupervisorLink
from headwater.core.errors import InvalidArgument
from headwater.core.log.commit import Commit, Position
from headwater.core.log.edge import write_commit
from headwater.core.log.protocol import Append, LogLine, LogTail, Recorded, RecordedLines, WorkItem
from headwater.core.log.work_item import encode_item

T = TypeVar("T")


class Caller:
    """Sends calls, and waits for their answers without holding up the event loop."""

    def __init__(self, link: SupervisorLink) -> None:
        self._link = link

    async def call(self, call: LogCall, answer: Any = None) -> Any:
        """Return the answer as this type. Cancelling the wait withdraws the call.

        Raises:
            HeadwaterError: what the log raised.

        """
        waiting = _WaitingCall(self._link, call)
        threading.Thread(target=waiting.work, name="headwater-call", daemon=True).start()
        try:
            data = await waiting.answered
        except asyncio.CancelledError:
            waiting.withdraw()
            raise
        return msgspec.json.decode(data, type=answer)


class _WaitingCall:
    """A call of this event loop, and the thread that waits for its answer."""

    def __init__(self, link: SupervisorLink, call: LogCall) -> None:
        self._link = link
        self._call = call
        self._number = link.next_number()
        self._turn = threading.Lock()
        self._is_sent = self._is_withdrawn = False
        self._loop = asyncio.get_running_loop()
        self.answered: asyncio.Future[bytes] = self._loop.create_future()

    def work(self) -> None:
        """Send the call and wait for its answer, in the thread."""
        data, error = b"", None
        with self._turn:
            if self._is_withdrawn:
                return
            self._link.send_call(self._number, self._call)
            self._is_sent = True
        try:
            data = self._link.answer(self._number)
        except BaseException as raised:  # noqa: BLE001 - raised again where it is waited for
            error = raised
        with suppress(RuntimeError):  # the loop was closed over it
            self._loop.call_soon_threadsafe(self._settle, data, error)

    def withdraw(self) -> None:
        """Let the supervisor end the call. Another thread says so: the supervisor may take nothing now."""
        with suppress(RuntimeError):  # no thread is left; the call ends with the process
            threading.Thread(target=self._withdraw, name="headwater-withdrawal", daemon=True).start()

    def _withdraw(self) -> None:
        with self._turn:
            self._is_withdrawn = True
            if self._is_sent:
                self._link.withdraw(self._number)

    def _settle(self, data: bytes, error: BaseException | None) -> None:
        if self.answered.done():
            return
        if error is None:
            self.answered.set_result(data)
        else:
            self.answered.set_exception(error)


class SupervisedLog:
    """`Log` for the clients of a run: commits, wake-ups, lines to read, questions. What only agents and servers do is refused."""

    def __init__(self, link: SupervisorLink, url: str) -> None:
        self.url = url
        self._caller = Caller(link)
        self.events = _Events(self._caller)
        self.queues = _Queues(self._caller)
        self.logs = _Lines(self._caller)

    @property
    def dead_letters(self) -> NoReturn:
        _refuse("reads dead letters")

    async def publish(self, subject: str, data: bytes) -> None:
        await self._caller.call(SendMessage(subject, data))

    async def request(self, subject: str, data: bytes, *, timeout: float) -> bytes:
        found: bytes = await self._caller.call(AskOthers(subject, data, timeout), bytes)
        return found

    def subscribe(self, subjects: str, *, group: str = "") -> NoReturn:  # noqa: ARG002 - as the protocol has it
        _refuse("listens to messages that are not stored")

    async def sizes(self) -> NoReturn:
        _refuse("asks for sizes")

    async def write_problem(self, *, timeout_seconds: float) -> None:
        """Return that no reason is known: the supervisor waits where the log takes nothing."""

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002 - as the protocol has it
        """Never call back: the socket to the supervisor does not come back once it is lost."""
        return lambda: None


class _Events:
    def __init__(self, caller: Caller) -> None:
        self._call = caller.call

    async def append(self, subject: str, commit: Commit, *, expected: Position) -> Position:
        return _position(await self._call(AppendCommit(_to_append(Append(subject, commit, expected))), int))

    async def append_together(self, appends: Sequence[Append]) -> Position:
        return _position(await self._call(AppendTogether(tuple(map(_to_append, appends))), int))

    async def read(self, subject: str, *, after: Position = 0, at_least: Position = 0) -> list[Recorded]:
        return _recorded(await self._call(ReadSubject(subject, after, at_least), list[StoredCommit]))

    async def last(self, subject: str) -> Recorded | None:
        return _recorded_or_none(await self._call(ReadLast(subject), StoredCommit | None))

    async def last_of_each(self, subjects: str) -> list[Recorded]:
        return _recorded(await self._call(ReadLastOfEach(subjects), list[StoredCommit]))

    async def at(self, position: Position) -> Recorded | None:
        return _recorded_or_none(await self._call(ReadAt(position), StoredCommit | None))

    async def tail(self) -> LogTail:
        found: LogTail = await self._call(AskTail(), LogTail)
        return found

    async def read_all(self, *, after: Position = 0, until: Position | None = None) -> AsyncIterator[Sequence[Recorded]]:
        end = (await self.tail()).position
        end = end if until is None else min(until, end)
        while after < end and (batch := _recorded(await self._call(ReadOn(after, end), list[StoredCommit]))):
            after = batch[-1].position
            yield batch

    def follow(self, subjects: str, *, after: Position = 0) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Recorded]]]:
        async def ask(position: Position) -> list[Recorded]:
            return _recorded(await self._call(AwaitCommits(subjects, position), list[StoredCommit]))

        return _followed(ask, after)


class _Queues:
    def __init__(self, caller: Caller) -> None:
        self._call = caller.call

    async def enqueue(self, item: WorkItem) -> None:
        await self._call(Enqueue(encode_item(item)))

    async def set_timer(self, item: WorkItem, *, due: datetime) -> None:
        await self._call(SetTimer(encode_item(item), due))

    async def cancel_timer(self, run_id: str) -> None:
        await self._call(CancelTimer(run_id))

    async def is_waiting(self, run_id: str, *, generation: int = 0) -> bool:
        return bool(await self._call(AskIsWaiting(run_id, generation), bool))

    async def waiting_runs(self) -> set[str]:
        return set(await self._call(AskWaitingRuns(), list[str]))

    def undelivered(self, queue_id: str) -> NoReturn:  # noqa: ARG002 - as the protocol has it
        _refuse("asks how many work items wait")

    def work_lost(self) -> NoReturn:
        _refuse("hears of lost work items")

    def bind(
        self,
        queue_id: str,  # noqa: ARG002 - as the protocol has it
        *,
        lease_seconds: float,  # noqa: ARG002
        limit: int | None = None,  # noqa: ARG002
        at_once: int = 1,  # noqa: ARG002
    ) -> NoReturn:
        _refuse("takes work items")


class _Lines:
    def __init__(self, caller: Caller) -> None:
        self._call = caller.call

    async def read(self, run_id: str, *, after: Position = 0) -> list[RecordedLines]:
        found: list[RecordedLines] = await self._call(ReadLines(run_id, after), list[RecordedLines])
        return found

    def follow(
        self, run_id: str | None = None, *, after: Position = 0
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[RecordedLines]]]:
        async def ask(position: Position) -> list[RecordedLines]:
            found: list[RecordedLines] = await self._call(AwaitLines(run_id, position), list[RecordedLines])
            return found

        return _followed(ask, after)

    async def write(self, run_id: str, attempt: int, lines: Sequence[LogLine]) -> NoReturn:  # noqa: ARG002 - as the protocol has it
        _refuse("writes log lines of other runs")

    async def at(self, position: Position) -> NoReturn:  # noqa: ARG002 - as the protocol has it
        _refuse("reads dead letters")

    async def bytes_at(self, position: Position) -> NoReturn:  # noqa: ARG002 - as the protocol has it
        _refuse("reads dead letters")


class _Follower(Generic[T]):
    """Asks for one batch after the other. A cancelled wait loses nothing: what it would have brought is asked for again."""

    def __init__(self, ask: Callable[[Position], Any], after: Position) -> None:
        self._ask = ask
        self._position = after

    def __aiter__(self) -> _Follower[T]:
        return self

    async def __anext__(self) -> Sequence[T]:
        found: Sequence[Any] = await self._ask(self._position)
        self._position = found[-1].position
        return found


@asynccontextmanager
async def _followed(ask: Callable[[Position], Any], after: Position) -> AsyncIterator[_Follower[Any]]:
    yield _Follower(ask, after)


def _to_append(wanted: Append) -> CommitToAppend:
    return CommitToAppend(wanted.subject, write_commit(wanted.subject, wanted.commit), wanted.expected)


def _position(found: Any) -> Position:
    assert isinstance(found, int)
    return found


def _recorded(found: list[StoredCommit]) -> list[Recorded]:
    return [each.recorded() for each in found]


def _recorded_or_none(found: StoredCommit | None) -> Recorded | None:
    return None if found is None else found.recorded()


def _refuse(what: str) -> NoReturn:
    raise InvalidArgument(f"No client in the code of a flow {what}: that is for agents and servers.")
