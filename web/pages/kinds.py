"""Every kind of page there is, by the form of its path."""

from __future__ import annotations

from functools import cache
from re import Pattern

from starlette.routing import compile_path

from headwater.web.live.topics import AGENTS, FLOWS, KEY_VALUES, LOG, PROJECTS, QUEUES, RUNS, SCHEDULES
from headwater.web.pages.agents import agents_page
from headwater.web.pages.backfill import backfill_page, backfill_topics
from headwater.web.pages.dashboard import dashboard_page
from headwater.web.pages.flow import flow_page, flow_topics
from headwater.web.pages.listings import flows_page, project_page, projects_page, queues_page, runs_page, search_page
from headwater.web.pages.page import PageKind, Params, always
from headwater.web.pages.run import run_lines, run_page, run_topics
from headwater.web.pages.server import log_page, server_page
from headwater.web.pages.task_run import task_run_lines, task_run_page

KINDS = (
    PageKind(path="/", build=dashboard_page, topics=always(RUNS, FLOWS, PROJECTS, AGENTS, QUEUES, SCHEDULES)),
    PageKind(path="/default/flow/{flow_id}", build=flow_page, topics=flow_topics),
    PageKind(path="/default/backfill/{backfill_id}", build=backfill_page, topics=backfill_topics),
    PageKind(path="/default/flow-run/{run_id}", build=run_page, topics=run_topics, lines=run_lines),
    PageKind(path="/default/task-run/{run_id}/{slug:slug}", build=task_run_page, topics=run_topics, lines=task_run_lines),
    PageKind(path="/default/flows", build=flows_page, topics=always(FLOWS, RUNS, PROJECTS, SCHEDULES)),
    PageKind(path="/default/runs", build=runs_page, topics=always(RUNS)),
    PageKind(path="/default/projects", build=projects_page, topics=always(PROJECTS, FLOWS)),
    PageKind(path="/default/project/{project_id}", build=project_page, topics=always(PROJECTS, KEY_VALUES)),
    PageKind(path="/default/agents", build=agents_page, topics=always(AGENTS)),
    PageKind(path="/default/queues", build=queues_page, topics=always(QUEUES, AGENTS)),
    PageKind(path="/default/search", build=search_page, topics=always(RUNS, FLOWS)),
    PageKind(path="/default/log", build=log_page, topics=always(LOG)),
    PageKind(path="/default/server", build=server_page, topics=always(LOG)),
)


@cache
def _patterns() -> tuple[tuple[Pattern[str], PageKind], ...]:
    return tuple((compile_path(kind.path)[0], kind) for kind in KINDS)


def kind_of(path: str) -> tuple[PageKind, Params] | None:
    """Return the kind of the page at this path and the parameters in it, or None where there is no page."""
    for pattern, kind in _patterns():
        if found := pattern.match(path):
            return kind, found.groupdict()
    return None
