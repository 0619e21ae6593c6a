"""The parts of pages that show schedules: of one flow, of a list of flows, and what is to come of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import available_timezones

from headwater.core.program.concurrency import gather
from headwater.core.queries import (
    BackfillRow,
    FlowRow,
    ListBackfills,
    ListRuns,
    ListScheduleDays,
    ListScheduleOutcomes,
    ListSchedules,
    RunRow,
    ScheduleDayRow,
    ScheduleOutcomeRow,
    ScheduleRow,
)
from headwater.core.states import FAILED, StateName
from headwater.web.pages.backfill import STATE_CLASSES
from headwater.web.pages.page import Params, Sources
from headwater.web.schedules.backfill_form import CHOICE_WORDS, BackfillForm, backfill_form, utc_text
from headwater.web.schedules.backfill_form import TIMES_SHOWN as BACKFILL_TIMES_SHOWN
from headwater.web.schedules.form import ScheduleForm, form_of
from headwater.web.schedules.month import WEEKDAYS, fill, month_of
from headwater.web.schedules.next_times import Due, calendar_of, changes_at, late, next_times
from headwater.web.schedules.words import MISSED_WORDS, OUTCOME_WORDS, OVERLAP_WORDS, outcome_words, policy_words, state_words, times_of

SCHEDULES_SHOWN = 20
"""So many schedules of one flow are shown."""
SCHEDULES_LOOKED_AT = 500
"""So many schedules are looked at for what is to come of all flows."""
BACKFILLS_SHOWN = 8
"""So many backfills of a schedule are shown, the newest."""
TIMES_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class ShownSchedule:
    """A schedule as the page of its flow shows it. `runs` are those of its outcomes that are known, by id."""

    row: ScheduleRow
    words: str
    registered_words: str
    policies: list[str]
    state: str
    next: list[datetime]
    late: Due | None
    outcomes: list[ScheduleOutcomeRow]
    runs: Mapping[str, RunRow]
    paused_by: str
    backfills: list[BackfillRow]


@dataclass(frozen=True)
class Coming:
    """A time to come: of a run that is there already, or of a schedule that will have one."""

    at: datetime
    flow_name: str
    flow_group_id: str
    run: RunRow | None = None
    schedule: ScheduleRow | None = None
    late: Due | None = None


async def flow_schedules(sources: Sources, group_id: str, *, outcomes: int) -> list[ShownSchedule]:
    """Return the schedules of a flow, its own one first, each with so many of its last outcomes."""
    rows = await sources.views.schedules(ListSchedules(flow_group_ids=(group_id,), limit=SCHEDULES_SHOWN))
    return list(await gather(*(_shown(sources, row, outcomes) for row in rows))) if rows else []


async def _shown(sources: Sources, row: ScheduleRow, outcomes: int) -> ShownSchedule:
    views = sources.views
    last, runs, pauses, backfills = await gather(
        views.schedule_outcomes(ListScheduleOutcomes(schedule_id=row.id, limit=outcomes)),
        views.ask(ListRuns(schedule_id=row.id, brief=True, limit=outcomes), RunRow),
        views.schedule_outcomes(ListScheduleOutcomes(schedule_id=row.id, outcomes=("paused",), limit=0 if row.active else 1)),
        views.backfills(ListBackfills(schedule_id=row.id, limit=BACKFILLS_SHOWN)),
    )
    overridden = row.set_by_user is not None and row.registered is not None
    return ShownSchedule(
        row=row,
        words=times_of(row.spec),
        registered_words=times_of(row.registered) if overridden else "",
        policies=[] if row.spec is None else policy_words(row.spec.policies),
        state=state_words(row),
        next=[each.nominal for each in next_times(row, sources.now, TIMES_SHOWN)],
        late=late(row, sources.now),
        outcomes=last,
        runs={run.id: run for run in runs},
        paused_by=pauses[0].actor if pauses else "",
        backfills=backfills,
    )


def backfill_link(row: ScheduleRow, since: datetime, until: datetime, choice: str) -> str:
    """Return the address of the form that tries a backfill of this span."""
    after = until.replace(microsecond=0) + timedelta(seconds=1 if until.microsecond else 0)  # forms take whole seconds
    asked = {"tab": "schedule", "backfill": row.id, "from": utc_text(since), "to": utc_text(after), "choice": choice}
    return f"/default/flow/{row.flow_group_id}?{urlencode(asked)}#backfill-{row.id}"


WORDS: dict[str, Any] = {
    "outcome_words": outcome_words,
    "outcomes": OUTCOME_WORDS,
    "backfill_link": backfill_link,
    "backfill_classes": STATE_CLASSES,
    "backfilled_states": FAILED | {StateName.CANCELLED},
    "backfills_shown": BACKFILLS_SHOWN,
}
"""What the template of a schedule calls."""


async def schedule_tab(sources: Sources, flow: FlowRow, query: Params) -> dict[str, Any]:
    """Show the schedules of a flow with the forms that set them, and a month of them."""
    shown = await flow_schedules(sources, flow.flow_group_id, outcomes=15)
    slug, edits = query.get("slug"), bool(query.get("edit"))
    forms = {each.row.slug: form_of(each.row.spec, each.row.slug) for each in shown}
    new = ScheduleForm(form_of(None).fields)
    for form, of in [*((form, slug_of) for slug_of, form in forms.items()), (new, None)]:
        form.open = edits and of == slug
    chosen = [each.row for each in shown if slug is None or each.row.slug == slug] or [each.row for each in shown]
    month = month_of(query.get("month", ""), sources.now, _zone(chosen))
    backfills = {each.row.id: _linked_form(query) if query["backfill"] == each.row.id else backfill_form({}) for each in shown}
    counts: list[ScheduleDayRow] = []
    if chosen:
        wanted = ListScheduleDays(schedule_ids=tuple(row.id for row in chosen), starts=month.starts)
        counts = await sources.views.ask(wanted, ScheduleDayRow)
    return {
        "schedules": shown,
        "forms": forms,
        "new_form": new,
        "has_own": "" in forms,
        "backfill_forms": backfills,
        "backfill_choices": CHOICE_WORDS,
        "backfill_times_shown": BACKFILL_TIMES_SHOWN,
        "only": chosen[0] if len(chosen) == 1 and not flow.deleted else None,
        "choices": {"missed": MISSED_WORDS, "overlap": OVERLAP_WORDS},
        "zones": _zones(),
        "month": fill(month, counts, chosen, sources.now),
        "weekdays": WEEKDAYS,
        "changes_at": changes_at((each.row for each in shown), sources.now),
        **WORDS,
    }


def _linked_form(query: Params) -> BackfillForm:
    """Return the form of a backfill as a link fills it in."""
    named = {"from_utc": query["from"], "to_utc": query["to"], "choice": query["choice"]}
    form = backfill_form({name: text for name, text in named.items() if text})
    form.fields |= {name: form.fields[f"{name}_utc"].removesuffix("Z") for name in ("from", "to")}
    form.open = True
    return form


def _zone(rows: Sequence[ScheduleRow]) -> tzinfo:
    """Return the time zone of the first clock that has one."""
    for row in rows:
        calendar = None if row.spec is None else calendar_of(row.spec)
        for clock in () if calendar is None else calendar.clocks:
            return clock.zone
    return UTC


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def by_group(rows: Iterable[ScheduleRow]) -> dict[str, list[ScheduleRow]]:
    """Return the schedules of each flow, its own one first."""
    found: dict[str, list[ScheduleRow]] = {}
    for row in rows:
        found.setdefault(row.flow_group_id, []).append(row)
    return found


def coming(runs: Iterable[RunRow], schedules: Iterable[ScheduleRow], now: datetime, number: int) -> list[Coming]:
    """Return what is to come, soonest first: runs that wait for their time, and the next times of schedules; at most so many."""
    found = [Coming(run.scheduled_start_time or run.created, run.flow_name, run.flow_group_id, run=run) for run in runs]
    for row in schedules:
        found += [Coming(each.due, row.flow_name, row.flow_group_id, schedule=row) for each in next_times(row, now, number)]
    return sorted(found, key=lambda each: each.at)[:number]


def late_schedules(schedules: Iterable[ScheduleRow], now: datetime) -> list[Coming]:
    """Return the schedules whose time came and has no outcome, the latest first."""
    found = [(row, late(row, now)) for row in schedules]
    return sorted(
        (Coming(each.due, row.flow_name, row.flow_group_id, schedule=row, late=each) for row, each in found if each is not None),
        key=lambda each: each.at,
    )
