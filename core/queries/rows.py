"""The rows of the views as they travel and as people see them. Times are UTC; a None means "not yet" or "not known"."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from headwater.core.events import Failure, ParameterSpec, ResultReference, StorageReference
from headwater.core.log.commit import Position
from headwater.core.runs.parameters import with_defaults


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a view. `msgspec.to_builtins(row)` is what `--output json` prints."""


class ProjectRow(Row, frozen=True, kw_only=True):
    """A project. `flow_count` counts the flows in it that were not deleted."""

    id: str
    """A UUID."""
    name: str
    """Unique among the projects that are not deleted."""
    description: str
    """What it is for; empty where nothing was said."""
    created: datetime
    """When it was created."""
    created_by: str
    """Who created it, such as `cli:ana@host`."""
    deleted: bool
    """Whether it was deleted; its flows take no new runs then."""
    flow_count: int
    """How many flows are in it that were not deleted."""
    position: Position
    """The log's position of the last commit on it."""


class FlowGroupRow(Row, frozen=True, kw_only=True):
    """A flow over all its versions. `labels` (None: each version's own) and `default_parameters` hold for new runs of every version."""

    id: str
    """A UUID, the same for all versions."""
    project_id: str
    """The id of its project, a UUID."""
    project_name: str
    """The name of its project."""
    name: str
    """Unique in the project."""
    description: str
    """What the flow is for; empty where nothing was said."""
    labels: tuple[str, ...] | None
    """Labels of new runs of every version; None: each version's own."""
    default_parameters: dict[str, Any]
    """Values of new runs by the parameter's name; empty where none were set."""
    deleted: bool
    """Whether the flow is gone from the lists."""


class FlowRow(Row, frozen=True, kw_only=True):
    """One version of a flow. `archived` versions take no new runs; `deleted` says that the whole flow is gone from the lists.

    `labels` and `parameters` are what this version was registered with. `description`, `group_labels` (None: not set) and
    `default_parameters` are the flow's, over all its versions, and go before them.
    """

    id: str
    """A UUID, made of the group's id and the version."""
    flow_group_id: str
    """The id of the flow over all its versions, a UUID."""
    project_id: str
    """The id of its project, a UUID."""
    project_name: str
    """The name of its project."""
    name: str
    """The flow's name."""
    version: int
    """The number of this version, from 1 on."""
    archived: bool
    """Whether this version takes no new runs."""
    deleted: bool
    """Whether the flow is gone from the lists, with all versions."""
    created: datetime
    """When this version was registered."""
    created_by: str
    """Who registered it, such as `client:ana@host`."""
    labels: tuple[str, ...]
    """The labels that this version was registered with, sorted; empty: every agent without labels takes its runs."""
    parameters: tuple[ParameterSpec, ...]
    """The parameters that the flow declares, in order; empty where it has none."""
    storage: StorageReference
    """Where the code lies, and how to tell that it is the same. Never the code."""
    run_config: dict[str, Any]
    """How an agent starts runs, as `RunConfig.serialize` writes it."""
    schedule: dict[str, Any] | None
    """When runs start by themselves, as `Schedule.serialize` writes it; None without a schedule."""
    environment: dict[str, Any]
    """What was known where it was registered, by name: versions of packages, a hash of the code."""
    serialized_hash: str
    """A SHA-256 over metadata and code, 64 hex digits: the same for the same flow."""
    idempotency_key: str | None
    """The key that the registration gave; None where it gave none."""
    task_count: int
    """How many tasks it has."""
    edge_count: int
    """How many dependencies there are between them."""
    position: Position
    """The log's position of the last commit on this version."""
    description: str = ""
    """What the flow is for; empty where nothing was said."""
    group_labels: tuple[str, ...] | None = None
    """Labels set for all versions, which replace `labels` for new runs; None: not set."""
    default_parameters: dict[str, Any] = {}
    """Values set for all versions, by the parameter's name; they go before the defaults in `parameters`."""

    @property
    def run_labels(self) -> tuple[str, ...]:
        """The labels of new runs that are not given others."""
        return self.labels if self.group_labels is None else self.group_labels

    @property
    def run_parameters(self) -> tuple[ParameterSpec, ...]:
        """The parameters of new runs, with the defaults that these have."""
        return with_defaults(self.parameters, self.default_parameters)


