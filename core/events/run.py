"""What can have happened to a run of a flow and to its task runs. All of it lies on the run's one subject."""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.core.events.base import Event
from headwater.core.events.flow import StorageReference
from headwater.core.limits import Instant, Int32, Int64, Name, Token, Uuid
from headwater.core.states import KnownState


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One line of a traceback: where, and only where the user switched it on, the source text there."""

    file: str
    line: Int32
    function: str
    source: str | None = None


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something failed: the exception's type and text, and its traceback without source lines."""

    type: str
    message: str
    traceback: tuple[Frame, ...] = ()


class ResultReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a task's value was kept. `value` is set only for inline results that the user chose (64 KB at most).

    `serializer` says how its bytes are read, where that is not the usual way.
    """

    type: str
    location: str | None = None
    value: Any = None
    serializer: dict[str, Any] | None = None


class RunCreated(Event, tag="run.created", frozen=True):
    """A run of this flow version exists. Holds all that an agent needs to execute it without asking the views."""

    run_id: Uuid
    flow_id: Uuid
    flow_group_id: Uuid
    project_id: Uuid
    project_name: Name
    flow_name: Name
    version: Int64
    name: Name
    queue_id: Token
    storage: StorageReference
    labels: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    context: dict[str, Any] = {}
    run_config: dict[str, Any] = {}
    idempotency_key: str | None = None


class RunScheduled(Event, tag="run.scheduled", frozen=True):
    """The run may start at `start_time`. Wake-ups of another generation than the last one named here mean nothing."""

    start_time: Instant
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


class RunCancelRequested(Event, tag="run.cancel_requested", frozen=True):
    """Somebody wants the run to end; its attempt is being stopped."""

    reason: str = ""


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
    handed_back: bool = False


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
    """The attempt ended, and nothing of the run can go on before somebody resumes a task of it: no process waits for people."""

    attempt: Int32
    at: Instant
    message: str = "Waits for somebody to resume it."


class RunStateSet(Event, tag="run.state_set", frozen=True):
    """Somebody set the run's state by hand: from `before` to `state`, into which the events behind this one bring it."""

    state: KnownState
    before: str
    reason: str = ""


class RunRenamed(Event, tag="run.renamed", frozen=True):
    """The run has another name."""

    name: Name


class RunDeleted(Event, tag="run.deleted", frozen=True):
    """The run, which has ended, is gone from lists and counts. Its history stays in the log."""

    reason: str = ""


class TaskRunEvent(Event, frozen=True, kw_only=True):
    """Common to all events of a task run: which one (`map_index` is -1 unless it is a mapped child), when, and in what words."""

    slug: Name
    at: Instant
    map_index: Int32 = -1
    message: str = ""


class TaskRunStarted(TaskRunEvent, tag="task_run.started", frozen=True, kw_only=True):
    """The task's code is about to run; `run_count` counts its executions, retries included."""

    run_count: Int32 = 1


class TaskRunSucceeded(TaskRunEvent, tag="task_run.succeeded", frozen=True, kw_only=True):
    """The task ended well; `result` tells where its value was kept, if it was."""

    result: ResultReference | None = None


class TaskRunFailed(TaskRunEvent, tag="task_run.failed", frozen=True, kw_only=True):
    """The task ended badly and is not tried again."""

    failure: Failure | None = None


class TaskRunTimedOut(TaskRunEvent, tag="task_run.timed_out", frozen=True, kw_only=True):
    """The task took longer than its time-out and is not tried again."""


class TaskRunTriggerFailed(TaskRunEvent, tag="task_run.trigger_failed", frozen=True, kw_only=True):
    """The task did not run, since its trigger did not allow the states of the tasks before it."""


class TaskRunValidationFailed(TaskRunEvent, tag="task_run.validation_failed", frozen=True, kw_only=True):
    """The task's result was found invalid."""

    failure: Failure | None = None


class TaskRunRetryScheduled(TaskRunEvent, tag="task_run.retry_scheduled", frozen=True, kw_only=True):
    """The task failed and is tried again at `start_time`."""

    start_time: Instant
    run_count: Int32
    failure: Failure | None = None


class TaskRunSkipped(TaskRunEvent, tag="task_run.skipped", frozen=True, kw_only=True):
    """The task did not run, and that is no failure."""


class TaskRunCached(TaskRunEvent, tag="task_run.cached", frozen=True, kw_only=True):
    """The task did not run, since an earlier result serves."""

    result: ResultReference | None = None
    expires_at: Instant | None = None
    cache: dict[str, Any] = {}


class TaskRunMapped(TaskRunEvent, tag="task_run.mapped", frozen=True, kw_only=True):
    """The task became `child_count` task runs, one for each element of its inputs."""

    child_count: Int32


class TaskRunLooped(TaskRunEvent, tag="task_run.looped", frozen=True, kw_only=True):
    """The task asked to run again with what it has so far."""

    loop_count: Int32
    result: ResultReference | None = None


class TaskRunPaused(TaskRunEvent, tag="task_run.paused", frozen=True, kw_only=True):
    """The task waits until `start_time`, or until somebody resumes it where that is None."""

    start_time: Instant | None = None


class TaskRunResumed(TaskRunEvent, tag="task_run.resumed", frozen=True, kw_only=True):
    """Somebody let the task go on."""


class TaskRunCancelled(TaskRunEvent, tag="task_run.cancelled", frozen=True, kw_only=True):
    """The task was stopped with its run."""


class TaskRunStateSet(TaskRunEvent, tag="task_run.state_set", frozen=True, kw_only=True):
    """Somebody set the task run's state by hand, from `before` to `state`, saying why in `message`.

    `ended_at` is when it ended: earlier than now where it had, None where it is to be executed again. `result` stands for what it
    would have returned.
    """

    state: KnownState
    before: str
    ended_at: Instant | None = None
    result: ResultReference | None = None


class TaskRunNamed(TaskRunEvent, tag="task_run.named", frozen=True, kw_only=True):
    """The task run has a name of its own."""

    name: Name


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
)
