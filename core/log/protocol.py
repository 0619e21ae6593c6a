"""What Headwater asks of a log, and nothing more. JetStream and a list in memory keep this promise; one suite of tests proves both.

A log holds commits on subjects. Each commit has a position: positions start at 1, grow by one and have no gaps. The commits of one
subject, in order, are the history of one aggregate.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from headwater.core.errors import CommitUnreadable
from headwater.core.events import AnyEvent
from headwater.core.log.commit import Commit, Position
from headwater.core.log.dead_letters import DeadLetter
from headwater.core.log.edge import read_commit
from headwater.core.values.limits import Instant, Int32, Token, Uuid


class Recorded:
    """A message as the log holds it: where, when the log received it, and its bytes. The bytes are decoded when asked for, once."""

    __slots__ = ("_commit", "data", "position", "recorded_at", "subject")

    def __init__(self, position: Position, subject: str, recorded_at: datetime, data: bytes) -> None:
        self.position = position
        self.subject = subject
        self.recorded_at = recorded_at
        self.data = data
        self._commit: Commit | CommitUnreadable | None = None

    @property
    def commit(self) -> Commit:
        """The decoded commit.

        Raises:
            CommitUnreadable: this is a dead letter.

        """
        if self._commit is None:
            try:
                self._commit = read_commit(self.subject, self.data)
            except CommitUnreadable as error:
                self._commit = error
        if isinstance(self._commit, CommitUnreadable):
            raise self._commit.with_traceback(None)  # a new one each time, or its traceback would grow
        return self._commit

    @property
    def dead_letter(self) -> CommitUnreadable | None:
        """Why the message cannot be read; None where it can."""
        try:
            _ = self.commit
        except CommitUnreadable as error:
            return error
        return None

    @property
    def commit_id(self) -> str | None:
        """The id of the commit; None of a dead letter, which has none."""
        return None if self.dead_letter is not None else self.commit.id

    @property
    def events(self) -> Sequence[AnyEvent]:
        """The events of the commit: what folds take in. A dead letter tells nothing, so it has none."""
        return () if self.dead_letter is not None else self.commit.events

    def __repr__(self) -> str:
        return f"<Recorded {self.position} {self.subject}>"


class Append(NamedTuple):
    """One append of several that take effect together."""

    subject: str
    commit: Commit
    expected: Position


@dataclass(frozen=True)
class LogTail:
    """Which log this is, and how far it goes. `identity` changes when the log is made again. `now`: when it said so, by its own clock."""

    identity: str
    position: Position
    now: datetime | None = field(default=None, compare=False)


class EventLog(Protocol):
    """The facts. What `append` returned is on disk and stays."""

    async def append(self, subject: str, commit: Commit, *, expected: Position) -> Position:
        """Append the commit if the last position on exactly this subject is `expected` (0: the subject is empty); return its position.

        Repeating a commit whose first reply was lost returns the position it got; it is never written twice.

        Raises:
            Conflict: another commit is there.
            CommitTooLarge, LogFull, LogUnavailable, AuthenticationFailed: nothing was written.
            OutcomeUnknown: no answer, and none could be found in time; repeating with the same commit is safe.

        """
        ...

    async def append_together(self, appends: Sequence[Append]) -> Position:
        """Append commits to several subjects, all or none; return the last one's position. For rare changes: it costs several fsyncs.

        Raises as `append` does; on Conflict nothing of it was written.
        """
        ...

    async def read(self, subject: str, *, after: Position = 0, at_least: Position = 0) -> list[Recorded]:
        """Return the commits of one subject with positions over `after`, in order; of all subjects that match it, where it has a `*`.

        The answer includes everything up to `at_least` (what a Conflict named, or an append returned), waiting for a lagging replica
        if needed.
        """
        ...

    async def last(self, subject: str) -> Recorded | None:
        """Return the last commit of one subject, however many were before it; None where there is none."""
        ...

    async def last_of_each(self, subjects: str) -> list[Recorded]:
        """Return the last commit of each subject that matches, in order, however many were before them."""
        ...

    def read_all(self, *, after: Position = 0, until: Position | None = None) -> AsyncIterator[Sequence[Recorded]]:
        """Yield every commit over `after` up to `until` (default: the tail at the time of the call), in batches, in order, without gaps.

        Ends also where the log holds less than its tail says, as after a crash that tore what was written last: a caller who must know
        compares positions with it.
        """
        ...

    def follow(self, subjects: str, *, after: Position = 0) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Recorded]]]:
        """Follow the subjects (`*` and `>` match as in NATS): each commit over `after` once, in order, in batches; then those to come.

        Survives reconnects and broker restarts without gap or repetition. Entering it returns when commits to come are sure to be seen.
        """
        ...

    async def tail(self) -> LogTail:
        """Return which log this is and its last position."""
        ...

    async def at(self, position: Position) -> Recorded | None:
        """Return the message at this position, or None where there is none."""
        ...


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """What wakes an agent for a run. Carries the run's creation, so that the agent woken first can complete it after a crash.

    An item in the queue of schedules wakes a server for a schedule, whose id is in place of the run's.
    """

    run_id: Uuid
    queue_id: Token
    generation: Int32
    creation: Commit | None = None


class Delivery(Protocol):
    """A work item that an agent holds. It stays the agent's while it is renewed; unrenewed, it is offered again after the lease's half."""

    @property
    def item(self) -> WorkItem: ...

    @property
    def offered_at(self) -> datetime:
        """When the item was published, or its timer fired: the stream's timestamp."""
        ...

    @property
    def redelivered(self) -> bool:
        """Whether the broker says that it offered this before. False proves nothing (a restarted broker forgets)."""
        ...

    async def extend(self) -> None:
        """Keep the item for another half lease."""
        ...

    async def ack(self, *, confirmed: bool = True) -> None:
        """Give up the item for good: it is not offered again. Confirmed by the broker when this returns.

        Not `confirmed`, it may be offered once more where the connection breaks: for one to whom that means nothing.
        """
        ...

    async def nack(self, *, delay_seconds: float = 0.0) -> None:
        """Offer the item to others, at once or after a delay."""
        ...

    async def set_aside(self, reason: str) -> None:
        """Keep the item among the dead letters, with why no agent can use it, and give it up for good."""
        ...


