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
    name: str
    description: str
    created: datetime
    created_by: str
    deleted: bool
    flow_count: int
    position: Position


class FlowGroupRow(Row, frozen=True, kw_only=True):
    """A flow over all its versions. `labels` (None: each version's own) and `default_parameters` hold for new runs of every version."""

    id: str
    project_id: str
    project_name: str
    name: str
    description: str
    labels: tuple[str, ...] | None
    default_parameters: dict[str, Any]
    deleted: bool


class FlowRow(Row, frozen=True, kw_only=True):
    """One version of a flow. `archived` versions take no new runs; `deleted` says that the whole flow is gone from the lists.

    `labels` and `parameters` are what this version was registered with. `description`, `group_labels` (None: not set) and
    `default_parameters` are the flow's, over all its versions, and go before them.
    """

    id: str
    flow_group_id: str
    project_id: str
    project_name: str
    name: str
    version: int
    archived: bool
    deleted: bool
    created: datetime
    created_by: str
    labels: tuple[str, ...]
    parameters: tuple[ParameterSpec, ...]
    storage: StorageReference
    run_config: dict[str, Any]
    schedule: dict[str, Any] | None
    environment: dict[str, Any]
    serialized_hash: str
    idempotency_key: str | None
    task_count: int
    edge_count: int
    position: Position
    description: str = ""
    group_labels: tuple[str, ...] | None = None
    default_parameters: dict[str, Any] = {}

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
    slug: str
    name: str
    type: str
    tags: tuple[str, ...]
    max_retries: int
    retry_delay_seconds: float | None
    timeout_seconds: float | None
    trigger: str
    mapped: bool
    reference: bool
    settings: dict[str, Any]


class FlowEdgeRow(Row, frozen=True, kw_only=True):
    """A dependency between two tasks of a flow version, by slug."""

    flow_id: str
    upstream: str
    downstream: str
    key: str | None
    mapped: bool
    flattened: bool


class RunRow(Row, frozen=True, kw_only=True):
    """A run as its events leave it. `position` is that of the last commit on it."""

    id: str
    name: str
    state: str
    state_message: str
    flow_id: str
    flow_group_id: str
    flow_name: str
    project_id: str
    project_name: str
    version: int
    labels: tuple[str, ...]
    parameters: dict[str, Any]
    context: dict[str, Any]
    run_config: dict[str, Any]
    created: datetime
    created_by: str
    scheduled_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    attempt: int
    agent_id: str | None
    agent_name: str | None
    cancel_requested: bool
    failure: Failure | None
    queue_id: str
    idempotency_key: str | None
    position: Position


class RunStateRow(Row, frozen=True, kw_only=True):
    """A state the run was in, from `at` on."""

    run_id: str
    state: str
    message: str
    at: datetime
    attempt: int
    actor: str
    scheduled_start_time: datetime | None
    failure: Failure | None
    position: Position


class TaskRunRow(Row, frozen=True, kw_only=True):
    """A task run; `map_index` is -1 unless it is a mapped child.

    A task that did not begin has no events: it shows as Pending (Cancelled, once its run is) with `position` 0.
    """

    run_id: str
    slug: str
    map_index: int
    name: str
    task_name: str
    state: str
    state_message: str
    run_count: int
    start_time: datetime | None
    end_time: datetime | None
    retry_at: datetime | None
    child_count: int | None
    result: ResultReference | None
    failure: Failure | None
    attempt: int
    position: Position


class TaskGroupRow(Row, frozen=True, kw_only=True):
    """A task of a run with all its task runs. Of a mapped task, `counts` counts the children and not the task run they came from.

    `state` is that of the one task run, or of the one that was mapped (`child_count` children); `end_time` is None while one goes on.
    """

    run_id: str
    slug: str
    name: str
    state: str
    mapped: bool
    child_count: int | None
    counts: dict[str, int]
    start_time: datetime | None
    end_time: datetime | None


class TaskRunStateRow(Row, frozen=True, kw_only=True):
    """A state a task run was in, from `at` on. `run_count` is known where the event tells it: when a task starts or is to be retried."""

    run_id: str
    slug: str
    map_index: int
    state: str
    message: str
    at: datetime
    attempt: int
    run_count: int | None
    failure: Failure | None
    position: Position


