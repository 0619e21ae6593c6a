"""The page of a run: its state, timeline, tasks and log at one glance; everything about it on tabs."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.log import subjects
from headwater.core.operations.run_lookup import DeletedRun, find_deleted_run
from headwater.core.queries import ListTaskRuns, RunRow, TaskRunRow
from headwater.core.runs.set_state import RUN_STATES
from headwater.core.states import FINAL, StateName
from headwater.core.values.identifiers import parsed_uuid
from headwater.web.explanation import explanation_of
from headwater.web.log_lines import LineFilter, line_filter
from headwater.web.pages.artifacts import artifacts_tab
from headwater.web.pages.page import Page, Params, Sources
from headwater.web.pages.run_tabs import COMMITS_SHOWN, commit_row, events_tab, logs_tab, overview_tab, schematic_tab, tasks_tab
from headwater.web.schedules.words import times_of

TABS = {
    "overview": overview_tab,
    "tasks": tasks_tab,
    "schematic": schematic_tab,
    "artifacts": artifacts_tab,
    "logs": logs_tab,
    "events": events_tab,
}
LATE_AFTER = timedelta(seconds=20)
PAUSED_SHOWN = 5
"""So many paused task runs are named at the head of the page; all of them are on the tab of tasks."""
EXECUTED = {StateName.SUBMITTED, StateName.RUNNING, StateName.CANCELLING}
_TABS_WITH_LINES = {"overview", "logs"}


async def find_run(sources: Sources, run_id: str) -> RunRow:
    """Return the run; one that was created a moment ago, too: what the views miss, the log may have.

    Raises:
        NotFound: there is no such run, or it was deleted.

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
        return await sources.views.run(run_id, at_least=recorded[0].position)


async def run_page(sources: Sources, params: Params, query: Params) -> Page:
    """Make the page of a run on the tab that `query` names."""
    try:
        run = await find_run(sources, params["run_id"])
    except NotFound:
        if (deleted := await _deleted(sources, params["run_id"])) is None:
            raise
        return await _deleted_page(sources, deleted)
    tab = tab_of(query)
    waits = run.state == StateName.SCHEDULED
    context: dict[str, Any] = {
        "run": run,
        "tab": tab,
        "tabs": list(TABS),
        "query": query,
        "late": is_late(run, sources.now),
        "waits": waits,
        "why": await explanation_of(sources, run),
        "paused": [],
        "can_set_state": run.state not in EXECUTED,
        "settable_states": RUN_STATES,
        "can_cancel": run.state not in FINAL and not run.cancel_requested,
        "can_restart": run.state in FINAL and run.state != StateName.SUCCESS,
        "can_delete": run.state in FINAL,
        "can_start_now": waits and run.scheduled_start_time is not None and run.scheduled_start_time > sources.now,
        "lines_position": 0,
        "position": None,
    }
    context |= await _schedule_of(sources, run)
    if run.state == StateName.PAUSED or (waits and run.attempt):
        wanted = ListTaskRuns(run_id=run.id, states=(StateName.PAUSED,), limit=PAUSED_SHOWN)
        context["paused"] = await sources.views.ask(wanted, TaskRunRow)
    context |= await TABS[tab](sources, run, query)
    return Page(
        template=f"run/{tab}.html",
        title=f"{run.name} · {run.flow_name}",
        context=context,
        state=run.state,
        position=context["position"],
        changes_at=_changes_at(run, sources.now),
        lines_position=context["lines_position"],
    )


async def _schedule_of(sources: Sources, run: RunRow) -> dict[str, Any]:
    """Return the schedule and the backfill that made the run, and the run of it that this one waits for."""
    found: dict[str, Any] = {"schedule": None, "schedule_words": "", "earlier": None, "backfill": None}
    if run.scheduled_by is None:
        return found
    with suppress(NotFound):
        schedule = found["schedule"] = await sources.views.schedule(run.scheduled_by.schedule_id)
        found["schedule_words"] = times_of(schedule.spec) if schedule.spec is not None else "which was deleted"
    if run.scheduled_by.backfill_id is not None:
        with suppress(NotFound):
            found["backfill"] = await sources.views.backfill(run.scheduled_by.backfill_id)
    if run.scheduled_by.after_run_id is not None:
        with suppress(NotFound):
            found["earlier"] = await sources.views.run(run.scheduled_by.after_run_id)
    return found


async def _deleted(sources: Sources, run_id: str) -> DeletedRun | None:
    """Return what the log says of a run that was deleted, None where that was none."""
    try:
        return await find_deleted_run(sources.log.events, str(parsed_uuid(run_id, kind="run id")))
    except InvalidArgument:
        return None


async def _deleted_page(sources: Sources, deleted: DeletedRun) -> Page:
    """Tell that the run was deleted, and what happened to it, which the log still has."""
    created = deleted.run.created
    recorded = await sources.log.events.read(subjects.run(created.run_id))
    context = {
        "deleted": deleted,
        "created": created,
        "more": max(0, len(recorded) - COMMITS_SHOWN),
        "commits": [commit_row(each) for each in recorded[-COMMITS_SHOWN:]],
    }
    return Page(template="run/deleted.html", title=f"{deleted.run.name} · deleted", context=context, position=deleted.position)


def tab_of(query: Params) -> str:
    """Return the tab that the query names, or the first."""
    tab = query.get("tab", "")
    return tab if tab in TABS else next(iter(TABS))


def is_late(run: RunRow, now: datetime) -> bool:
    """Tell whether no agent took the run though it was due. One that follows an earlier run of its schedule may wait for that one."""
    due = run.scheduled_start_time
    if run.scheduled_by is not None and run.scheduled_by.after_run_id is not None:
        return False
    return run.state == StateName.SCHEDULED and due is not None and now - due > LATE_AFTER


def _changes_at(run: RunRow, now: datetime) -> datetime | None:
    """Return when a waiting run becomes due, or late."""
    if run.state != StateName.SCHEDULED or run.scheduled_start_time is None:
        return None
    moments = (run.scheduled_start_time, run.scheduled_start_time + LATE_AFTER)
    return next((moment for moment in moments if moment > now), None)


def run_topics(params: Params) -> frozenset[str]:
    """Return the topic of the run in the path."""
    return frozenset({f"run:{params['run_id'].lower()}"})


def run_lines(params: Params, query: Params) -> LineFilter | None:
    """Return which log lines of the run the page shows; None on tabs without a log, and where older lines are looked at."""
    if tab_of(query) not in _TABS_WITH_LINES or query.get("until"):
        return None
    return line_filter(params["run_id"].lower(), query if tab_of(query) == "logs" else {})
