"""What the process of a run and its supervisor say to each other. The process has no connection: all it asks of the log goes this way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from headwater.agents.attempt_spec import RunSnapshot
from headwater.agents.log_calls import CallRefused, LogCall
from headwater.core.events import Failure, KnownEvent
from headwater.core.log.codec import message_decoder
from headwater.core.log.protocol import LogLine
from headwater.core.runs.task_run import TaskRunKey
from headwater.core.values.json_bytes import json_bytes

SESSION_DESCRIPTOR = 3
"""The descriptor of the run's process that is its end of the channel to its supervisor."""


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """The process of this number executes the attempt."""

    process_id: int


class Happened(msgspec.Struct, frozen=True, tag="happened"):
    """Something happened to a task run."""

    event: KnownEvent


class Logged(msgspec.Struct, frozen=True, tag="logged"):
    """A line for the run's log."""

    line: LogLine


class StartAttempt(msgspec.Struct, frozen=True, tag="start"):
    """Record that the flow is about to run."""


class FinishAttempt(msgspec.Struct, frozen=True, omit_defaults=True, tag="finish"):
    """Record how the run ended, after everything that happened in it. The answer is `LeftOver`."""

    failed: bool
    message: str
    failure: Failure | None = None


class SuspendAttempt(msgspec.Struct, frozen=True, omit_defaults=True, tag="suspend"):
    """Record that the run goes on at that time, or when a user resumes it, in another attempt, and have that one woken.

    `resumed` are the task runs of which this attempt knows that they were resumed. The answer is `LeftOver`.
    """

    due_at: datetime | None
    message: str
    resumed: tuple[TaskRunKey, ...] = ()


class RefuseAttempt(msgspec.Struct, frozen=True, omit_defaults=True, tag="refuse"):
    """Record that the run cannot be started, and why. The answer is `LeftOver`."""

    message: str
    failure: Failure | None = None


class StopAttempt(msgspec.Struct, frozen=True, tag="stop"):
    """Store what was recorded and logged; where a user cancelled the run, cancel what its tasks created, too: these children at least.

    The answer is `LeftOver`.
    """

    children: tuple[str, ...] = ()


class FindCachedResults(msgspec.Struct, frozen=True, tag="cached-results"):
    """Find the results of tasks that serve again under this key: those that were there when this run was created, at least.

    The answer is a list of `CachedResultRow`.
    """

    key: str


class FindRegisteredSlugs(msgspec.Struct, frozen=True, tag="registered-slugs"):
    """Find the slugs of the tasks that were registered; None where the log holds no such version any more."""


AttemptRequest = StartAttempt | FinishAttempt | SuspendAttempt | RefuseAttempt | StopAttempt | FindCachedResults | FindRegisteredSlugs


class TimeLimited(msgspec.Struct, frozen=True, omit_defaults=True, tag="time-limited"):
    """A task run is executed by the main thread, and has these seconds. Then the process gets a signal that interrupts it, more than once.

    If it goes on for `grace_seconds` more, the process is ended: `event`, of which only the times are to come, is recorded where there is
    one, and `message` says why the rest of the run goes on in another process. `resumed` are the task runs of which this attempt knows
    that they were resumed.
    """

    seconds: float
    grace_seconds: float
    signal: int
    message: str
    event: KnownEvent | None = None
    resumed: tuple[TaskRunKey, ...] = ()


class TimeLimitOver(msgspec.Struct, frozen=True, tag="time-limit-over"):
    """The task run that was limited last is executed no more."""


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    """A request that wants an answer with its number."""

    number: int
    request: AttemptRequest


class Called(msgspec.Struct, frozen=True, tag="called"):
    """A call of the flow's own code to the log, as clients make them. It wants an answer with its number."""

    number: int
    call: LogCall


class Withdrawn(msgspec.Struct, frozen=True, tag="withdrawn"):
    """The call of this number is waited for no more."""

    number: int


class Briefing(msgspec.Struct, frozen=True, omit_defaults=True, tag="briefing"):
    """The run, as the log has it when the attempt begins: `known` after its first claim, else the bytes of its commits."""

    known: RunSnapshot | None = None
    commits: tuple[bytes, ...] = ()


class FencedAnswer(msgspec.Struct, frozen=True):
    """The run is not this attempt's any more: it is in this state, and this is its last attempt."""

    attempt: int
    state: str
    last_attempt: int


class Answered(msgspec.Struct, frozen=True, omit_defaults=True, tag="answered"):
    """The answer to the request or call of this number; or why there is none, in words, or as the error that a call raises."""

    number: int
    value: msgspec.Raw = msgspec.Raw(b"null")
    refusal: str = ""
    fenced: FencedAnswer | None = None
    failed: CallRefused | None = None


class Resumed(msgspec.Struct, frozen=True, tag="resumed"):
    """A user resumed these task runs."""

    task_runs: tuple[TaskRunKey, ...]


class LeftOver(msgspec.Struct, frozen=True):
    """How much of what the attempt sent was not stored, and never will be."""

    events: int = 0
    lines: int = 0


FromProcess = Begun | Happened | Logged | TimeLimited | TimeLimitOver | Asked | Called | Withdrawn
FromSupervisor = Briefing | Answered | Resumed

decode_from_process: Callable[[bytes], FromProcess] = message_decoder(FromProcess)  # type: ignore[arg-type]
decode_from_supervisor: Callable[[bytes], FromSupervisor] = message_decoder(FromSupervisor)  # type: ignore[arg-type]
encode = json_bytes
