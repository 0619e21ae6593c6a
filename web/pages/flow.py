"""The page of a flow: what it is, how its last runs went, and the ways to run it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.events import ScheduleSpec
from headwater.core.log import subjects
from headwater.core.operations.flow_lookup import flow_group
from headwater.core.operations.slots import slots
from headwater.core.program.concurrency import gather
from headwater.core.queries import FlowRow, ListRuns, RunRow
from headwater.core.queries.requests import ListFlows
from headwater.core.states import StateName
from headwater.core.values.identifiers import flow_version_id, split_flow_id
from headwater.web.pages.drawings import drawn_flow
from headwater.web.pages.history import history
from headwater.web.pages.listings import flow_runs_tab
from headwater.web.pages.page import Page, Params, Sources
from headwater.web.pages.run import is_late
from headwater.web.pages.schedules import WORDS, coming, flow_schedules, schedule_tab
from headwater.web.pages.shape import stacked, success_percent
from headwater.web.run_form import default_fields, parameter_fields
from headwater.web.schedules.next_times import changes_at
from headwater.web.schedules.words import times_of
from headwater.web.version_changes import changes_between

RUNS_SHOWN = 60
LISTED = 8
OUTCOMES_SHOWN = 5
DAY = timedelta(hours=24)


async def find_flow(sources: Sources, flow_id: str) -> FlowRow:
    """Return the flow version of this id (of a group's id: the newest); one registered a moment ago, too.

    Raises:
        NotFound: there is no such flow.

    """
    try:
        group_id, _ = split_flow_id(flow_id)
    except InvalidArgument as error:
        raise NotFound("flow", flow_id, hint="The address is incomplete or was mistyped.") from error
    try:
        return await sources.views.flow(flow_id)
    except NotFound:
        recorded = await sources.log.events.read(subjects.flow_group(group_id))
        if not recorded:
            raise
        return await sources.views.flow(flow_id, at_least=recorded[-1].position)


async def flow_page(sources: Sources, params: Params, query: Params) -> Page:
    """Make the page of a flow on the tab that `query` names."""
    flow = await find_flow(sources, params["flow_id"])
    tab = query.get("tab", "")
    tab = tab if tab in TABS else "overview"
    versions = await sources.views.flows(
        ListFlows(flow_group_id=flow.flow_group_id, all_versions=True, include_archived=True, include_deleted=True)
    )
    context: dict[str, Any] = {
        "flow": flow,
        "tab": tab,
        "tabs": list(TABS),
        "query": query,
        "address": f"/default/flow/{params['flow_id']}",
        "versions": sorted(versions, key=lambda version: -version.version),
        "latest": max((version.version for version in versions), default=flow.version),
        "missing": [parameter.name for parameter in flow.run_parameters if parameter.required],
        "can_run": not flow.archived and not flow.deleted,
    }
    context |= await TABS[tab](sources, flow, query)
    title = f"{flow.name} · {flow.project_name}"
    return Page(template=f"flow/{tab}.html", title=title, context=context, changes_at=context.get("changes_at"))


async def _overview(sources: Sources, flow: FlowRow, _: Params) -> dict[str, Any]:
    group, views = flow.flow_group_id, sources.views
    runs, counts, waiting, failed, schedules = await gather(
        views.ask(ListRuns(flow_group_id=group, brief=True, limit=RUNS_SHOWN), RunRow),
        views.run_counts(flow_group_id=group, since=sources.now - DAY),
        views.ask(ListRuns(flow_group_id=group, soonest=True, brief=True, limit=LISTED), RunRow),
        views.ask(ListRuns(flow_group_id=group, states=(StateName.FAILED,), brief=True, limit=LISTED), RunRow),
        flow_schedules(sources, group, outcomes=OUTCOMES_SHOWN),
    )
    rows = [each.row for each in schedules]
    return {
        "runs": runs,
        "history": history(runs),
        "slices": stacked(counts),
        "counts": counts,
        "success": success_percent(counts),
        "schedules": schedules,
        "registered_words": times_of(ScheduleSpec(flow.schedule)) if flow.schedule else "",
        "coming": coming(waiting, rows, sources.now, LISTED),
        "late": {run.id for run in waiting if is_late(run, sources.now)},
        "failed": failed,
        "changes_at": changes_at(rows, sources.now),
        **WORDS,
    }


async def _tasks(sources: Sources, flow: FlowRow, _: Params) -> dict[str, Any]:
    tasks, edges = await gather(sources.views.flow_tasks(flow.id), sources.views.flow_edges(flow.id))
    names = {task.slug: task.name for task in tasks}
    upstream: dict[str, list[str]] = {}
    for edge in edges:
        upstream.setdefault(edge.downstream, []).append(names.get(edge.upstream, edge.upstream))
    return {"tasks": tasks, "upstream": upstream}


async def _schematic(sources: Sources, flow: FlowRow, _: Params) -> dict[str, Any]:
    return {"drawing": await drawn_flow(sources.views, flow.id)}


async def _versions(sources: Sources, flow: FlowRow, query: Params) -> dict[str, Any]:
    """Show the versions, and what changed from another one (`from`; by default the one before) to this."""
    asked = query.get("from", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else flow.version - 1  # noqa: PLR2004
    if not 0 < before != flow.version:
        return {"before": None, "changes": []}
    other = await sources.views.flow(flow_version_id(flow.flow_group_id, before))
    ours, theirs, our_edges, their_edges = await gather(
        sources.views.flow_tasks(flow.id),
        sources.views.flow_tasks(other.id),
        sources.views.flow_edges(flow.id),
        sources.views.flow_edges(other.id),
    )
    return {"before": other, "changes": changes_between((other, theirs, their_edges), (flow, ours, our_edges))}


async def _run(_: Sources, flow: FlowRow, __: Params) -> dict[str, Any]:
    return {"fields": parameter_fields(flow.run_parameters)}


async def _settings(sources: Sources, flow: FlowRow, _: Params) -> dict[str, Any]:
    """Show what can be set; limits are read from the log, which alone has them."""
    newest = await sources.views.flow(flow.flow_group_id)
    group = await flow_group(sources.log.events, flow.flow_group_id).refresh()
    held = await slots(sources.log.events, flow.flow_group_id).refresh()
    return {
        "attempts_max": group.attempts_max,
        "concurrency": held.limit,
        "held": len(held.attempts),
        "newest": newest,
        "defaults": default_fields(newest.parameters, newest.default_parameters),
    }


TABS = {
    "overview": _overview,
    "tasks": _tasks,
    "runs": flow_runs_tab,
    "schedule": schedule_tab,
    "schematic": _schematic,
    "versions": _versions,
    "run": _run,
    "settings": _settings,
}


def flow_topics(params: Params) -> frozenset[str]:
    """Return the topic of the flow group in the path; none where the path holds no flow's id."""
    try:
        group_id, _ = split_flow_id(params["flow_id"])
    except InvalidArgument:
        return frozenset()
    return frozenset({f"flow:{group_id}"})
