"""Every kind of page there is, by the form of its path."""

from __future__ import annotations

from functools import cache
from re import Pattern

from starlette.routing import compile_path

from headwater.web.live.topics import AGENTS, FLOWS, PROJECTS, QUEUES, RUNS
from headwater.web.pages.dashboard import dashboard_page
from headwater.web.pages.flow import flow_page, flow_topics
from headwater.web.pages.page import PageKind, Params, always
from headwater.web.pages.run import run_lines, run_page, run_topics

KINDS = (
    PageKind(path="/", build=dashboard_page, topics=always(RUNS, FLOWS, PROJECTS, AGENTS, QUEUES)),
    PageKind(path="/default/flow/{flow_id}", build=flow_page, topics=flow_topics),
    PageKind(path="/default/flow-run/{run_id}", build=run_page, topics=run_topics, lines=run_lines),
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
