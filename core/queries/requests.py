"""What may be asked of the views. A filter that is None (or empty) filters nothing; several filters must all hold.

`project` takes a project's name or id, `flow` a flow's name. `limit` bounds the number of rows over all pages; None asks for all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from headwater.core.log.commit import Position


class Query(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="ask", kw_only=True):
    """A question. Subclasses choose the word it travels under with `tag=`."""


class ListProjects(Query, tag="projects", frozen=True, kw_only=True):
    """Projects by name. `name` matches exactly."""

    name: str | None = None
    project_id: str | None = None
    include_deleted: bool = False
    limit: int | None = None


class ListKeyValues(Query, tag="key_values", frozen=True, kw_only=True):
    """Keys of projects with their values, by project and key. `key` matches exactly."""

    project_id: str | None = None
    key: str | None = None
    limit: int | None = None


class ListFlows(Query, tag="flows", frozen=True, kw_only=True):
    """Flows by project and name: of each the newest version that takes runs.

    `include_archived` takes the newest version of each flow even where it is archived, `all_versions` every version, newest first,
    `version` exactly that one. Deleted flows, and the flows of deleted projects, show only with `include_deleted`.
    """

    name: str | None = None
    project: str | None = None
    version: int | None = None
    all_versions: bool = False
    include_archived: bool = False
    include_deleted: bool = False
    flow_group_id: str | None = None
    limit: int | None = None


class GetFlow(Query, tag="flow", frozen=True, kw_only=True):
    """One flow version, by its id; by a flow group's id the newest version that takes runs, or else the newest."""

    flow_id: str


class ListFlowTasks(Query, tag="flow_tasks", frozen=True, kw_only=True):
    """The tasks of a flow version, in the order of its registration."""

    flow_id: str


class ListFlowEdges(Query, tag="flow_edges", frozen=True, kw_only=True):
    """The edges of a flow version, in the order of its registration."""

    flow_id: str


