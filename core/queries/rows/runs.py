"""Rows of runs and of their task runs, of the states that both were in, and of what they left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headwater.core.events import Failure, ResultReference, ScheduledBy
from headwater.core.log.commit import Position
from headwater.core.queries.rows.row import Row


class RunRow(Row, frozen=True, kw_only=True):
    """A run as its events leave it. `position` is that of the last commit on it."""

    id: str
    """A UUID."""
    name: str
    """What people call it; two words where none was given."""
    state: str
    """The name of its state, such as `Running`."""
    state_message: str
    """What brought it there, in words; may be empty."""
    flow_id: str
    """The id of the flow version it runs."""
    flow_group_id: str
    """The id of the flow over all its versions, a UUID."""
    flow_name: str
    """The name of the flow."""
    project_id: str
    """The id of its project, a UUID."""
    project_name: str
    """The name of its project."""
    version: int
    """The number of the flow version."""
    labels: tuple[str, ...]
    """Labels that an agent must have to take it, sorted; empty: an agent without labels takes it."""
    parameters: dict[str, Any]
    """The values of all parameters, by name."""
    context: dict[str, Any]
    """Values that its code finds in `headwater.context`; empty where none were given."""
    run_config: dict[str, Any]
    """How an agent starts it, as `RunConfig.serialize` writes it; empty where neither the run nor its flow has one."""
    created: datetime
    """When it was created."""
    created_by: str
    """Who created it, such as `cli:ana@host`."""
    scheduled_start_time: datetime | None
    """When it is due, or was due last."""
    start_time: datetime | None
    """When its first attempt started; None before that."""
    end_time: datetime | None
    """When it ended; None while it has not."""
    attempt: int
    """The number of its last attempt, from 1 on; 0 before the first."""
    agent_id: str | None
    """The agent that took it last; None where none has."""
    agent_name: str | None
    """The name of that agent; None where none has."""
    cancel_requested: bool
    """Whether it is to end, or ended, because that was asked for."""
    failure: Failure | None
    """What made it fail; None where nothing did, or it was restarted."""
    queue_id: str
    """The queue in which it waits: that of its labels."""
    schedule_id: str | None
    """The schedule that made it; None where no schedule did."""
    nominal: datetime | None
    """The time of its schedule that it is for; None where no schedule made it."""
    scheduled_by: ScheduledBy | None
    """The time of that schedule which it is the run of; None where no schedule made it."""
    idempotency_key: str | None
    """The key that its creation gave; None where it gave none."""
    position: Position
    """The log's position of the last commit on it. Setting a state can be made to depend on it."""


class RunStateRow(Row, frozen=True, kw_only=True):
    """A state the run was in, from `at` on."""

    run_id: str
    """The run."""
    state: str
    """The name of the state, such as `Running`."""
    message: str
    """What brought it there, in words; may be empty."""
    at: datetime
    """When it entered the state."""
    attempt: int
    """The number of the attempt then; 0 before the first."""
    actor: str
    """Who recorded it, such as `cli:ana@host`, or `run:<run id>#<attempt>` for the run itself."""
    scheduled_start_time: datetime | None
    """When the run is due, in state Scheduled; None in others."""
    failure: Failure | None
    """What made it fail; None in other states."""
    position: Position
    """The position of the commit in the log."""


