"""Every error Headwater raises on purpose.

    HeadwaterError
    ├── CommandRejected           a rule said no; fix the call
    │   ├── InvalidName
    │   ├── InvalidArgument       a ValueError as well
    │   │   ├── WrongType         a TypeError as well
    │   │   ├── InvalidParameters
    │   │   ├── InvalidKeyValue
    │   │   └── InvalidArtifact
    │   ├── NotFound
    │   │   └── KeyNotFound       a ValueError, too
    │   ├── Ambiguous
    │   ├── AlreadyExists
    │   ├── FlowArchived
    │   ├── IllegalTransition
    │   ├── VersionConflict       it changed since the caller looked; look again, decide again
    │   └── SlotsFull             all slots of a limited flow are taken; the run waits
    ├── LogError                  the log could not do it
    │   ├── Conflict              another writer was first; fold again, decide again
    │   ├── OutcomeUnknown        no answer came; safe to repeat with the same commit
    │   │   ├── RunUnknown        of the creation of a run
    │   │   └── RunNotCreated     of what precedes a creation: no run was created
    │   ├── LogUnavailable        no server at this address
    │   │   └── LogNotWritable    it answers, and stores nothing
    │   ├── RequestTimeout        no answer to a request came in time
    │   ├── AuthenticationFailed  the server wants another key
    │   ├── LogFull               the broker reports that its storage is full
    │   ├── CommitTooLarge
    │   ├── CommitUnreadable
    │   └── StreamMismatch        the stream there is older, newer or not ours
    │       └── StreamMissing     there is none: no server has made it yet
    ├── ViewsError
    │   ├── ViewsUnavailable      no answer to queries (no server, or PostgreSQL is away)
    │   └── ViewsBehind           the views did not reach the position asked for in time
    └── SettingsError             a setting is unknown, malformed or out of range

Facts are attributes; the sentence is made here, in one place. `hint` says what to do next.
"""

from __future__ import annotations

from headwater.core.hints import (
    ExplainRunAction,
    Hint,
    ListRunsAction,
    RunDoctorAction,
    ShowServerStatusAction,
    ShowViewsStatusAction,
    StartServerAction,
    hint,
    words,
)
from headwater.core.text import escaped


class HeadwaterError(Exception):
    """Base of every error Headwater raises on purpose.

    `hint` is one sentence on what to do, or None, worded for this process; `advice` is what it was worded from, for other front ends.
    """

    advice: Hint | str | None = None

    def __init__(self, message: str, *, hint: Hint | str | None = None) -> None:
        super().__init__(message)
        self.advise(hint)

    @property
    def hint(self) -> str | None:
        """One sentence on what to do. It is a note of the error too, since most people read it in a traceback."""
        return words(self.advice)

    @hint.setter
    def hint(self, hint: str | None) -> None:
        self.advise(hint)

    def advise(self, hint: Hint | str | None) -> None:
        """Say what to do, instead of what was said before."""
        before = getattr(self, "__notes__", [])
        notes = [note for note in before if note != f"hint: {self.hint}"]
        self.advice = hint
        if before or hint:
            self.__notes__ = [*notes, f"hint: {self.hint}"] if hint else notes


class CommandRejected(HeadwaterError):
    """A rule does not allow this command in this state. Repeating it changes nothing."""


class InvalidName(CommandRejected):
    """A name is empty, too long or holds control characters."""


class InvalidArgument(CommandRejected, ValueError):
    """An argument has the wrong form or value."""


class WrongType(InvalidArgument, TypeError):
    """An argument is of another type than the one it must have."""


class InvalidParameters(InvalidArgument):
    """Parameters of a run are missing, unknown or not JSON."""


class InvalidKeyValue(InvalidArgument):
    """A key is empty or too long, or its value cannot be stored."""


class InvalidArtifact(InvalidArgument):
    """An artifact is of no known kind, or holds what it cannot show."""


class NotFound(CommandRejected):
    """Nothing is known under this name or id."""

    def __init__(self, kind: str, name: str, *, hint: Hint | str | None = None) -> None:
        self.kind, self.name = kind, name
        super().__init__(f"{kind.capitalize()} {name!r} not found.", hint=hint)


