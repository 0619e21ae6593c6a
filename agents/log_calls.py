"""What the code of a flow asks of the log through its supervisor, as a client does: `headwater.Client()` in a task has no connection.

One call for each thing that a client does with a log. Commits and work items travel as the bytes that are stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from headwater.core import errors
from headwater.core.errors import HeadwaterError
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Recorded


class CommitToAppend(msgspec.Struct, frozen=True, array_like=True):
    """A commit for a subject, and the position after which it is meant to follow there."""

    subject: str
    commit: bytes
    expected: Position


class AppendCommit(msgspec.Struct, frozen=True, tag="append"):
    """`EventLog.append`."""

    append: CommitToAppend


class AppendTogether(msgspec.Struct, frozen=True, tag="append-together"):
    """`EventLog.append_together`."""

    appends: tuple[CommitToAppend, ...]


class ReadSubject(msgspec.Struct, frozen=True, tag="read"):
    """`EventLog.read`. The answer is a list of `StoredCommit`, as for all that read commits."""

    subject: str
    after: Position
    at_least: Position


class ReadLast(msgspec.Struct, frozen=True, tag="last"):
    """`EventLog.last`. The answer may be none."""

    subject: str


class ReadLastOfEach(msgspec.Struct, frozen=True, tag="last-of-each"):
    """`EventLog.last_of_each`."""

    subjects: str


class ReadAt(msgspec.Struct, frozen=True, tag="at"):
    """`EventLog.at`. The answer may be none."""

    position: Position


class ReadOn(msgspec.Struct, frozen=True, tag="read-on"):
    """The first of the batches of `EventLog.read_all`; none where there are no more."""

    after: Position
    until: Position


class AwaitCommits(msgspec.Struct, frozen=True, tag="await-commits"):
    """The next batch of `EventLog.follow`, however long it takes."""

    subjects: str
    after: Position


class AskTail(msgspec.Struct, frozen=True, tag="tail"):
    """`EventLog.tail`. The answer is a `LogTail`."""


class Enqueue(msgspec.Struct, frozen=True, tag="enqueue"):
    """`RunQueues.enqueue`."""

    item: bytes


class SetTimer(msgspec.Struct, frozen=True, tag="set-timer"):
    """`RunQueues.set_timer`."""

    item: bytes
    due: datetime


class CancelTimer(msgspec.Struct, frozen=True, tag="cancel-timer"):
    """`RunQueues.cancel_timer`."""

    run_id: str


class AskIsWaiting(msgspec.Struct, frozen=True, tag="is-waiting"):
    """`RunQueues.is_waiting`."""

    run_id: str
    generation: int


class AskWaitingRuns(msgspec.Struct, frozen=True, tag="waiting-runs"):
    """`RunQueues.waiting_runs`."""


class ReadLines(msgspec.Struct, frozen=True, tag="read-lines"):
    """`RunLogs.read`. The answer is a list of `RecordedLines`."""

    run_id: str
    after: Position


class AwaitLines(msgspec.Struct, frozen=True, tag="await-lines"):
    """The next batch of `RunLogs.follow`, however long it takes."""

    run_id: str | None
    after: Position


class SendMessage(msgspec.Struct, frozen=True, tag="publish"):
    """`Log.publish`."""

    subject: str
    data: bytes


class AskOthers(msgspec.Struct, frozen=True, tag="request"):
    """`Log.request`. The answer is bytes."""

    subject: str
    data: bytes
    timeout: float


LogCall = (
    AppendCommit
    | AppendTogether
    | ReadSubject
    | ReadLast
    | ReadLastOfEach
    | ReadAt
    | ReadOn
    | AwaitCommits
    | AskTail
    | Enqueue
    | SetTimer
    | CancelTimer
    | AskIsWaiting
    | AskWaitingRuns
    | ReadLines
    | AwaitLines
    | SendMessage
    | AskOthers
)


class StoredCommit(msgspec.Struct, frozen=True, array_like=True):
    """A message of the log, as `Recorded` has it."""

    position: Position
    subject: str
    recorded_at: datetime
    data: bytes

    @classmethod
    def of(cls, recorded: Recorded) -> StoredCommit:
        return cls(recorded.position, recorded.subject, recorded.recorded_at, recorded.data)

    def recorded(self) -> Recorded:
        return Recorded(self.position, self.subject, self.recorded_at, self.data)


class CallRefused(msgspec.Struct, frozen=True):
    """Why a call failed: the name of the error, what it is made of, its words, and what can be done."""

    kind: str
    facts: dict[str, Any]
    words: str
    hint: str | None
    maybe_stored: bool = False


_FACTS: dict[type[HeadwaterError], tuple[str, ...]] = {
    errors.Conflict: ("subject", "expected", "found"),
    errors.OutcomeUnknown: ("commit_id", "reason", "log_problem"),
    errors.LogUnavailable: ("address", "reason"),
    errors.LogNotWritable: ("address", "problem"),
    errors.RequestTimeout: ("subject", "reason", "maybe_received"),
    errors.LogFull: ("reason",),
    errors.CommitTooLarge: ("size", "limit"),
    errors.CommitUnreadable: ("reason",),
    errors.StreamMissing: ("name",),
}
"""The errors that a log raises, and what each is made of. Of others only the words get through, and that it is an error of the log."""


def refusal_of(error: HeadwaterError) -> CallRefused:
    """Return the error as it travels."""
    facts = {name: getattr(error, name) for name in _FACTS.get(type(error), ())}
    maybe_stored = isinstance(error, errors.LogUnavailable) and error.maybe_stored
    return CallRefused(type(error).__name__, facts, str(error), error.hint, maybe_stored)


def error_of(refused: CallRefused) -> HeadwaterError:
    """Return the error as the caller is to see it."""
    for kind, names in _FACTS.items():
        if kind.__name__ == refused.kind and refused.facts.keys() == set(names):
            error = kind(**refused.facts)
            if isinstance(error, errors.LogUnavailable) and refused.maybe_stored:
                error.maybe_stored = True
            return error
    other = {"InvalidArgument": errors.InvalidArgument}.get(refused.kind, errors.LogError)
    return other(refused.words, hint=refused.hint)
