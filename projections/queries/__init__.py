"""The SQL behind the query service: one function per question, each of which reads the live build's tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.core import queries as ask
from headwater.projections.queries.catalogue import (
    get_flow,
    list_agents,
    list_flow_edges,
    list_flow_tasks,
    list_flows,
    list_key_values,
    list_projects,
    list_queues,
)
from headwater.projections.queries.find import count_rows, find_rows
from headwater.projections.queries.groups import list_last_runs, list_task_groups
from headwater.projections.queries.runs import count_runs, get_run, list_run_states, list_runs
from headwater.projections.queries.schedules import list_backfills, list_schedule_days, list_schedule_outcomes, list_schedules
from headwater.projections.queries.statement import Key, Parent, Statement
from headwater.projections.queries.task_runs import list_artifacts, list_cached_results, list_logs, list_task_run_states, list_task_runs

_STATEMENTS: dict[type[ask.Query], Callable[[Any, Key | None, int], Statement]] = {
    ask.ListProjects: list_projects,
    ask.ListKeyValues: list_key_values,
    ask.ListFlows: list_flows,
    ask.GetFlow: get_flow,
    ask.ListFlowTasks: list_flow_tasks,
    ask.ListFlowEdges: list_flow_edges,
    ask.ListRuns: list_runs,
    ask.GetRun: get_run,
    ask.ListRunStates: list_run_states,
    ask.ListTaskRuns: list_task_runs,
    ask.ListTaskRunStates: list_task_run_states,
    ask.ListArtifacts: list_artifacts,
    ask.ListTaskGroups: list_task_groups,
    ask.ListLastRuns: list_last_runs,
    ask.ListCachedResults: list_cached_results,
    ask.ListLogs: list_logs,
    ask.ListAgents: list_agents,
    ask.ListQueues: list_queues,
    ask.ListSchedules: list_schedules,
    ask.ListScheduleOutcomes: list_schedule_outcomes,
    ask.ListBackfills: list_backfills,
    ask.ListScheduleDays: list_schedule_days,
    ask.CountRuns: count_runs,
    ask.FindRows: find_rows,
    ask.CountRows: count_rows,
}


def statement_for(query: ask.Query, after: Key | None, count: int) -> Statement:
    """Return the statement that answers the query with up to `count` rows that follow the key `after`.

    Raises:
        InvalidArgument: an argument of the query has the wrong form.

    """
    return _STATEMENTS[type(query)](query, after, count)


__all__ = ["Key", "Parent", "Statement", "statement_for"]
