"""Commands about a run and its task runs: what a user, an agent or an attempt asks for, in the imperative.

Clocks, ids and random names arrive inside them; the rules have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from headwater.core.events import (
    CancelCause,
    EdgeSpec,
    Failure,
    ResultReference,
    RunCreated,
    TaskRunEvent,
)
from headwater.core.runs.artifact_commands import CreateArtifact, DeleteArtifact, UpdateArtifact
from headwater.core.states import StateName


@dataclass(frozen=True)
class CreateRun:
    """Have the run exist as the event says it, due at `due_at`. It fails when `attempts_max` attempts were lost (None: the default)."""

    created: RunCreated
    due_at: datetime
    attempts_max: int | None = None


@dataclass(frozen=True)
class ClaimRun:
    """Make the next attempt this agent's own, if the wake-up's generation is the current one."""

    generation: int
    agent_id: str
    agent_name: str = ""


@dataclass(frozen=True)
class MarkAttemptLost:
    """Record that the attempt is gone. After `attempts_max` lost attempts (None: as the run has it) the run fails.

    The next one is made at `retry_at`; without it, at once. An attempt that its agent hands back, of its own accord, counts for nothing.
    """

    attempt: int
    reason: str
    at: datetime
    attempts_max: int | None = None
    retry_at: datetime | None = None
    released: bool = False


@dataclass(frozen=True)
class SuspendRun:
    """End the attempt, which is not lost: the run has nothing to do before `due_at`, and its next attempt goes on then.

    Without a time it waits for a user to resume a task of it. Where one was resumed that is not among `resumed` (those the attempt
    knows of), the next attempt follows at once.
    """

    attempt: int
    at: datetime
    due_at: datetime | None
    message: str = ""
    resumed: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True)
class ResumeTaskRuns:
    """Let paused task runs go on: those named (slug and map index), or all that are paused where none is."""

    at: datetime
    task_runs: tuple[tuple[str, int], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class StartRun:
    attempt: int
    at: datetime


@dataclass(frozen=True)
class RecordTaskRuns:
    """Record what happened to task runs, in order."""

    attempt: int
    events: tuple[TaskRunEvent, ...]


@dataclass(frozen=True)
class FinishRun:
    """End the run by its reference tasks' states: well where `failed` is false. `events`: what happened to its task runs last."""

    attempt: int
    at: datetime
    failed: bool
    message: str
    failure: Failure | None = None
    events: tuple[TaskRunEvent, ...] = ()


@dataclass(frozen=True)
class FailUnstartedRun:
    """End a run that could not be started: its storage is gone, its environment wrong."""

    at: datetime
    message: str
    attempt: int = 0
    failure: Failure | None = None


@dataclass(frozen=True)
class CancelRun:
    """Ask that the run ends. `cause` is a `CancelCause`, or what an event says that another version wrote."""

    at: datetime
    reason: str = ""
    cause: str = CancelCause.USER


@dataclass(frozen=True)
class ConfirmCancelled:
    """Record that nothing of the attempt runs any more."""

    attempt: int
    at: datetime


@dataclass(frozen=True)
class RescheduleRun:
    due_at: datetime
    message: str = "Flow run rescheduled."


@dataclass(frozen=True)
class RestartRun:
    """Execute a run that has ended once more: what failed or was cancelled, `from_task` where it is given, and all that follows these.

    `tasks` and `edges` are those of the flow version that the run is of.
    """

    at: datetime
    tasks: tuple[str, ...]
    edges: tuple[EdgeSpec, ...]
    from_task: str = ""
    reason: str = ""


@dataclass(frozen=True)
class SetRunState:
    """Set the state of a run manually: one that no attempt has.

    `due_at` is for Scheduled (None: now), as are `tasks` and `edges`: those of the flow version that the run is of.
    """

    at: datetime
    state: StateName
    reason: str = ""
    due_at: datetime | None = None
    tasks: tuple[str, ...] = ()
    edges: tuple[EdgeSpec, ...] = ()


@dataclass(frozen=True)
class SetTaskRunState:
    """Set the state of a task run manually, in a run that no attempt has. `tasks` are the slugs of the flow version.

    `result` is what tasks that take its value find; without one they find None.
    """

    at: datetime
    slug: str
    map_index: int
    state: StateName
    reason: str = ""
    tasks: tuple[str, ...] = ()
    result: ResultReference | None = None


@dataclass(frozen=True)
class RenameRun:
    name: str


@dataclass(frozen=True)
class DeleteRun:
    reason: str = ""


RunCommand = (
    CreateRun
    | ClaimRun
    | MarkAttemptLost
    | SuspendRun
    | ResumeTaskRuns
    | StartRun
    | RecordTaskRuns
    | FinishRun
    | FailUnstartedRun
    | CancelRun
    | ConfirmCancelled
    | RescheduleRun
    | RestartRun
    | SetRunState
    | SetTaskRunState
    | CreateArtifact
    | UpdateArtifact
    | DeleteArtifact
    | RenameRun
    | DeleteRun
)
