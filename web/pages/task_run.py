"""The page of a task run: its states, its failure, its artifacts, its result, its part of the log."""

from __future__ import annotations

from contextlib import suppress

from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.program.concurrency import gather
from headwater.core.queries import ListTaskRuns, TaskRunRow
from headwater.core.runs.set_state import TASK_RUN_STATES
from headwater.core.states import FINAL, StateName
from headwater.web.log_lines import LINE_CHARACTERS_MAX, LineFilter
from headwater.web.pages.artifacts import shown_artifacts
from headwater.web.pages.page import Page, Params, Sources
from headwater.web.pages.run import EXECUTED, find_run
from headwater.web.task_run_addresses import send_on

LINES_SHOWN = 500


def _index(query: Params) -> int:
    text = query.get("index", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1  # noqa: PLR2004 - children are fewer


async def task_run_page(sources: Sources, params: Params, query: Params) -> Page:
    """Make the page of a task run, of the mapped child that `index` names, or of the task."""
    run = await find_run(sources, params["run_id"])
    slug, index = params["slug"].replace("\0", ""), _index(query)
    found, states, lines, edges, groups, artifacts = await gather(
        sources.views.ask(ListTaskRuns(run_id=run.id, slug=slug, map_index=index), TaskRunRow),
        sources.views.task_run_states(run.id, slug=slug, map_index=index),
        sources.views.last_logs(run.id, LINES_SHOWN, task=slug, map_index=None if index < 0 else index, cut_at=LINE_CHARACTERS_MAX + 1),
        sources.views.flow_edges(run.flow_id),
        sources.views.task_groups(run.id, limit=2000),
        shown_artifacts(sources, run.id, slug=slug, map_index=None if index < 0 else index),
    )
    if not found:
        # A user who pastes the id that Python prints comes here, its index at the end of what was taken for the slug.
        with suppress(InvalidArgument):
            send_on(f"{run.id}/{slug}")
        raise NotFound("task run", slug if index < 0 else f"{slug}[{index}]")
    task_run = found[0]
    names = {group.slug: group for group in groups}
    context = {
        "run": run,
        "task": task_run,
        "can_restart": run.state in FINAL,
        "can_resume": task_run.state == StateName.PAUSED and run.state not in FINAL,
        "can_set_state": run.state not in EXECUTED and task_run.state != StateName.MAPPED,
        "settable_states": [state for state in TASK_RUN_STATES if state is not StateName.RESUME],
        "states": states,
        "artifacts": artifacts,
        "lines": lines,
        "upstream": [names[edge.upstream] for edge in edges if edge.downstream == slug and edge.upstream in names],
        "downstream": [names[edge.downstream] for edge in edges if edge.upstream == slug and edge.downstream in names],
    }
    return Page(
        template="task_run.html",
        title=f"{task_run.name} · {run.name}",
        context=context,
        state=task_run.state,
        lines_position=lines[-1].position if lines else 0,
    )


def task_run_lines(params: Params, query: Params) -> LineFilter:
    """Return which lines of the run's log are the task run's."""
    index = _index(query)
    return LineFilter(run_id=params["run_id"].lower(), task=params["slug"], map_index=None if index < 0 else index)