class QueueBinding(Protocol):
    """An agent's hold on one queue: iterate it in one task for as long as it is bound.

    It asks the broker for one item at a time, only while it is not paused and a task waits for the next, and for nothing else while idle.
    A cancelled wait loses nothing; the next wait goes on.
    """

    def pause(self) -> None:
        """Stop asking for items (all slots are taken). What was already on its way is given back to others."""
        ...

    def resume(self) -> None:
        """Ask for items (again): so a binding begins."""
        ...

    def limit(self, number: int | None) -> None:
        """Let at most so many of the queue's items be held at once, by all agents together; None: no limit. Takes effect soon."""
        ...

    def __aiter__(self) -> AsyncIterator[Delivery]: ...


class RunQueues(Protocol):
    """Work items and timers. Not facts: all of it can be rebuilt from the log."""

    async def enqueue(self, item: WorkItem) -> None:
        """Publish the wake-up of a run that is due; on disk when this returns. A run's item replaces nothing: items may repeat."""
        ...

    async def set_timer(self, item: WorkItem, *, due: datetime) -> None:
        """Have the broker publish the wake-up when it is due, across restarts. A newer timer of the same run replaces the older."""
        ...

    async def cancel_timer(self, run_id: str) -> None:
        """Remove the run's timer, if there is one. A fire already on its way may still arrive."""
        ...

    async def is_waiting(self, run_id: str, *, generation: int = 0) -> bool:
        """Tell whether the run has an item (held by an agent or not) or a timer, of this generation or a newer one.

        On a cluster, what was done with a moment ago may count still.
        """
        ...

    async def undelivered(self, queue_id: str) -> int:
        """Return how many of the queue's items wait for someone to ask; 0 where no agent ever did."""
        ...

    async def waiting_runs(self) -> set[str]:
        """Return every run that has an item or a timer. Makes what held them again, where that was deleted."""
        ...

    def work_lost(self) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """Hear of every moment at which items and timers may have been lost.

        What held them was deleted or made again, or the connection was away. Entering it returns when losses to come are sure to be
        heard; several at once are reported once.
        """
        ...

    def bind(
        self, queue_id: str, *, lease_seconds: float, limit: int | None = None, at_once: int = 1
    ) -> AbstractAsyncContextManager[QueueBinding]:
        """Bind the queue: each item goes to one of those bound, at most `limit` being in hands at once.

        `at_once` items are asked for together: for one who takes whatever comes, and is done with each soon.
        Survives reconnects, broker restarts, and losses.
        """
        ...