class CachedResultRow(Row, frozen=True, kw_only=True):
    """A result that serves later runs: where it is, until when, for which parameters, and for inputs of which hashes."""

    key: str
    run_id: str
    slug: str
    map_index: int
    at: datetime
    expires_at: datetime | None
    result: ResultReference | None
    parameters: dict[str, Any]
    hashed_inputs: dict[str, str]
    position: Position


class LogRow(Row, frozen=True, kw_only=True):
    """A log line. `position` and `line` (its place in the message) order the lines of a run."""

    run_id: str
    attempt: int
    at: datetime
    level: int
    logger: str
    message: str
    task: str
    map_index: int
    position: Position
    line: int


class AgentRow(Row, frozen=True, kw_only=True):
    """An agent: "working", "stopped" or "lost", as the log says. Whether it was heard of lately is not in the views."""

    id: str
    name: str
    kind: str
    labels: tuple[str, ...]
    hostname: str
    pid: int
    version: str
    limit: int | None
    status: str
    status_reason: str
    created: datetime
    ended: datetime | None
    held_runs: int
    position: Position


class QueueRow(Row, frozen=True, kw_only=True):
    """A queue: the work of one label set. `scheduled_runs` counts its runs that wait in state Scheduled."""

    id: str
    labels: tuple[str, ...]
    created: datetime
    scheduled_runs: int
    position: Position


class RunCountRow(Row, frozen=True, kw_only=True):
    """How many runs are in a state."""

    state: str
    count: int


class CountRow(Row, frozen=True, kw_only=True):
    """How many there are."""

    count: int


class SetAsideRow(Row, frozen=True, kw_only=True):
    """A commit that the projector could not apply: where, what it was, and why."""

    position: Position
    subject: str
    event: str
    reason: str
    recorded_at: datetime


class DeadLetterSource(StrEnum):
    """Where a dead letter lay: among the facts, the log lines, or the work items."""

    EVENTS = "events"
    LOGS = "logs"
    WORK = "work"


class DeadLetterRow(Row, frozen=True, kw_only=True):
    """A message that was set aside, and why. `key` names it, like "events:17".

    `position` is that of the message in its stream, or of a work item among the dead letters. `event` are the names of a commit's
    events, as far as they could be read; `reported_by` is the agent that found it, or empty; `size` its bytes, where that is known.
    """

    key: str
    source: DeadLetterSource
    position: Position
    subject: str
    event: str
    reason: str
    recorded_at: datetime
    reported_by: str = ""
    size: int | None = None


class DeadLetterDetail(DeadLetterRow, frozen=True, kw_only=True):
    """The same with its first 64 KiB, as base64 in JSON; None where no stream keeps them any more."""

    data: bytes | None = None


class RetryOutcome(StrEnum):
    """What came of trying a dead letter once more."""

    REBUILDING = "rebuilding"
    """The views are being rebuilt, where it gets its place."""
    APPLIED = "applied"
    OFFERED = "offered"
    """The work item is back in its queue."""
    GONE = "gone"
    """Nothing keeps it any more."""
    UNREADABLE = "unreadable"
    REFUSED = "refused"

    @property
    def is_dead_still(self) -> bool:
        return self in {RetryOutcome.UNREADABLE, RetryOutcome.REFUSED}


class RetryRow(Row, frozen=True, kw_only=True):
    """What came of trying a dead letter once more; `message` says it in a sentence."""

    key: str
    outcome: RetryOutcome
    message: str


class RebuildProgress(Row, frozen=True, kw_only=True):
    """How far a rebuild is. `state` is "running", "switched" or "failed"; `reason` tells why it failed."""

    schema: str
    state: str
    position: Position
    target: Position
    reason: str = ""


class ViewsStatusRow(Row, frozen=True, kw_only=True):
    """The views against the log.

    `position` is what the views show, `log_position` the log's tail and `lag` the difference in commits. `problem` says in words what
    keeps the views from following, or is None. `set_aside_count`, `log_dead_letters` and `work_dead_letters` count the dead letters
    among facts, log lines and work items.
    """

    schema: str
    schema_version: int
    log_identity: str
    position: Position
    log_position: Position
    lag: int
    log_lines_position: Position
    set_aside_count: int
    set_aside: tuple[SetAsideRow, ...] = ()
    log_dead_letters: int = 0
    work_dead_letters: int = 0
    rebuild: RebuildProgress | None = None
    problem: str | None = None

    @property
    def dead_letter_count(self) -> int:
        """How many dead letters there are of all kinds."""
        return self.set_aside_count + self.log_dead_letters + self.work_dead_letters
