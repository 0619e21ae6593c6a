"""The form that requests a backfill: read with an error beside each field that cannot be, and tried before anything is recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from headwater.core.backfills.rules import LIMIT_MAX
from headwater.core.errors import CommandRejected, HeadwaterError, InvalidArgument, InvalidParameters
from headwater.core.events import BackfillChoice, ScheduleDefinition
from headwater.core.operations.backfills import Backfills
from headwater.core.queries.backfill_plan import BackfillPlan, plan_backfill, until_now
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.identifiers import digest
from headwater.core.values.moments import assume_utc
from headwater.core.values.plain_values import shortened
from headwater.web.schedules.form import YEARS, parameters_of, tried

TIMES_SHOWN = 200
CHOICE_WORDS = {
    BackfillChoice.MISSING: "those without a run",
    BackfillChoice.FAILED: "those whose last run failed or was cancelled",
    BackfillChoice.ALL: "all",
}
_EMPTY = {
    **dict.fromkeys(("from", "from_utc", "to", "to_utc", "parameters", "reverse"), ""),
    "choice": BackfillChoice.MISSING.value,
    "limit": "1",
}


@dataclass(frozen=True, kw_only=True)
class BackfillWish:
    """What the fields say. `until` is None where the span ends now."""

    since: datetime
    until: datetime | None
    choice: BackfillChoice
    limit: int
    reverse: bool
    parameters: dict[str, Any]


@dataclass
class BackfillForm:
    """What is in the fields, and what is wrong with them, by their names; `""` names the form as a whole.

    `wish` is what they say, once they were read without an error; `plan` the times of its dry run, `ends` where its span ends, and `seal`
    names what was shown: the times in their order, and all that their runs would have.
    """

    fields: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    wish: BackfillWish | None = None
    plan: BackfillPlan | None = None
    ends: datetime | None = None
    seal: str = ""
    notice: str = ""
    open: bool = False

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many of the times have a last run in each state; "" counts those without a run."""
        assert self.plan is not None
        states = [self.plan.last_state(time) or "" for time in self.plan.times]
        return [(state, states.count(state)) for state in sorted(set(states))]


def backfill_form(given: Mapping[str, Any]) -> BackfillForm:
    """Return the form with these fields as texts, the others as they are where nothing is said."""
    texts = {name: given.get(name, usual) for name, usual in _EMPTY.items()}
    return BackfillForm({name: text.strip() if isinstance(text, str) else _EMPTY[name] for name, text in texts.items()})


def read_backfill_form(given: Mapping[str, Any]) -> BackfillForm:
    """Return the form as it was filled in: with a `wish`, or with what is wrong."""
    form = backfill_form(given)
    form.open = True
    fields = form.fields
    since = tried(form.errors, "from", lambda: _needed(_moment(fields["from_utc"] or fields["from"])))
    until = tried(form.errors, "to", lambda: _moment(fields["to_utc"] or fields["to"]))
    choice = tried(form.errors, "choice", lambda: _choice(fields["choice"]))
    limit = tried(form.errors, "limit", lambda: _limit(fields["limit"]))
    parameters = tried(form.errors, "parameters", lambda: parameters_of(fields["parameters"]))
    if since is not None and choice is not None and limit is not None and parameters is not None and not form.errors:
        reverse = bool(fields["reverse"])
        form.wish = BackfillWish(since=since, until=until, choice=choice, limit=limit, reverse=reverse, parameters=parameters)
    return form


async def try_backfill(form: BackfillForm, views: ViewsClient, backfills: Backfills, definition: ScheduleDefinition, now: datetime) -> None:
    """Note the times that the backfill would be for, and their seal; or what is wrong with it. Nothing is recorded."""
    wish = form.wish
    if wish is None:
        return
    form.ends = until_now(wish.until, now)
    try:
        form.plan = await plan_backfill(views, definition, wish.since, form.ends, wish.choice, reverse=wish.reverse)
        await backfills.check(definition, form.plan.times, wish.parameters)
    except InvalidParameters as error:
        form.errors["parameters"] = _sentence(error)
    except CommandRejected as error:
        form.errors["to" if form.ends < wish.since else ""] = _sentence(error)
    else:
        form.seal = _seal(form.plan, wish, definition)
        if wish.until is not None and wish.until > now:
            form.notice = "Times to come have their runs by the schedule: the backfill ends now."


def _seal(plan: BackfillPlan, wish: BackfillWish, definition: ScheduleDefinition) -> str:
    times = json.dumps([(time.nominal.isoformat(), time.clock, time.parameters, time.labels) for time in plan.times], default=str)
    wanted = json.dumps([wish.choice, wish.limit, wish.reverse, wish.parameters], default=str)
    return digest("backfill form", definition.schedule_id, times, wanted)


def _sentence(error: HeadwaterError) -> str:
    return f"{error} {error.hint}" if error.hint else str(error)


def span_moment(moment: datetime) -> datetime:
    """Return the moment in UTC; where it has no time zone, that is meant.

    Raises:
        InvalidArgument: calendars stumble so early, or so late.

    """
    if moment.year not in YEARS:
        raise InvalidArgument(f"{moment.isoformat()} is out of range.", hint=f"Years go from {YEARS[0]} to {YEARS[-1]}.")
    return assume_utc(moment).astimezone(UTC)


def utc_text(moment: datetime) -> str:
    """Return the moment, to the second, as the fields have it in UTC."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _needed(moment: datetime | None) -> datetime:
    if moment is None:
        raise InvalidArgument("Say where the span begins.")
    return moment


def _moment(text: str) -> datetime | None:
    """Return the moment in the field. The page's script gives it in UTC; where none runs, the field says that it is UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(f"{shortened(text)!r} is not a time.", hint="Write it like 2026-11-22T08:30.") from None
    return span_moment(moment)


def _choice(text: str) -> BackfillChoice:
    try:
        return BackfillChoice(text)
    except ValueError:
        raise InvalidArgument(f"{shortened(text)!r} is not one of the choices.") from None


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10) or not 1 <= int(text) <= LIMIT_MAX:  # noqa: PLR2004 - larger ones are no limits
        raise InvalidArgument(f"{shortened(text)!r} is not a whole number between 1 and {LIMIT_MAX:,}.")
    return int(text)
