"""The tabs of a run's page: what each asks for, and what it makes of the answers."""

from __future__ import annotations

import logging
from typing import Any

from headwater.core.describe import describe_event
from headwater.core.errors import CommitUnreadable
from headwater.core.events import event_type
from headwater.core.log import subjects
from headwater.core.log.protocol import Recorded
from headwater.core.program.concurrency import gather
from headwater.core.queries import ListTaskRuns, RunRow, TaskRunRow
from headwater.core.states import StateName
from headwater.web.log_lines import LINE_CHARACTERS_MAX, line_filter
from headwater.web.pages.drawings import drawn_flow
from headwater.web.pages.page import Params, Sources
from headwater.web.pages.shape import stacked
from headwater.web.timeline import LANES_MAX, telling_state, timeline

GROUPS_SHOWN_MAX = 200
LINES_ON_OVERVIEW = 200
LINES_SHOWN = 500
TASK_RUNS_SHOWN = 100
COMMITS_SHOWN = 200
EVENTS_TOLD_MAX = 20
"""Of a commit with more events, the first ones are shown in words; all of them are in its JSON."""
LEVELS = (
    (0, "All levels"),
    (logging.DEBUG, "Debug and up"),
    (logging.INFO, "Info and up"),
    (logging.WARNING, "Warning and up"),
    (logging.ERROR, "Error and up"),
)


async def overview_tab(sources: Sources, run: RunRow, _: Params) -> dict[str, Any]:
    """Timeline, tasks, the end of the log, and what the run was given."""
    views = sources.views
    states, groups, changes, lines = await gather(
        views.run_states(run.id),
        views.task_groups(run.id, limit=GROUPS_SHOWN_MAX),
        views.task_run_states(run.id, map_index=-1, limit=20 * LANES_MAX),
        views.last_logs(run.id, LINES_ON_OVERVIEW, cut_at=LINE_CHARACTERS_MAX + 1),
    )
    counts: dict[str, int] = {}
    for group in groups:
        for state, count in group.counts.items():
            counts[state] = counts.get(state, 0) + count
    return {
        "states": states,
        "groups": groups,
        "telling_state": telling_state,
        "stacked": stacked,
        "slices": stacked(counts),
        "task_run_count": sum(counts.values()),
        "timeline": timeline(run, states, groups, changes, sources.now),
        "lines": lines,
        "lines_position": lines[-1].position if lines else 0,
    }


async def tasks_tab(sources: Sources, run: RunRow, query: Params) -> dict[str, Any]:
    """Every task run, by page, filtered by state and text."""
    state = query.get("state", "")
    states = (state,) if state in StateName.__members__.values() else ()
    wanted = ListTaskRuns(run_id=run.id, states=states, search=query.get("search") or None)
    task_runs, following = await sources.views.turn(wanted, TaskRunRow, rows=TASK_RUNS_SHOWN, cursor=query.get("cursor"))
    return {"task_runs": task_runs, "next": following, "states": list(StateName)}


async def schematic_tab(sources: Sources, run: RunRow, _: Params) -> dict[str, Any]:
    """The flow's graph in the colours of this run."""
    drawing, groups = await gather(drawn_flow(sources.views, run.flow_id), sources.views.task_groups(run.id))
    by_slug = {group.slug: group for group in groups}
    looks: dict[str, tuple[str, int, int]] = {}
    for box in drawing.boxes:
        counts: dict[str, int] = {}
        for slug in box.slugs:
            for state, count in (by_slug[slug].counts if slug in by_slug else {}).items():
                counts[state] = counts.get(state, 0) + count
        done = sum(count for state, count in counts.items() if state not in {StateName.PENDING, StateName.RUNNING, StateName.RETRYING})
        looks[box.key] = (telling_state(counts), done, sum(counts.values()))
    return {"drawing": drawing, "looks": looks}


async def logs_tab(sources: Sources, run: RunRow, query: Params) -> dict[str, Any]:
    """The log, filtered; its end, or what comes before a position."""
    wanted = line_filter(run.id, query)
    until = query.get("until", "")
    lines, groups = await gather(
        sources.views.last_logs(
            run.id,
            LINES_SHOWN,
            min_level=wanted.min_level,
            task=wanted.task,
            text=wanted.text,
            cut_at=LINE_CHARACTERS_MAX + 1,
            until=int(until) if until.isascii() and until.isdigit() and len(until) <= 15 else 0,  # noqa: PLR2004 - a position
        ),
        sources.views.task_groups(run.id, limit=GROUPS_SHOWN_MAX),
    )
    return {
        "lines": lines,
        "older": lines[0].position - 1 if len(lines) == LINES_SHOWN else None,
        "lines_position": lines[-1].position if lines else 0,
        "levels": LEVELS,
        "groups": groups,
    }


async def events_tab(sources: Sources, run: RunRow, query: Params) -> dict[str, Any]:
    """The audit trail: every commit on the run with its position, actor, cause and bytes, by page."""
    recorded = await sources.log.events.read(subjects.run(run.id))
    pages = max(1, -(-len(recorded) // COMMITS_SHOWN))
    asked = query.get("page", "")
    page = min(pages, max(1, int(asked))) if asked.isascii() and asked.isdigit() and len(asked) < 9 else pages  # noqa: PLR2004
    shown = recorded[(page - 1) * COMMITS_SHOWN : page * COMMITS_SHOWN]
    return {
        "commits": [commit_row(each) for each in shown],
        "page": page,
        "pages": pages,
        "position": recorded[-1].position if recorded else None,
    }


def commit_row(recorded: Recorded) -> dict[str, Any]:
    """Return a commit as the audit trail shows it; one that cannot be read is shown as such."""
    base = {"position": recorded.position, "subject": recorded.subject, "recorded_at": recorded.recorded_at, "size": len(recorded.data)}
    try:
        commit = recorded.commit
    except CommitUnreadable as error:
        return {**base, "id": "", "actor": "?", "cause": None, "events": [("unreadable", str(error))], "more": 0}
    events = [(event_type(event), describe_event(event)) for event in commit.events[:EVENTS_TOLD_MAX]]
    more = len(commit.events) - len(events)
    return {**base, "id": commit.id, "actor": commit.actor, "cause": commit.cause, "events": events, "more": more}