class LogLine(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """One line a run logged. `level` is Python's number; `task` is the slug of the task that logged it, or empty."""

    at: Instant
    level: Int32
    logger: str
    message: str
    task: str = ""
    map_index: Int32 = -1


class Unreadable(NamedTuple):
    """A message of log lines that cannot be read: a dead letter, and why."""

    subject: str
    recorded_at: datetime
    reason: str


class RecordedLines(NamedTuple):
    """Log lines that travelled in one message. A dead letter has no lines, and no run where its subject names none."""

    position: Position
    run_id: str
    attempt: int
    lines: tuple[LogLine, ...]
    unreadable: Unreadable | None = None


class RunLogs(Protocol):
    """What runs logged: kept by age, apart from the facts."""

    async def write(self, run_id: str, attempt: int, lines: Sequence[LogLine]) -> Position:
        """Store the lines as one or more messages; on disk when this returns."""
        ...

    async def read(self, run_id: str, *, after: Position = 0) -> list[RecordedLines]:
        """Return what is kept of the run's lines, in the order of storing."""
        ...

    async def at(self, position: Position) -> RecordedLines | None:
        """Return the message at this position, or None where it is kept no more."""
        ...

    async def bytes_at(self, position: Position) -> bytes | None:
        """Return the bytes of the message at this position, or None where it is kept no more."""
        ...

    def follow(
        self, run_id: str | None = None, *, after: Position = 0
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[RecordedLines]]]:
        """Follow the lines of one run, or of all: what is kept over `after`, then what comes, across reconnects."""
        ...


class KeptLetter(NamedTuple):
    """A dead letter where it is kept."""

    position: Position
    letter: DeadLetter


class DeadLetters(Protocol):
    """Messages set aside by those who keep no table, such as work items that no agent can read. The newest 1,000 are kept."""

    async def keep(self, letter: DeadLetter) -> Position:
        """Store the letter; on disk when this returns. One that is kept already is not kept twice, at least for two minutes."""
        ...

    async def read(self, *, newest: int | None = None) -> list[KeptLetter]:
        """Return those that are kept, the oldest first; of the newest so many places, where that is given."""
        ...

    async def count(self) -> int:
        """Return how many are kept."""
        ...

    async def get(self, position: Position) -> DeadLetter | None:
        """Return one of them, or None where it is not there (any more)."""
        ...

    async def remove(self, position: Position) -> None:
        """Keep it no more. Twice is not an error."""
        ...


class StreamSize(msgspec.Struct, frozen=True, kw_only=True):
    """How much a part of the log holds: "EVENTS" (facts), "WORK" (items and timers) or "LOGS" (log lines).

    `bytes` is what the messages take where they are stored, once; `first` and `last` are when the oldest and the newest one came, None
    where there is none. What exceeds `bytes_max`, or is older than `age_seconds_max`, is forgotten, but of facts: of these, new ones
    are refused. None: no limit.
    """

    name: str
    messages: int
    bytes: int
    first: datetime | None = None
    last: datetime | None = None
    bytes_max: int | None = None
    age_seconds_max: float | None = None
    replicas: int = 1


class LiveMessage(Protocol):
    """A message that is stored nowhere: it reaches all who listen now."""

    @property
    def subject(self) -> str: ...

    @property
    def data(self) -> bytes: ...

    async def respond(self, data: bytes) -> None:
        """Answer the request that this message is. Does nothing where no answer was asked for."""
        ...


class Log(Protocol):
    """One connection to one log: facts, work, run logs, and messages that are not stored."""

    @property
    def url(self) -> str:
        """The address it was opened with."""
        ...

    @property
    def events(self) -> EventLog: ...

    @property
    def queues(self) -> RunQueues: ...

    @property
    def logs(self) -> RunLogs: ...

    @property
    def dead_letters(self) -> DeadLetters: ...

    async def sizes(self) -> tuple[StreamSize, ...]:
        """Return how much there is of facts, of items and timers, and of log lines, in this order; what was deleted is left out.

        Raises:
            LogUnavailable: the log does not answer.

        """
        ...

    async def write_problem(self, *, timeout_seconds: float) -> str | None:
        """Return why nothing can be stored now, as far as the log tells without storing anything; None where it knows of no reason.

        Waits for `timeout_seconds` per stream at most. What it is silent about (a full disk) only an append shows.
        """
        ...

    async def publish(self, subject: str, data: bytes) -> None:
        """Send a message to all who listen on the subject now. At most once: it is not confirmed.

        Raises:
            LogUnavailable: there is no connection now.

        """
        ...

    async def request(self, subject: str, data: bytes, *, timeout: float) -> bytes:  # seconds
        """Send a question and return the first answer.

        Raises:
            RequestTimeout: no one listens, no answer came in `timeout` seconds, or the connection broke.
            LogUnavailable: there is no connection, and none came in `timeout` seconds.

        """
        ...

    def subscribe(self, subjects: str, *, group: str = "") -> AbstractAsyncContextManager[AsyncIterator[LiveMessage]]:
        """Listen on the subjects (`*` and `>` match). Of the listeners of one `group`, one gets each message.

        Entering it returns when the broker knows of it (the other nodes of a cluster: a moment later). At most once: what is sent while
        the connection is away is missed.
        """
        ...

    def on_reconnect(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called whenever a lost connection is back (live messages may have been missed); call the answer to end that."""
        ...