class FlowTaskRow(Row, frozen=True, kw_only=True):
    """A task of a flow version, in the order of its registration."""

    flow_id: str
    """The id of the flow version."""
    slug: str
    """Identifies the task in the version."""
    name: str
    """What people see."""
    type: str
    """The class of the task, as a dotted path."""
    tags: tuple[str, ...]
    """Its tags, sorted; empty where it has none."""
    max_retries: int
    """How often it is tried again after a failure; 0: never."""
    retry_delay_seconds: float | None
    """The pause before each retry, in seconds; None without retries."""
    timeout_seconds: float | None
    """How long one execution may take, in seconds; None: without end."""
    trigger: str
    """The name of the trigger, such as `all_successful`."""
    mapped: bool
    """Whether it runs once for each element of its inputs."""
    reference: bool
    """Whether it decides how a run ended."""
    settings: dict[str, Any]
    """The rest of its serialised form, for show."""


class FlowEdgeRow(Row, frozen=True, kw_only=True):
    """A dependency between two tasks of a flow version, by slug."""

    flow_id: str
    """The id of the flow version."""
    upstream: str
    """The slug of the task that runs first."""
    downstream: str
    """The slug of the task after it."""
    key: str | None
    """The argument that gets the result; None where only the order matters."""
    mapped: bool
    """Whether the second runs once for each element of the result."""
    flattened: bool
    """Whether the result is a list of lists that is made one list first."""


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


class AgentRow(Row, frozen=True, kw_only=True):
    """An agent: "working", "stopped" or "lost", as the log says. When its last heartbeat came is not in the views."""

    id: str
    """Of this start of the agent: a restarted agent has another."""
    name: str
    """What people see."""
    kind: str
    """The kind of agent, such as `local`."""
    labels: tuple[str, ...]
    """The labels of runs that it takes, sorted."""
    hostname: str
    """The host that it runs on."""
    pid: int
    """Its process id there."""
    version: str
    """The version of Headwater that it runs."""
    limit: int | None
    """How many runs it executes at once at most; None: without limit."""
    status: str
    """`working`, `stopped` or `lost`, as the log says."""
    status_reason: str
    """Why it stopped or was lost; empty while it runs."""
    created: datetime
    """When it first registered."""
    ended: datetime | None
    """When it stopped or was lost; None while it runs."""
    held_runs: int
    """How many runs it holds now."""
    position: Position
    """The log's position of the last commit on it."""


class QueueRow(Row, frozen=True, kw_only=True):
    """A queue: the work of one label set. `scheduled_runs` counts its runs that wait in state Scheduled."""

    id: str
    """Made of its labels."""
    labels: tuple[str, ...]
    """The labels of the runs in it, sorted; empty: runs without labels."""
    created: datetime
    """When the first run with these labels came."""
    scheduled_runs: int
    """How many of its runs wait in state Scheduled."""
    position: Position
    """The log's position of the last commit on it."""


class RunCountRow(Row, frozen=True, kw_only=True):
    """How many runs are in a state."""

    state: str
    """The name of the state, such as `Running`."""
    count: int
    """How many runs are in it."""


class CountRow(Row, frozen=True, kw_only=True):
    """How many there are."""

    count: int
    """How many there are."""


class SetAsideRow(Row, frozen=True, kw_only=True):
    """A commit that the projector could not apply: where, what it was, and why."""

    position: Position
    """The position of the commit in the log."""
    subject: str
    """The subject that it is on."""
    event: str
    """The names of its events; empty where they could not be read."""
    reason: str
    """Why it could not be applied, in words."""
    recorded_at: datetime
    """When the projector set it aside."""


class DeadLetterSource(StrEnum):
    """Where a dead letter lay: among the facts, the log lines, or the work items."""

    EVENTS = "events"
    """Among the facts: a commit."""
    LOGS = "logs"
    """Among the log lines."""
    WORK = "work"
    """Among the work items: a wake-up in a queue."""


