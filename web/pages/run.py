"""The page of a run: its state, timeline, tasks and log at one glance; the schematic and the audit trail on tabs of their own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from headwater.core import subjects
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.identifiers import parsed_uuid
from headwater.core.queries import RunRow, TaskRunRow
from headwater.core.states import FINAL, StateName
from headwater.web.log_lines import LineFilter
from headwater.web.pages.page import Page, Params, Sources, all_of
from headwater.web.pages.shape import stacked
from headwater.web.timeline import timeline

TABS = ("overview", "schematic", "logs", "events")
TASKS_SHOWN_MAX = 100
LATE_AFTER = timedelta(seconds=20)
LEVELS = ((logging.DEBUG, "DEBUG"), (logging.INFO, "INFO"), (logging.WARNING, "WARNING"), (logging.ERROR, "ERROR"))


async def find_run(sources: Sources, run_id: str) -> RunRow:
    """Return the run; one that was created a moment ago, too: what the views miss, the log may have.

    Raises:
        NotFound: there is no such run.

    """
    try:
        run_id = str(parsed_uuid(run_id, kind="run id"))
    except InvalidArgument as error:
        raise NotFound("run", run_id, hint="The address is incomplete or was mistyped.") from error
    try:
        return await sources.views.run(run_id)
    except NotFound:
        recorded = await sources.log.events.read(subjects.run(run_id))
        if not recorded:
            raise
        return await sources.views.run(run_id, at_least=recorded[-1].position)


async def run_page(sources: Sources, params: Params, query: Params) -> Page:
    """Make the page of a run on the tab that `query` names."""
    run = await find_run(sources, params["run_id"])
    tab = query.get("tab", "overview")
    context: dict[str, Any] = {
        "run": run,
        "tab": tab if tab in TABS else "overview",
        "tabs": TABS,
        "late": is_late(run, sources.now),
        "waiting": run.state in {StateName.SCHEDULED, StateName.PENDING, StateName.QUEUED},
        "can_cancel": run.state not in FINAL and not run.cancel_requested,
    }
    context |= await _overview(sources, run)
    return Page(
        template="run.html",
        title=f"{run.name} · {run.flow_name}",
        context=context,
        state=run.state,
        changes_at=_becomes_late(run, sources.now),
        lines_position=context["lines_position"],
    )


async def _overview(sources: Sources, run: RunRow) -> dict[str, Any]:
    states, task_runs, changes, lines = await all_of(
        sources.views.run_states(run.id),
        sources.views.task_runs(run.id),
        sources.views.task_run_states(run.id),
        sources.views.logs(run.id),
    )
    counts = task_counts(task_runs)
    return {
        "states": states,
        "task_runs": task_runs[:TASKS_SHOWN_MAX],
        "task_count": len(task_runs),
        "slices": stacked(counts),
        "counts": counts,
        "timeline": timeline(run, states, task_runs, changes, sources.now),
        "lines": lines,
        "lines_position": lines[-1].position if lines else 0,
        "levels": LEVELS,
    }


def task_counts(task_runs: Sequence[TaskRunRow]) -> dict[str, int]:
    """Return how many task runs are in each state; a mapped task counts by its children."""
    counts: dict[str, int] = {}
    for task_run in task_runs:
        if task_run.state == StateName.MAPPED and task_run.child_count:
            continue
        counts[task_run.state] = counts.get(task_run.state, 0) + 1
    return counts


def is_late(run: RunRow, now: datetime) -> bool:
    """Tell whether nobody took the run though it was due."""
    due = run.scheduled_start_time
    return run.state == StateName.SCHEDULED and due is not None and now - due > LATE_AFTER


def _becomes_late(run: RunRow, now: datetime) -> datetime | None:
    if run.state != StateName.SCHEDULED or run.scheduled_start_time is None:
        return None
    late_at = run.scheduled_start_time + LATE_AFTER
    return late_at if late_at > now else None


def run_topics(params: Params) -> frozenset[str]:
    """Return the topic of the run in the path."""
    return frozenset({f"run:{params['run_id'].lower()}"})


def run_lines(params: Params, query: Params) -> LineFilter:
    """Return which log lines of the run the page shows."""
    level = query.get("level", "")
    return LineFilter(
        run_id=params["run_id"].lower(),
        min_level=int(level) if level.isascii() and level.isdigit() else 0,
        text=query.get("text", ""),
        task=query.get("task") or None,
    )
