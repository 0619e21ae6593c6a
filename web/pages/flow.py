"""The page of a flow: what it is, how its last runs went, and the buttons that run it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from headwater.core import subjects
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.identifiers import split_flow_id
from headwater.core.queries import FlowRow
from headwater.web.pages.history import history
from headwater.web.pages.page import Page, Params, Sources, all_of
from headwater.web.pages.shape import stacked, success_percent

TABS = ("overview", "tasks", "runs", "schematic", "versions", "run", "settings")
RUNS_SHOWN = 60
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
    tab = query.get("tab", "overview")
    context: dict[str, Any] = {"flow": flow, "tab": tab if tab in TABS else "overview", "tabs": TABS}
    context["missing"] = [parameter.name for parameter in flow.parameters if parameter.required]
    context["can_run"] = not flow.archived and not flow.deleted
    context |= await _overview(sources, flow)
    return Page(template="flow.html", title=f"{flow.name} · {flow.project_name}", context=context)


async def _overview(sources: Sources, flow: FlowRow) -> dict[str, Any]:
    group = flow.flow_group_id
    versions, runs, counts, tasks = await all_of(
        sources.views.flows(flow_group_id=group, all_versions=True, include_archived=True, include_deleted=True),
        sources.views.runs(flow_group_id=group, limit=RUNS_SHOWN),
        sources.views.run_counts(flow_group_id=group, since=sources.now - DAY),
        sources.views.flow_tasks(flow.id),
    )
    return {
        "versions": versions,
        "latest": max((version.version for version in versions), default=flow.version),
        "runs": runs,
        "history": history(runs),
        "slices": stacked(counts),
        "counts": counts,
        "success": success_percent(counts),
        "tasks": tasks,
    }


def flow_topics(params: Params) -> frozenset[str]:
    """Return the topic of the flow group in the path; none where the path holds no flow's id."""
    try:
        group_id, _ = split_flow_id(params["flow_id"])
    except InvalidArgument:
        return frozenset()
    return frozenset({f"flow:{group_id}"})