class DeadLetterRow(Row, frozen=True, kw_only=True):
    """A message that was set aside, and why. `key` names it, like "events:17".

    `position` is that of the message in its stream, or of a work item among the dead letters. `event` are the names of a commit's
    events, as far as they could be read; `reported_by` is the agent that found it, or empty; `size` its bytes, where that is known.
    """

    key: str
    """Names it in commands, such as `events:17`."""
    source: DeadLetterSource
    """Where it lay."""
    position: Position
    """Its position in its stream, or of a work item among the dead letters."""
    subject: str
    """The subject that it was on."""
    event: str
    """The names of a commit's events; empty where they could not be read."""
    reason: str
    """Why it was set aside, in words."""
    recorded_at: datetime
    """When it was set aside."""
    reported_by: str = ""
    """The agent that found it; empty where the server did."""
    size: int | None = None
    """Its bytes; None where that is not known."""


class DeadLetterDetail(DeadLetterRow, frozen=True, kw_only=True):
    """The same with its first 64 KiB, as base64 in JSON; None where no stream keeps them any more."""

    data: bytes | None = None
    """Its first 64 KiB, as base64 in JSON; None where no stream keeps them any more."""


class RetryOutcome(StrEnum):
    """What came of trying a dead letter once more."""

    REBUILDING = "rebuilding"
    """The views are being rebuilt, where it gets its place."""
    APPLIED = "applied"
    """It could be applied now, and the views show it."""
    OFFERED = "offered"
    """The work item is back in its queue."""
    GONE = "gone"
    """Nothing keeps it any more."""
    UNREADABLE = "unreadable"
    """It still cannot be read; it stays a dead letter."""
    REFUSED = "refused"
    """It can be read, and still cannot be applied; it stays a dead letter."""

    @property
    def is_dead_still(self) -> bool:
        return self in {RetryOutcome.UNREADABLE, RetryOutcome.REFUSED}


class RetryRow(Row, frozen=True, kw_only=True):
    """What came of trying a dead letter once more; `message` says it in a sentence."""

    key: str
    """The dead letter."""
    outcome: RetryOutcome
    """What came of it."""
    message: str
    """The same in a sentence."""


class RebuildProgress(Row, frozen=True, kw_only=True):
    """How far a rebuild is. `state` is "running", "switched" or "failed"; `reason` tells why it failed."""

    schema: str
    """The PostgreSQL schema that is being built."""
    state: str
    """`running`, `switched` or `failed`."""
    position: Position
    """How far in the log it is."""
    target: Position
    """How far it has to get to be switched to."""
    reason: str = ""
    """Why it failed; empty where it did not."""


class ViewsStatusRow(Row, frozen=True, kw_only=True):
    """The views against the log.

    `position` is what the views show, `log_position` the log's tail and `lag` the difference in commits. `problem` says in words what
    keeps the views from following, or is None. `set_aside_count`, `log_dead_letters` and `work_dead_letters` count the dead letters
    among facts, log lines and work items.
    """

    schema: str
    """The PostgreSQL schema that is shown; empty where it cannot be read."""
    schema_version: int
    """The version of the tables."""
    log_identity: str
    """Which log the views are of."""
    position: Position
    """The log's position that the views show."""
    log_position: Position
    """The position of the log's tail; 0 where it cannot be read."""
    lag: int
    """How many commits the views are behind."""
    log_lines_position: Position
    """How far the views have read the stream of log lines."""
    set_aside_count: int
    """How many commits are dead letters."""
    set_aside: tuple[SetAsideRow, ...] = ()
    """The last of these; empty unless they were asked for."""
    log_dead_letters: int = 0
    """How many messages of log lines are dead letters."""
    work_dead_letters: int = 0
    """How many work items are."""
    rebuild: RebuildProgress | None = None
    """How far a rebuild is; None where there is none."""
    problem: str | None = None
    """What keeps the views from following, in words; None where nothing does."""

    @property
    def dead_letter_count(self) -> int:
        """How many dead letters there are of all kinds."""
        return self.set_aside_count + self.log_dead_letters + self.work_dead_letters