class TaskRunRow(Row, frozen=True, kw_only=True):
    """A task run; `map_index` is -1 unless it is a mapped child.

    A task that did not begin has no events: it shows as Pending (Cancelled, once its run is) with `position` 0.
    """

    run_id: str
    """The run."""
    slug: str
    """The slug of its task."""
    map_index: int
    """Its index among the children of a mapped task, from 0 on; -1: it is not one."""
    name: str
    """What people see: as `task_run_name` says, else the task's name."""
    task_name: str
    """The name of its task."""
    state: str
    """The name of its state, such as `Running`."""
    state_message: str
    """What brought it there, in words; may be empty."""
    run_count: int
    """How often its code was started, retries included; 0 where it was not."""
    start_time: datetime | None
    """When it started first; None before that."""
    end_time: datetime | None
    """When it ended; None while it has not."""
    retry_at: datetime | None
    """When it goes on, in state Retrying or Paused; None where nothing is set."""
    child_count: int | None
    """How many children it became, in state Mapped; None where it was not mapped."""
    result: ResultReference | None
    """Where its value was kept; None where it was not."""
    failure: Failure | None
    """What made it fail, or be retried; None in other states."""
    attempt: int
    """The run's attempt that changed it last; 0 where none has."""
    position: Position
    """The log's position of the last commit on it; 0 where it has no events."""


class TaskGroupRow(Row, frozen=True, kw_only=True):
    """A task of a run with all its task runs. Of a mapped task, `counts` counts the children and not the task run they came from.

    `state` is that of the one task run, or of the one that was mapped (`child_count` children); `end_time` is None while one goes on.
    """

    run_id: str
    """The run."""
    slug: str
    """The slug of the task."""
    name: str
    """What people see."""
    state: str
    """The state of its one task run, or of the one that was mapped."""
    mapped: bool
    """Whether the task runs once for each element of its inputs."""
    child_count: int | None
    """How many children it became; None where it was not mapped, or is not yet."""
    counts: dict[str, int]
    """How many of its task runs are in each state, by the state's name; of a mapped task, of its children."""
    start_time: datetime | None
    """When the first of them started; None before that."""
    end_time: datetime | None
    """When the last of them ended; None while one has not."""


class TaskRunStateRow(Row, frozen=True, kw_only=True):
    """A state a task run was in, from `at` on. `run_count` is known where the event tells it: when a task starts or is to be retried."""

    run_id: str
    """The run."""
    slug: str
    """The slug of the task."""
    map_index: int
    """The child's index, from 0 on; -1: it is not one."""
    state: str
    """The name of the state, such as `Running`."""
    message: str
    """What brought it there, in words; may be empty."""
    at: datetime
    """When it entered the state."""
    attempt: int
    """The number of the run's attempt then."""
    run_count: int | None
    """How often its code was started until then; None where the event does not say."""
    failure: Failure | None
    """What made it fail, or be retried; None in other states."""
    position: Position
    """The position of the commit in the log."""


class CachedResultRow(Row, frozen=True, kw_only=True):
    """A result that serves later runs: where it is, until when, for which parameters, and for inputs of which hashes."""

    key: str
    """What tasks look for it by: their `cache_key`, or a text made of flow and task."""
    run_id: str
    """The run that made it."""
    slug: str
    """The slug of the task that made it."""
    map_index: int
    """The child's index, from 0 on; -1: it is not one."""
    at: datetime
    """When it was made."""
    expires_at: datetime | None
    """From when on it serves no more; None: it does not expire."""
    result: ResultReference | None
    """Where the value is kept; None where it was not kept."""
    parameters: dict[str, Any]
    """The parameters of the run that made it, by name."""
    hashed_inputs: dict[str, str]
    """A hash of each input, by the argument's name."""
    position: Position
    """The position of the commit in the log."""


class LogRow(Row, frozen=True, kw_only=True):
    """A log line. `position` and `line` (its place in the message) order the lines of a run."""

    run_id: str
    """The run."""
    attempt: int
    """The number of the attempt that logged it."""
    at: datetime
    """When it was logged."""
    level: int
    """Python's number of the level: 20 is INFO, 40 ERROR."""
    logger: str
    """The name of the logger."""
    message: str
    """The text, which may have several lines."""
    task: str
    """The slug of the task that logged it; empty where the flow or the agent did."""
    map_index: int
    """The child's index, from 0 on; -1: it is not one."""
    position: Position
    """The position of its message in the stream of log lines."""
    line: int
    """Its place in that message, from 0 on."""