class KeyNotFound(NotFound, ValueError):
    """The key of a project has no value. A ValueError too, which is what flows written for Prefect catch."""

    def __init__(self, key: str, project: str = "", *, hint: Hint | str | None = None) -> None:
        super().__init__("key", key, hint=hint)
        if project:
            self.args = (f"No value found for key {key!r} in project {project!r}.",)


class Ambiguous(CommandRejected):
    """More than one thing answers to this name."""


class AlreadyExists(CommandRejected):
    """The name is taken."""

    def __init__(self, kind: str, name: str, *, existing_id: str, hint: Hint | str | None = None) -> None:
        self.kind, self.name, self.existing_id = kind, name, existing_id
        super().__init__(f"{kind.capitalize()} {name!r} already exists.", hint=hint)


class FlowArchived(CommandRejected):
    """The flow version is archived; it takes no new runs."""


class IllegalTransition(CommandRejected):
    """The state does not allow this change."""


class VersionConflict(CommandRejected):
    """The run has changed since the caller looked at it."""

    def __init__(self, run_id: str, *, expected: int, found: int) -> None:
        self.run_id, self.expected, self.found = run_id, expected, found
        super().__init__(
            f"Run {run_id} is at version {found}, not {expected}: it has changed meanwhile.", hint="Look at it again, and decide again."
        )


class SlotsFull(CommandRejected):
    """As many runs of the flow are executed as may be; `runs` are their ids."""

    def __init__(self, limit: int, runs: tuple[str, ...]) -> None:
        self.limit, self.runs = limit, runs
        super().__init__(f"The flow's limit of {limit} is reached.")


class LogError(HeadwaterError):
    """The log could not do what was asked."""


class Conflict(LogError):
    """Another writer appended to this subject first; fold again and decide again.

    `found` is the subject's last position as the broker named it, or None where it did not say.
    """

    def __init__(self, subject: str, *, expected: int, found: int | None) -> None:
        self.subject, self.expected, self.found = subject, expected, found
        seen = "an unseen commit" if found is None else f"position {found}"
        super().__init__(f"{subject} was expected at position {expected}, but {seen} is there.")


class OutcomeUnknown(LogError):
    """No answer came to an append, and it could not be found out whether it took effect.

    Repeating the same command with the same commit id is safe: it takes effect at most once. `log_problem` is what the log says of
    itself, as a sentence without its full stop; empty where it says nothing.
    """

    def __init__(self, commit_id: str, reason: str, *, log_problem: str = "") -> None:
        self.commit_id, self.reason, self.log_problem = commit_id, log_problem or reason, log_problem
        reason = self.reason
        super().__init__(
            f"It is unknown whether commit {commit_id} was written: {reason}",
            hint="Repeating the command is safe: it takes effect at most once.",
        )


class RunUnknown(OutcomeUnknown):
    """It could not be found out whether a run was created; `run_id` is the id that it has if it was, or will be.

    A caller who repeats the command asks for another run, unless an idempotency key names this one (`has_key`).
    """

    def __init__(self, commit_id: str, run_id: str, cause: LogError, *, has_key: bool) -> None:
        super().__init__(commit_id, str(cause))
        self.run_id = run_id
        if isinstance(cause, LogFull):
            sentence = f"The log is full ({cause.reason}). Run {run_id} may be created as soon as there is room: its wake-up was stored."
        else:
            reason = cause.reason if isinstance(cause, OutcomeUnknown) else str(cause)
            sentence = f"It is unknown whether run {run_id} was created: {reason}"
        self.args = (sentence,)
        then = "; with the same idempotency key, repeating it makes no second run."
        if not has_key:
            then = ": that would create another run. With an idempotency key the same command creates one run at most."
        self.advise(hint(f"Look with {{}} or {{}} before you repeat it{then}", ListRunsAction(), ExplainRunAction(run_id)))


class RunNotCreated(OutcomeUnknown):
    """What must be written before a run got no answer; no run was created."""

    def __init__(self, cause: OutcomeUnknown) -> None:
        super().__init__(cause.commit_id, cause.reason)
        self.args = (f"No run was created: {cause.reason}",)
        self.advise(hint("Repeat the command when the log takes writes again; {} tells whether it does.", RunDoctorAction()))


