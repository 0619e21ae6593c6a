"""What an agent asks of whoever starts its runs. Local processes are one answer; containers and clusters are others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run's process says when its attempt is over. `state` is final and in the log already; or the attempt was not its own.

    Neither: the run was parked, and goes on later.
    """

    state: str | None = None
    message: str = ""
    duration_seconds: float = 0.0
    fenced: bool = False


@dataclass(frozen=True)
class Ending:
    """How a run's process ended. Without a report nothing is known but the log."""

    status: int
    report: Report | None
    last_lines: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Say how the process ended, for people."""
        return f"it was ended by signal {-self.status}" if self.status < 0 else f"it exited with status {self.status}"


@dataclass(frozen=True)
class LaunchOrder:
    """Where and with what environment an attempt's process runs."""

    environment: Mapping[str, str]
    directory: Path


class LaunchedRun(Protocol):
    """A run's process."""

    async def wait(self) -> Ending:
        """Return when the process has ended."""
        ...

    async def stop(self, *, grace_seconds: float) -> None:
        """Ask the process and all it started to end, and kill what is left after the grace; return when it is gone."""
        ...


class Launcher(Protocol):
    """Starts the processes of runs. A service: what it started ends with it."""

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None: ...

    async def launch(self, order: LaunchOrder) -> LaunchedRun:
        """Start the attempt's process.

        Raises:
            CannotLaunch: it can never be started here.
            LauncherGone: not now; trying again may help.

        """
        ...
