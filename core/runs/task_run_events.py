"""What can have happened to a task run. It lies on the subject of its run."""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.core.event import Event
from headwater.core.states import KnownState
from headwater.core.values.limits import Instant, Int32, Name


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

    due_at: Instant = msgspec.field(name="start_time")
    run_count: Int32
    failure: Failure | None = None


class TaskRunSkipped(TaskRunEvent, tag="task_run.skipped", frozen=True, kw_only=True):
    """The task did not run, and that is not a failure."""


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
    """The task waits until `start_time`, or until a user resumes it where that is None."""

    due_at: Instant | None = msgspec.field(default=None, name="start_time")


class TaskRunResumed(TaskRunEvent, tag="task_run.resumed", frozen=True, kw_only=True):
    """A user let the task go on."""


class TaskRunCancelled(TaskRunEvent, tag="task_run.cancelled", frozen=True, kw_only=True):
    """The task was stopped with its run."""


class TaskRunStateSet(TaskRunEvent, tag="task_run.state_set", frozen=True, kw_only=True):
    """A user set the task run's state manually, from `before` to `state`, saying why in `message`.

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
