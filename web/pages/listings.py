"""The pages that list things: flows, runs, projects, queues, and what a search finds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec

from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.program.concurrency import gather
from headwater.core.queries import FlowRow, KeyValueRow, ListFlows, ListKeyValues, ListRuns, ListSchedules, RunRow, ScheduleRow
from headwater.core.states import StateName
from headwater.core.values.identifiers import parsed_uuid, split_flow_id
from headwater.core.values.labels import agent_accepts
from headwater.web.pages.dashboard import by_flow
from headwater.web.pages.page import Page, Params, Sources
from headwater.web.pages.schedules import SCHEDULES_LOOKED_AT, by_group
from headwater.web.schedules.next_times import changes_at, late, next_times
from headwater.web.schedules.words import times_of

FLOWS_ON_PAGE = 50
RUNS_ON_PAGE = 50
FOUND_SHOWN = 20
KEYS_SHOWN = 200
FLOWS_SEARCHED_MAX = 2000
RUN_STATES = ("Scheduled", "Paused", "Submitted", "Running", "Cancelling", "Success", "Failed", "Cancelled")
SPANS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}


async def flows_page(sources: Sources, _: Params, query: Params) -> Page:
    """List flows with their last runs and what comes next, by page."""
    wanted = ListFlows(project=query.get("project") or None, include_archived=bool(query.get("archived")))
    (flows, following), projects = await gather(
        sources.views.turn(wanted, FlowRow, rows=FLOWS_ON_PAGE, cursor=query.get("cursor")), sources.views.projects()
    )
    groups = tuple(flow.flow_group_id for flow in flows)
    last: dict[str, list[RunRow]] = {}
    schedules: list[ScheduleRow] = []
    if groups:
        runs, schedules = await gather(
            sources.views.last_runs(groups), sources.views.schedules(ListSchedules(flow_group_ids=groups, limit=SCHEDULES_LOOKED_AT))
        )
        last = by_flow(runs)
    context = {
        "flows": flows,
        "next": following,
        "projects": projects,
        "query": query,
        "last_runs": last,
        "schedules": by_group(schedules),
        "words_of": times_of,
        "late": {row.flow_group_id: found for row in schedules if (found := late(row, sources.now)) is not None},
        "next_at": _next_at(last, schedules, sources.now),
    }
    return Page(template="flows.html", title="Flows", context=context, changes_at=changes_at(schedules, sources.now))


def _next_at(last: dict[str, list[RunRow]], schedules: Sequence[ScheduleRow], now: datetime) -> dict[str, datetime]:
    """Return when each flow runs next: by a run that waits, of those among its last runs, or by a schedule."""
    found = [(row.flow_group_id, each.due) for row in schedules for each in next_times(row, now, 1)]
    for group, runs in last.items():
        found += [
            (group, run.scheduled_start_time) for run in runs if run.state == StateName.SCHEDULED and run.scheduled_start_time is not None
        ]
    return dict(sorted(found, key=lambda each: each[1], reverse=True))


def runs_query(query: Params, now: datetime) -> ListRuns:
    """Return the question that the filters of a list of runs ask."""
    state, span = query.get("state", ""), query.get("span", "")
    return ListRuns(
        project=query.get("project") or None,
        states=(state,) if state in RUN_STATES else (),
        search=query.get("search") or None,
        created_after=now - SPANS[span] if span in SPANS else None,
        soonest=query.get("state") == "soonest",
        brief=True,
        limit=None,
    )


async def runs_page(sources: Sources, _: Params, query: Params) -> Page:
    """List runs, newest first, filtered, by page."""
    (runs, following), projects = await gather(
        sources.views.turn(runs_query(query, sources.now), RunRow, rows=RUNS_ON_PAGE, cursor=query.get("cursor")), sources.views.projects()
    )
    context = {"runs": runs, "next": following, "projects": projects, "query": query, "states": RUN_STATES, "spans": list(SPANS)}
    return Page(template="runs.html", title="Runs", context=context)


async def flow_runs_tab(sources: Sources, flow: FlowRow, query: Params) -> dict[str, Any]:
    """List the runs of one flow, filtered, by page."""
    wanted = msgspec.structs.replace(runs_query(query, sources.now), flow_group_id=flow.flow_group_id)
    runs, following = await sources.views.turn(wanted, RunRow, rows=RUNS_ON_PAGE, cursor=query.get("cursor"))
    return {"runs": runs, "next": following, "states": RUN_STATES, "spans": list(SPANS)}


async def projects_page(sources: Sources, _: Params, query: Params) -> Page:
    """List projects, with what can be done to them."""
    projects = await sources.views.projects()
    sought = query.get("search", "").casefold()
    found = [project for project in projects if sought in f"{project.name} {project.description} {project.id}".casefold()]
    return Page(template="projects.html", title="Projects", context={"projects": found, "query": query})


async def project_page(sources: Sources, params: Params, _: Params) -> Page:
    """Show a project's settings."""
    project_id = params["project_id"]
    found, keys = await gather(
        sources.views.projects(project_id=project_id),
        sources.views.ask(ListKeyValues(project_id=project_id, limit=KEYS_SHOWN + 1), KeyValueRow),
    )
    if not found:
        raise NotFound("project", project_id, hint="It was deleted, or the address was mistyped.")
    context = {"project": found[0], "keys": keys[:KEYS_SHOWN], "more_keys": len(keys) > KEYS_SHOWN}
    return Page(template="project.html", title=found[0].name, context=context)


async def queues_page(sources: Sources, _: Params, __: Params) -> Page:
    """List queues: which labels, how many runs wait, which agents take them."""
    queues, agents = await gather(sources.views.queues(), sources.views.agents(status="working", limit=None))
    takers = {queue.id: [agent for agent in agents if agent_accepts(agent.labels, queue.labels)] for queue in queues}
    by_need = sorted(queues, key=lambda queue: (-queue.scheduled_runs, queue.labels))
    context = {"queues": by_need, "takers": takers, "lively": sources.heartbeats.lively(agent.id for agent in agents)}
    return Page(template="queues.html", title="Queues", context=context)


async def search_page(sources: Sources, _: Params, query: Params) -> Page:
    """Find flows and runs by name, by a part of it, or by id."""
    sought = query.get("q", "").strip()
    flows: list[FlowRow] = []
    runs: list[RunRow] = []
    if sought:
        all_flows, runs = await gather(
            sources.views.flows(ListFlows(include_archived=True, limit=FLOWS_SEARCHED_MAX)),
            sources.views.ask(ListRuns(search=sought, brief=True, limit=FOUND_SHOWN), RunRow),
        )
        flows = [flow for flow in all_flows if sought.casefold() in flow.name.casefold()][:FOUND_SHOWN]
        by_id = await _by_id(sources, sought)
        flows = [found for found in by_id if isinstance(found, FlowRow)] + flows
        runs = [found for found in by_id if isinstance(found, RunRow)] + runs
    context = {"sought": sought, "flows": flows, "runs": runs}
    return Page(template="search.html", title=f"{sought} · Search" if sought else "Search", context=context)


async def _by_id(sources: Sources, sought: str) -> list[FlowRow | RunRow]:
    try:
        parsed_uuid(sought, kind="id")
    except InvalidArgument:
        return []
    found: list[FlowRow | RunRow] = []
    with suppress(InvalidArgument, NotFound):
        split_flow_id(sought)
        found.append(await sources.views.flow(sought))
    with suppress(NotFound):
        found.append(await sources.views.run(sought))
    return found
