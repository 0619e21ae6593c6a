"""What can have happened to a run of a flow. All of it lies on the run's one subject, as does what happens to its task runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from headwater.core.event import Event
from headwater.core.flows.events import StorageReference
from headwater.core.runs.artifact_events import TaskRunArtifactCreated, TaskRunArtifactDeleted, TaskRunArtifactUpdated
from headwater.core.runs.task_run_events import (
    Failure,
    TaskRunCached,
    TaskRunCancelled,
    TaskRunFailed,
    TaskRunLooped,
    TaskRunMapped,
    TaskRunNamed,
    TaskRunPaused,
    TaskRunResumed,
    TaskRunRetryScheduled,
    TaskRunSkipped,
    TaskRunStarted,
    TaskRunStateSet,
    TaskRunSucceeded,
    TaskRunTimedOut,
    TaskRunTriggerFailed,
    TaskRunValidationFailed,
)
from headwater.core.states import KnownState
from headwater.core.values.limits import Instant, Int32, Int64, Name, Token, Uuid


class ScheduledBy(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The time of a schedule that a run was created for."""

    schedule_id: Uuid
    nominal: Instant
    """The time as the schedule has it: it may be due a little later, or have been made up for."""
    clock: str = ""
    """Tells apart the clocks of the schedule, by their parameters and labels."""
    after_run_id: Uuid | None = None
    """It is not started before this run has ended."""
    interval_start: Instant | None = None
    """It stands for the time from here to `nominal`."""
    backfill_id: Uuid | None = None
    """It was asked for by this backfill."""


class RunCreated(Event, tag="run.created", frozen=True):
    """A run of this flow version exists. Holds all that an agent needs to execute it without asking the views."""

    run_id: Uuid
    flow_id: Uuid
    flow_group_id: Uuid
    project_id: Uuid
    project_name: Name
    flow_name: Name
    flow_version: Int64 = msgspec.field(name="version")
    name: Name
    queue_id: Token
    storage: StorageReference
    labels: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    context: dict[str, Any] = {}
    run_config: dict[str, Any] = {}
    idempotency_key: str | None = None
    scheduled_by: ScheduledBy | None = None


class RunScheduled(Event, tag="run.scheduled", frozen=True):
    """The run may start at `start_time`. Wake-ups of another generation than the last one named here mean nothing."""

    due_at: Instant = msgspec.field(name="start_time")
    generation: Int32
    message: str = "Flow run scheduled."


class RunSubmitted(Event, tag="run.submitted", frozen=True):
    """An agent claimed the run: this attempt is its own until it ends or is lost."""

    attempt: Int32
    agent_id: Token
    agent_name: str = ""
    message: str = "Submitted for execution"


class RunStarted(Event, tag="run.started", frozen=True):
    """The run's process executes the flow."""

    attempt: Int32
    at: Instant
    message: str = "Running flow."


class RunSucceeded(Event, tag="run.succeeded", frozen=True):
    """The run ended well."""

    attempt: Int32
    at: Instant
    message: str = "All reference tasks succeeded."


class RunFailed(Event, tag="run.failed", frozen=True):
    """The run ended badly; `failure` holds the error where there was one."""

    at: Instant
    attempt: Int32 = 0
    message: str = "Some reference tasks failed."
    failure: Failure | None = None


class CancelCause(StrEnum):
    """Why a run is to end."""

    USER = "user"
    """A user or a program asked for it."""
    FLOW_ARCHIVED = "flow_archived"
    """No attempt had begun when a newer version of the flow took its version's place."""
    FLOW_DELETED = "flow_deleted"
    PROJECT_DELETED = "project_deleted"
    PARENT_CANCELLED = "parent_cancelled"
    """A task of another run created it, and that run was cancelled."""
    SCHEDULE = "schedule"
    """Its schedule's next run took its place."""
    BACKFILL_CANCELLED = "backfill_cancelled"
    """A backfill asked for it, and that was cancelled."""


class RunCancelRequested(Event, tag="run.cancel_requested", frozen=True):
    """A user or the server wants the run to end; its attempt is being stopped.

    `cause`: user, flow_archived, flow_deleted, project_deleted or parent_cancelled, or a word of a newer version; commits from before
    there were causes have none. `reason` says it to people, and decides nothing.
    """

    reason: str = ""
    cause: str = ""


class RunCancelled(Event, tag="run.cancelled", frozen=True):
    """The run ended by request; nothing of it runs any more."""

    at: Instant
    message: str = "Cancelled."


class RunAttemptLost(Event, tag="run.attempt_lost", frozen=True):
    """The attempt's agent or process is gone; the run waits for its next attempt.

    `handed_back`: its agent was stopped and gave it up; that does not count among the attempts that may be lost.
    """

    attempt: Int32
    reason: str = ""
    released: bool = msgspec.field(default=False, name="handed_back")


class RunAttemptsLimited(Event, tag="run.attempts_limited", frozen=True):
    """The run fails when so many of its attempts were lost."""

    attempts_max: Int32


class RunRestarted(Event, tag="run.restarted", frozen=True):
    """The run, which had ended, is to be executed again; the `run.scheduled` behind it says when.

    All task runs of `tasks`, and each of `task_runs` (slug and map index), wait to be executed again; the others keep what they have.
    """

    reason: str = ""
    from_task: str = ""
    tasks: tuple[Name, ...] = ()
    task_runs: tuple[tuple[Name, Int32], ...] = ()


class RunPaused(Event, tag="run.paused", frozen=True):
    """The attempt ended, and nothing of the run can go on before a user resumes a task of it: no process waits for people."""

    attempt: Int32
    at: Instant
    message: str = "Waits for a user to resume it."


class RunStateSet(Event, tag="run.state_set", frozen=True):
    """A user set the run's state manually: from `before` to `state`, into which the events behind this one bring it."""

    state: KnownState
    before: str
    reason: str = ""


class RunRenamed(Event, tag="run.renamed", frozen=True):
    """The run has another name."""

    name: Name


class RunDeleted(Event, tag="run.deleted", frozen=True):
    """The run, which has ended, is gone from lists and counts. Its history stays in the log."""

    reason: str = ""


RunEvent = (
    RunCreated
    | RunScheduled
    | RunSubmitted
    | RunStarted
    | RunSucceeded
    | RunFailed
    | RunCancelRequested
    | RunCancelled
    | RunAttemptLost
    | RunAttemptsLimited
    | RunRestarted
    | RunPaused
    | RunStateSet
    | RunRenamed
    | RunDeleted
    | TaskRunStarted
    | TaskRunSucceeded
    | TaskRunFailed
    | TaskRunTimedOut
    | TaskRunTriggerFailed
    | TaskRunValidationFailed
    | TaskRunRetryScheduled
    | TaskRunSkipped
    | TaskRunCached
    | TaskRunMapped
    | TaskRunLooped
    | TaskRunPaused
    | TaskRunResumed
    | TaskRunCancelled
    | TaskRunStateSet
    | TaskRunNamed
    | TaskRunArtifactCreated
    | TaskRunArtifactUpdated
    | TaskRunArtifactDeleted
)
