"""The dashboard: how things are going, at one glance, in one project or in all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from headwater.core.queries import RunRow
from headwater.core.states import StateName
from headwater.web.pages.history import history
from headwater.web.pages.page import Page, Params, Sources, all_of
from headwater.web.pages.run import LATE_AFTER, is_late
from headwater.web.pages.shape import stacked, success_percent

HISTORY_SHOWN = 80
LISTED = 8
_DAY = timedelta(hours=24)
_ACTIVE = (StateName.RUNNING, StateName.SUBMITTED, StateName.CANCELLING)
_WAITING = (StateName.SCHEDULED,)
_FAILED = (StateName.FAILED,)


async def dashboard_page(sources: Sources, _: Params, query: Params) -> Page:
    """Make the dashboard, of the project whose id `query` names, or of all."""
    views, now = sources.views, sources.now
    project = query.get("project") or None
    projects, recent, active, waiting, failed = await all_of(
        views.projects(),
        views.runs(project=project, limit=HISTORY_SHOWN),
        views.runs(project=project, states=_ACTIVE, limit=LISTED),
        views.runs(project=project, states=_WAITING, limit=200),
        views.runs(project=project, states=_FAILED, created_after=now - _DAY, limit=LISTED),
    )
    counts, flows, agents, status = await all_of(
        views.run_counts(project=project, since=now - _DAY),
        views.flows(project=project),
        views.agents(status="working"),
        views.status(set_aside_limit=5),
    )
    chosen = next((found for found in projects if project in {found.id, found.name}), None)
    by_due = sorted(waiting, key=lambda run: run.scheduled_start_time or now)
    late = [run for run in by_due if is_late(run, now)]
    upcoming = [run for run in by_due if not is_late(run, now)]
    context = {
        "projects": projects,
        "project": chosen,
        "history": history(recent),
        "active": active,
        "late": late,
        "upcoming": upcoming,
        "failed": failed,
        "counts": counts,
        "slices": stacked(counts),
        "total": sum(counts.values()),
        "success": success_percent(counts),
        "flows": flows,
        "last_runs": last_runs(recent),
        "agents": agents,
        "heard": sources.presence.heard(agent.id for agent in agents),
        "status": status,
    }
    return Page(template="dashboard.html", title=chosen.name if chosen else "Dashboard", context=context, changes_at=_next_late(upcoming))


def last_runs(runs: Iterable[RunRow], *, shown: int = 10) -> dict[str, list[RunRow]]:
    """Return of each flow group its last runs, oldest first."""
    found: dict[str, list[RunRow]] = {}
    for run in runs:
        of_flow = found.setdefault(run.flow_group_id, [])
        if len(of_flow) < shown:
            of_flow.insert(0, run)
    return found


def _next_late(upcoming: Iterable[RunRow]) -> datetime | None:
    return min((run.scheduled_start_time + LATE_AFTER for run in upcoming if run.scheduled_start_time), default=None)