class LogUnavailable(LogError):
    """No server answers at this address. With `maybe_stored`, what was sent may have been stored nevertheless."""

    maybe_stored = False

    def __init__(self, address: str, reason: str = "") -> None:
        self.address, self.reason = address, reason
        super().__init__(
            f"No Headwater server answers at {address}{f' ({reason})' if reason else ''}.",
            hint=hint("Start one with {}, or set HEADWATER_NATS_URL to the address of one.", StartServerAction()),
        )


ROOM_OR_NODES = "Free disk space where NATS stores, or start the NATS nodes that are missing"
"""What makes a log take writes again, as the beginning of a sentence."""


class LogNotWritable(LogUnavailable):
    """The log answers, and stores nothing: a majority of its cluster is missing, or its storage is stuck. Nothing was written."""

    def __init__(self, address: str, problem: str) -> None:
        self.address, self.reason, self.problem = address, problem, problem
        LogError.__init__(
            self,
            f"The log at {address} takes no writes: {problem}.",
            hint=hint(f"{ROOM_OR_NODES}; {{}} tells when it takes writes.", RunDoctorAction()),
        )


class RequestTimeout(LogError):
    """No answer to a request came. `maybe_received` is False where it is certain that no one received it."""

    def __init__(self, subject: str, reason: str, *, maybe_received: bool) -> None:
        self.subject, self.reason, self.maybe_received = subject, reason, maybe_received
        super().__init__(f"No answer on {subject}: {reason}.")


class AuthenticationFailed(LogError):
    """The server wants a key and got none, or another one than its own."""

    def __init__(self, address: str, *, sent: bool) -> None:
        self.address = address
        super().__init__(
            f"The server at {address} refused the key." if sent else f"The server at {address} wants a key; none was sent.",
            hint="Give the server's key with --key or HEADWATER_KEY.",
        )


class LogFull(LogError):
    """The broker has no room left. Nothing was written."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The log is full; nothing was written ({reason}).",
            hint="Free disk space where the NATS server keeps its data, then repeat the command.",
        )


class CommitTooLarge(LogError):
    """A commit exceeds what one message may hold."""

    def __init__(self, size: int, limit: int) -> None:
        self.size, self.limit = size, limit
        super().__init__(f"A commit of {size} bytes exceeds the limit of {limit} bytes for one message.")


class CommitUnreadable(LogError):
    """A message in the log is not what this version can read there; `reason` says why, and is the same wherever it is read."""

    def __init__(self, reason: str) -> None:
        # What the bytes hold comes into the sentence; it is shown, stored and sent from here on.
        self.reason = escaped(reason)[:_REASON_CHARACTERS_MAX]
        super().__init__(f"This message cannot be read: {self.reason}")


_REASON_CHARACTERS_MAX = 1000


class StreamMismatch(LogError):
    """A stream of our name exists with a configuration this version does not accept."""


class StreamMissing(StreamMismatch):
    """The NATS server has no stream of our name: no Headwater server was started with it yet."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"The NATS server has no stream {name}.", hint=hint("{} makes it.", StartServerAction()))


class ViewsError(HeadwaterError):
    """The views could not answer."""


class ViewsUnavailable(ViewsError):
    """Queries get no answer: no server is running, or its PostgreSQL is away. Appending still works."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The views cannot be read now: {reason}",
            hint=hint("What you append is safe and will show when the views are back; {} tells more.", ShowServerStatusAction()),
        )


class ViewsBehind(ViewsError):
    """The views did not reach the asked position in time."""

    def __init__(self, *, asked: int, reached: int) -> None:
        self.asked, self.reached = asked, reached
        super().__init__(
            f"The views are at position {reached} and did not reach {asked} in time.",
            hint=hint("The views lag behind the log; {} shows by how much.", ShowViewsStatusAction()),
        )


class SettingsError(HeadwaterError):
    """A setting is unknown, malformed or out of range."""


_FORMER_NAMES = {
    "KeyRefused": "AuthenticationFailed",
    "NoAnswer": "RequestTimeout",
    "Refused": "CommandRejected",
    "VersionLocked": "VersionConflict",
}
"""Names that these errors had before: programs catch them, and pickled exceptions name them."""


def __getattr__(name: str) -> type[HeadwaterError]:
    if name in _FORMER_NAMES:
        return globals()[_FORMER_NAMES[name]]  # type: ignore[no-any-return]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
