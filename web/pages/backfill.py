"""The page of a backfill: what was asked for, how far it is, and the run of each of its times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from headwater.core.backfills.rules import RULES
from headwater.core.backfills.state import Backfill, backfill_run_id
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.events import BackfillRunEnded
from headwater.core.log import subjects
from headwater.core.queries import BackfillRow, RunRow
from headwater.core.values.identifiers import parsed_uuid
from headwater.web.live.topics import RUNS
from headwater.web.pages.page import Page, Params, Sources
from headwater.web.pages.shape import Slice, stacked
from headwater.web.schedules.backfill_form import CHOICE_WORDS

TIMES_SHOWN = 200
"""So many times are on one page."""
GOING_ON = ("running", "cancelling")
STATE_CLASSES = {"running": "Running", "cancelling": "Cancelled", "completed": "Success", "cancelled": "Cancelled"}
"""The state of a run in whose colours the state of a backfill shows."""


@dataclass(frozen=True)
class ShownTime:
    """A time of a backfill. `run` is None where there is no run, or where it was deleted; `state` is how it ended, as far as it has."""

    nominal: datetime
    run_id: str
    run: RunRow | None
    state: str | None
    detail: str
    began: bool


def progress(row: BackfillRow) -> list[Slice]:
    """Return how many times have a run that ended so, a run that goes on, or none yet; without those that are none."""
    ended = row.succeeded + row.failed + row.cancelled
    counts = {"Success": row.succeeded, "Failed": row.failed, "Cancelled": row.cancelled, "Running": row.started - ended}
    return stacked({**counts, "Scheduled": row.times - row.started if row.state == "running" else 0})


async def backfill_page(sources: Sources, params: Params, query: Params) -> Page:
    """Make the page of a backfill; `page` of the query counts its times on by 200.

    Raises:
        NotFound: there is no such backfill.

    """
    try:
        backfill_id = str(parsed_uuid(params["backfill_id"], kind="backfill id"))
    except InvalidArgument as error:
        raise NotFound("backfill", params["backfill_id"], hint="The address is incomplete or was mistyped.") from error
    recorded = await sources.log.events.read(subjects.backfill(backfill_id))
    row = await sources.views.backfill(backfill_id, at_least=recorded[0].position if recorded else 0)
    state, details = RULES.initial, {}
    for event in (event for each in recorded for event in each.events):
        state = RULES.evolve(state, event)
        if isinstance(event, BackfillRunEnded) and event.detail:
            details[event.run_id] = event.detail
    number = int(query["page"]) if query["page"].isascii() and query["page"].isdigit() and len(query["page"]) < 4 else 1  # noqa: PLR2004
    first = min(max(number - 1, 0) * TIMES_SHOWN, (row.times - 1) // TIMES_SHOWN * TIMES_SHOWN)
    context = {
        "backfill": row,
        "asked": state.cancel_requested,
        "goes_on": row.state in GOING_ON,
        "slices": progress(row),
        "choice": CHOICE_WORDS[state.requested.choice],
        "times": await _times(sources, state, details, first),
        "first": first,
        "number": first // TIMES_SHOWN + 1,
        "more": first + TIMES_SHOWN < row.times,
        "state_classes": STATE_CLASSES,
        "query": query,
    }
    return Page(template="backfill.html", title=f"{row.name} · backfill of {row.flow_name}", context=context)


async def _times(sources: Sources, state: Backfill, details: dict[str, str], first: int) -> list[ShownTime]:
    request = state.requested
    shown = {backfill_run_id(request, time): time for time in request.times[first : first + TIMES_SHOWN]}
    begun = set(state.run_ids)
    found = await sources.views.find("runs", RunRow, {"id": {"_in": list(shown)}}, limit=TIMES_SHOWN)
    runs = {run.id: run for run in found}
    return [
        ShownTime(time.nominal, run_id, runs.get(run_id), state.ended.get(run_id), details.get(run_id, ""), run_id in begun)
        for run_id, time in shown.items()
    ]


def backfill_topics(params: Params) -> frozenset[str]:
    """Return the topic of the backfill in the path, and that of runs: it shows how its own ones go."""
    return frozenset({f"backfill:{params['backfill_id'].lower()}", RUNS})
