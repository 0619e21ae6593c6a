"""The protocol of what starts the runs of an agent. Local processes are one answer; containers and clusters are others."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.agents.attempt_spec import AttemptSpec
from headwater.core.program.signal_names import signal_name
from headwater.core.values.amounts import size_words


class AttemptReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said of an attempt when it is over. `state` is final and in the log already; or the attempt was not its own.

    Neither: the run was parked, and goes on later. `not_begun`: nothing of the attempt has begun, for want of this. With `log_trouble` it
    is not over: the log takes nothing, for this reason, or does again (for none).
    """

    state: str | None = None
    not_begun: str = ""
    log_trouble: str | None = None
    message: str = ""
    duration_seconds: float = 0.0
    fenced: bool = False


@dataclass(frozen=True)
class OutOfMemory:
    """That the kernel killed a process for want of memory: the most it held, and what all with it may hold (None: all there is)."""

    peak_bytes: int
    bytes_max: int | None

    @property
    def words(self) -> str:
        """Say so, for people."""
        allowed = "" if self.bytes_max is None else f" of {size_words(self.bytes_max)}"
        return f"it was killed by the kernel for want of memory (it held {size_words(self.peak_bytes)}{allowed})"


@dataclass(frozen=True)
class ExitResult:
    """How a run's process ended. Without a report nothing is known but the log."""

    status: int
    report: AttemptReport | None
    last_lines: tuple[str, ...] = ()
    out_of_memory: OutOfMemory | None = None
    with_starter: int = 0
    """Where it was killed since the process that had started it was gone: how that one ended."""
    given_back: str = ""
    """Where it was ended for no fault of the run: why."""
    ended_because: str = ""
    """Where it was told to end since nothing of it could be recorded any more: why."""

    @property
    def words(self) -> str:
        """Say how the process ended, for people."""
        if self.out_of_memory is not None:
            return self.out_of_memory.words
        if self.ended_because:
            return f"it was ended, since {self.ended_because.rstrip('.')}"
        if self.with_starter:
            return f"it was killed with the process that starts runs, which {end_words(self.with_starter)}"
        return f"it {end_words(self.status)}"

    @property
    def told_to_end(self) -> bool:
        """Whether a signal told the process to end, and it did."""
        return self.status == STATUS_INTERRUPTED or -self.status in _WISHES


STOP_SECONDS = 10.0
"""How long the flow's code may take to end when its attempt must; then its processes are killed."""
STATUS_INTERRUPTED = 143
"""With it a run's process ends that was told to: what becomes of the attempt is for others to record."""

_WISHES = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT})
_CRASHES: Mapping[int, str] = {
    signal.SIGSEGV: "crashed: segmentation fault",
    signal.SIGBUS: "crashed: bus error",
    signal.SIGFPE: "crashed: arithmetic error",
    signal.SIGILL: "crashed: illegal instruction",
    signal.SIGABRT: "aborted itself",
    signal.SIGSYS: "made a system call that it may not make",
    signal.SIGXCPU: "used up the processor time that it may use",
    signal.SIGXFSZ: "wrote more into a file than it may",
}


def end_words(status: int) -> str:
    """Say how a process ended, by its exit status or the negative number of the signal that ended it, as a part of a sentence."""
    if status >= 0:
        return f"exited with status {status}"
    number = -status
    name = signal_name(number)
    return f"{_CRASHES[number]} ({name})" if number in _CRASHES else f"was ended by signal {number} ({name})"


@dataclass(frozen=True)
class LaunchSpec:
    """Where and with what environment an attempt's process runs. Without `attempt` it has no supervisor, and executes nothing."""

    environment: Mapping[str, str]
    directory: Path
    attempt: AttemptSpec | None = None


class ChildProcess(Protocol):
    """A run's process."""

    async def wait(self) -> ExitResult:
        """Return when the process has ended."""
        ...

    async def stop(self, *, grace_seconds: float) -> None:
        """Ask the process and all it started to end, and kill what is left after the grace; return when it is gone."""
        ...


@dataclass(frozen=True)
class AttemptListener:
    """Who hears of an attempt whose process runs."""

    log_trouble: Callable[[str], None] = lambda _: None
    """Called when the log takes nothing of the attempt, with the reason, and without one when it does again."""
    started: Callable[[], None] = lambda: None
    """Called when it is recorded that the flow runs."""


class Launcher(Protocol):
    """Starts the processes of runs. A service: what it started ends with it."""

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None: ...

    async def launch(self, spec: LaunchSpec, listener: AttemptListener) -> ChildProcess:
        """Start the attempt's process; it is there when this returns.

        Raises:
            CannotLaunch: it can never be started here.
            LaunchFailed: not now, for want of something.
            LauncherGone: not now; trying again may help.

        """
        ...
