"""The rules of a run: it is scheduled, claimed by an agent as attempt n, executed, and ends; it may be cancelled at any time.

    (none) ── created, scheduled ──▶ Scheduled ── submitted ──▶ Submitted ── started ──▶ Running ──▶ Success | Failed
                                        ▲  │                        │                      │
                                        │  └── cancel requested ────┼──▶ Cancelled         │
                                        ├─ attempt lost, or parked ─┴──────────────────────┤
                                        │                                  cancel requested ─┼──▶ Cancelling ──▶ Cancelled
                                        └── resumed ── Paused ◀── parked, waits for people ──┘

Only the current attempt may record anything; a person may resume task runs meanwhile. A run that lost its attempt too often fails. One that
has ended may be restarted: it is Scheduled again, and keeps of its task runs what need not be done again. While no attempt has it, a person
may set its state, and those of its task runs. One that has ended may be deleted: nothing of it changes any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from headwater.core.errors import IllegalTransition, NotFound
from headwater.core.events import AnyEvent, RunRenamed
from headwater.core.rules import Rules
from headwater.core.runs import artifact, attempt_commands, user_commands
from headwater.core.runs.artifact_commands import CreateArtifact, DeleteArtifact, UpdateArtifact
from headwater.core.runs.commands import (
    CancelRun,
    ClaimRun,
    ConfirmCancelled,
    CreateRun,
    DeleteRun,
    FailUnstartedRun,
    FinishRun,
    MarkAttemptLost,
    RecordTaskRuns,
    RenameRun,
    RescheduleRun,
    RestartRun,
    ResumeTaskRuns,
    RunCommand,
    SetRunState,
    SetTaskRunState,
    StartRun,
    SuspendRun,
)
from headwater.core.runs.state import Run, evolve
from headwater.core.values.names import valid_name

_REFUSED_ONCE_DELETED = (RestartRun, RenameRun, SetRunState, SetTaskRunState, CreateArtifact, UpdateArtifact, DeleteArtifact)

__all__ = ["RULES", "Run", "decide", "evolve"]


def decide(run: Run, command: RunCommand) -> Sequence[AnyEvent]:  # noqa: C901, PLR0912 - one arm per command
    if isinstance(command, CreateRun):
        return [] if run.exists else user_commands.create(command)
    if not run.exists:
        raise NotFound("run", "")
    match command:
        case _ if run.deleted and isinstance(command, _REFUSED_ONCE_DELETED):
            raise IllegalTransition("The run was deleted; nothing of it changes any more.")
        case ClaimRun():
            return attempt_commands.claim(run, command)
        case MarkAttemptLost():
            return attempt_commands.lose(run, command)
        case SuspendRun():
            return attempt_commands.suspend(run, command)
        case ResumeTaskRuns():
            return user_commands.resume_task_runs(run, command)
        case StartRun():
            return attempt_commands.start(run, command)
        case RecordTaskRuns():
            return attempt_commands.record(run, command)
        case FinishRun():
            return attempt_commands.finish(run, command)
        case FailUnstartedRun():
            return attempt_commands.fail_unstarted(run, command)
        case CancelRun():
            return user_commands.cancel(run, command)
        case ConfirmCancelled():
            return attempt_commands.confirm_cancelled(run, command)
        case RescheduleRun():
            return user_commands.reschedule(run, command)
        case RestartRun():
            return user_commands.restart_run(run, command)
        case SetRunState():
            return user_commands.set_run_state(run, command)
        case SetTaskRunState():
            return user_commands.set_task_run_state(run, command)
        case CreateArtifact():
            return artifact.create(run, command)
        case UpdateArtifact():
            return artifact.update(run, command)
        case DeleteArtifact():
            return artifact.delete(run, command)
        case RenameRun():
            name = valid_name(command.name, kind="run")
            return [] if name == run.name else [RunRenamed(name)]
        case DeleteRun():
            return user_commands.delete(run, command)


RULES = Rules(Run(), evolve, decide)
