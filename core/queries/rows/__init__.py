"""The rows of the views as they travel and as people see them. Times are UTC; a None means "not yet" or "not known"."""

from __future__ import annotations

from headwater.core.queries.rows.agents import AgentRow, QueueRow
from headwater.core.queries.rows.artifacts import ArtifactRow
from headwater.core.queries.rows.catalogue import FlowEdgeRow, FlowGroupRow, FlowRow, FlowTaskRow, ProjectRow
from headwater.core.queries.rows.counts import CountRow, RunCountRow
from headwater.core.queries.rows.dead_letters import DeadLetterDetail, DeadLetterRow, DeadLetterSource, RetryOutcome, RetryRow, SetAsideRow
from headwater.core.queries.rows.key_values import KeyValueRow
from headwater.core.queries.rows.row import Row
from headwater.core.queries.rows.runs import CachedResultRow, LogRow, RunRow, RunStateRow, TaskGroupRow, TaskRunRow, TaskRunStateRow
from headwater.core.queries.rows.schedules import BackfillRow, ScheduleDayRow, ScheduleOutcomeRow, ScheduleRow
from headwater.core.queries.rows.views_status import RebuildProgress, ViewsStatusRow

__all__ = [
    "AgentRow",
    "ArtifactRow",
    "BackfillRow",
    "CachedResultRow",
    "CountRow",
    "DeadLetterDetail",
    "DeadLetterRow",
    "DeadLetterSource",
    "FlowEdgeRow",
    "FlowGroupRow",
    "FlowRow",
    "FlowTaskRow",
    "KeyValueRow",
    "LogRow",
    "ProjectRow",
    "QueueRow",
    "RebuildProgress",
    "RetryOutcome",
    "RetryRow",
    "Row",
    "RunCountRow",
    "RunRow",
    "RunStateRow",
    "ScheduleDayRow",
    "ScheduleOutcomeRow",
    "ScheduleRow",
    "SetAsideRow",
    "TaskGroupRow",
    "TaskRunRow",
    "TaskRunStateRow",
    "ViewsStatusRow",
]
