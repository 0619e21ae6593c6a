"""The dashboard: how things are going, at one glance, in one project or in all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from headwater.core.program.concurrency import gather
from headwater.core.queries import ListFlows, ListRuns, ListSchedules, RunRow
from headwater.core.queries.rows import FlowRow
from headwater.core.states import StateName
from headwater.web.pages.history import history
from headwater.web.pages.page import Page, Params, Sources, first_of
from headwater.web.pages.run import LATE_AFTER, is_late
from headwater.web.pages.schedules import SCHEDULES_LOOKED_AT, coming, late_schedules
from headwater.web.pages.shape import stacked, success_percent
from headwater.web.schedules.next_times import changes_at

HISTORY_SHOWN = 80
LISTED = 8
LATE_COUNTED_MAX = 100
FLOWS_SHOWN = 20
_DAY = timedelta(hours=24)
_ACTIVE = (StateName.RUNNING, StateName.SUBMITTED, StateName.CANCELLING, StateName.PAUSED)
_FAILED = (StateName.FAILED,)


async def dashboard_page(sources: Sources, _: Params, query: Params) -> Page:
    """Make the dashboard, of the project whose id `query` names, or of all."""
    views, now = sources.views, sources.now
    project = query.get("project") or None
    projects, recent, active, waiting, failed, counts, flows, agents, status, schedules = await gather(
        views.projects(),
        views.ask(ListRuns(project=project, brief=True, limit=HISTORY_SHOWN), RunRow),
        views.ask(ListRuns(project=project, states=_ACTIVE, brief=True, limit=LISTED), RunRow),
        views.ask(ListRuns(project=project, soonest=True, brief=True, limit=LATE_COUNTED_MAX), RunRow),
        views.ask(ListRuns(project=project, states=_FAILED, created_after=now - _DAY, brief=True, limit=LISTED), RunRow),
        views.run_counts(project=project, since=now - _DAY),
        views.turn(ListFlows(project=project), FlowRow, rows=FLOWS_SHOWN, cursor=None),
        views.agents(status="working"),
        views.status(set_aside_limit=5),
        views.schedules(ListSchedules(project=project, limit=SCHEDULES_LOOKED_AT)),
    )
    listed_flows, more_flows = flows
    last = await views.last_runs(tuple(flow.flow_group_id for flow in listed_flows)) if listed_flows else []
    chosen = next((found for found in projects if project in {found.id, found.name}), None)
    late = [run for run in waiting if is_late(run, now)]
    in_time = [run for run in waiting if not is_late(run, now)]
    context = {
        "projects": projects,
        "project": chosen,
        "history": history(recent),
        "active": active,
        "active_count": counted(counts, _ACTIVE, active),
        "late": late,
        "late_schedules": late_schedules(schedules, now),
        "coming": coming(in_time, schedules, now, LISTED),
        "failed": failed,
        "failed_count": counts.get(StateName.FAILED, 0),
        "counts": counts,
        "slices": stacked(counts),
        "total": sum(counts.values()),
        "success": success_percent(counts),
        "flows": listed_flows,
        "more_flows": more_flows is not None,
        "last_runs": by_flow(last),
        "agents": agents,
        "lively": sources.heartbeats.lively(agent.id for agent in agents),
        "status": status,
        "listed": LISTED,
    }
    silence = sources.heartbeats.next_silence(agent.id for agent in agents)
    return Page(
        template="dashboard.html",
        title=chosen.name if chosen else "Dashboard",
        context=context,
        changes_at=first_of(_next_late(in_time), silence, changes_at(schedules, now)),
    )


def counted(counts: dict[str, int], states: Sequence[str], listed: Sequence[RunRow]) -> int:
    """Return how many runs are in these states: as counted for the day, or as listed where older ones are among them."""
    return max(sum(counts.get(state, 0) for state in states), len(listed))


def by_flow(runs: Iterable[RunRow]) -> dict[str, list[RunRow]]:
    """Return the runs of each flow group, oldest first, from runs that come newest first."""
    found: dict[str, list[RunRow]] = {}
    for run in runs:
        found.setdefault(run.flow_group_id, []).insert(0, run)
    return found


def _next_late(runs: Iterable[RunRow]) -> datetime | None:
    return min((run.scheduled_start_time + LATE_AFTER for run in runs if run.scheduled_start_time), default=None)