class ListRuns(Query, tag="runs", frozen=True, kw_only=True):
    """Runs, newest first. `labels` must all be among the run's; `states` takes a run in any of them; `name` matches exactly.

    `search` is text that occurs in the name of the run or its flow, whatever its case. `soonest` takes the runs in Scheduled alone, by
    when they are due. `brief` leaves out what runs were given: their parameters, context and run config come empty.
    """

    flow: str | None = None
    project: str | None = None
    states: tuple[str, ...] = ()
    name: str | None = None
    labels: tuple[str, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    started_after: datetime | None = None
    scheduled_after: datetime | None = None
    scheduled_before: datetime | None = None
    flow_id: str | None = None
    flow_group_id: str | None = None
    agent_id: str | None = None
    schedule_id: str | None = None
    search: str | None = None
    soonest: bool = False
    brief: bool = False
    limit: int | None = 100


class GetRun(Query, tag="run", frozen=True, kw_only=True):
    """One run."""

    run_id: str


class ListRunStates(Query, tag="run_states", frozen=True, kw_only=True):
    """The states the run was in, in order."""

    run_id: str


class ListTaskRuns(Query, tag="task_runs", frozen=True, kw_only=True):
    """The task runs of a run in the order of the flow's tasks, mapped children after their parent.

    `search` is text that occurs in the slug or the name, whatever its case; `slug` and `map_index` match exactly.
    """

    run_id: str
    states: tuple[str, ...] = ()
    search: str | None = None
    slug: str | None = None
    map_index: int | None = None
    limit: int | None = None


class ListArtifacts(Query, tag="artifacts", frozen=True, kw_only=True):
    """The artifacts of a run, or of one task run of it, in the order of their creation."""

    run_id: str
    slug: str | None = None
    map_index: int | None = None
    limit: int | None = None


class ListTaskGroups(Query, tag="task_groups", frozen=True, kw_only=True):
    """The tasks of a run, each with how many of its task runs are in each state, in the order of the flow's tasks."""

    run_id: str
    limit: int | None = None


class ListLastRuns(Query, tag="last_runs", frozen=True, kw_only=True):
    """The newest `each` runs of every one of these flow groups, newest first; without parameters, context and run config."""

    flow_group_ids: tuple[str, ...]
    each: int = 10
    limit: int | None = 2000


class FindRows(Query, tag="find", frozen=True, kw_only=True):
    """Rows of one table that meet conditions of the asker's own making.

    `table` is "projects", "key_values", "flows", "flow_groups", "runs", "task_runs", "artifacts", "tasks", "logs", "agents",
    "schedules" or "backfills"; `where` maps columns to operators and values, as in `{"state": {"_in": ["Failed"]}, "_or": [...]}`;
    `order_by` names columns with "asc" or "desc". Task runs that did not begin are not among them. At most 1,000 rows at once.
    """

    table: str
    where: dict[str, Any] = {}
    order_by: tuple[tuple[str, str], ...] = ()
    limit: int = 100
    offset: int = 0


class CountRows(Query, tag="count", frozen=True, kw_only=True):
    """How many rows of a table meet these conditions; `table` and `where` as in `FindRows`."""

    table: str
    where: dict[str, Any] = {}


class ListTaskRunStates(Query, tag="task_run_states", frozen=True, kw_only=True):
    """The states that task runs were in, in order: of one task run, or of all of the run where `slug` is None."""

    run_id: str
    slug: str | None = None
    map_index: int | None = None
    limit: int | None = None


class ListCachedResults(Query, tag="cached_results", frozen=True, kw_only=True):
    """Results of tasks that serve again under this key at a moment, the newest first."""

    key: str
    at: datetime
    limit: int | None = 100


class ListLogs(Query, tag="logs", frozen=True, kw_only=True):
    """Log lines of a run in order, those over `after` (a position): of `min_level` (Python's number) and more, of one task's slug.

    `text` is found in the message whatever its case. With `newest` the lines come from the other end, the last one first; `until` is
    the position up to which lines are looked at (0: to the end). Messages of more than `cut_at` characters come cut.
    """

    run_id: str
    min_level: int = 0
    task: str | None = None
    map_index: int | None = None
    after: Position = 0
    limit: int | None = None
    text: str | None = None
    newest: bool = False
    until: Position = 0
    cut_at: int | None = None


class ListAgents(Query, tag="agents", frozen=True, kw_only=True):
    """Agents, the newest first. `status` is "working", "stopped" or "lost"."""

    status: str | None = None
    limit: int | None = 100


class ListQueues(Query, tag="queues", frozen=True, kw_only=True):
    """Queues by their labels."""

    limit: int | None = None


class ListSchedules(Query, tag="schedules", frozen=True, kw_only=True):
    """Schedules by project, flow and slug; those that were deleted, or whose flow was, show only with `include_deleted`."""

    project: str | None = None
    flow: str | None = None
    flow_group_ids: tuple[str, ...] = ()
    slug: str | None = None
    schedule_id: str | None = None
    include_deleted: bool = False
    limit: int | None = None


class ListScheduleOutcomes(Query, tag="schedule_outcomes", frozen=True, kw_only=True):
    """What became of a schedule's times, the newest first. `outcomes` takes those in any of them; `since` and `until` bound the times."""

    schedule_id: str
    outcomes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = 100


class ListBackfills(Query, tag="backfills", frozen=True, kw_only=True):
    """Backfills, the newest first."""

    backfill_id: str | None = None
    schedule_id: str | None = None
    flow_group_id: str | None = None
    limit: int | None = 100


class ListScheduleDays(Query, tag="schedule_days", frozen=True, kw_only=True):
    """What became of the times of these schedules, counted by day.

    `starts` are the beginnings of the days, in order, and the end of the last; 400 days at most.
    """

    schedule_ids: tuple[str, ...]
    starts: tuple[datetime, ...]
    limit: int | None = None


class CountRuns(Query, tag="run_counts", frozen=True, kw_only=True):
    """How many runs are in each state, of those created at `since` or later."""

    since: datetime | None = None
    project: str | None = None
    flow: str | None = None
    flow_group_id: str | None = None


class GetViewsStatus(Query, tag="views_status", frozen=True, kw_only=True):
    """How far the views are, and what was set aside. Answered also while PostgreSQL is away."""

    set_aside_limit: int = 20


class StartRebuild(Query, tag="rebuild", frozen=True, kw_only=True):
    """Ask the server to rebuild all views from the log, beside the live ones. Answered at once; `hw.beat.rebuild` tells the progress."""


DEAD_LETTERS_MAX = 400
"""As many as one answer lists: so many fit into one message, each with a reason of a thousand characters."""


class ListDeadLetters(Query, tag="dead_letters", frozen=True, kw_only=True):
    """Messages that were set aside, the newest first: facts, log lines, work items; `source` ("events", "logs", "work") takes one kind."""

    source: str | None = None
    limit: int = 100


class GetDeadLetter(Query, tag="dead_letter", frozen=True, kw_only=True):
    """One message that was set aside, with its first bytes. `key` is that of its row."""

    key: str


class RetryDeadLetter(Query, tag="retry_dead_letter", frozen=True, kw_only=True):
    """Try one message once more; the answer tells what came of it."""

    key: str


AnyQuery = (
    ListProjects
    | ListKeyValues
    | ListFlows
    | GetFlow
    | ListFlowTasks
    | ListFlowEdges
    | ListRuns
    | GetRun
    | ListRunStates
    | ListTaskRuns
    | ListTaskRunStates
    | ListArtifacts
    | FindRows
    | CountRows
    | ListTaskGroups
    | ListLastRuns
    | ListCachedResults
    | ListLogs
    | ListAgents
    | ListQueues
    | ListSchedules
    | ListScheduleOutcomes
    | ListBackfills
    | ListScheduleDays
    | CountRuns
    | GetViewsStatus
    | StartRebuild
    | ListDeadLetters
    | GetDeadLetter
    | RetryDeadLetter
)
