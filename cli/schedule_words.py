"""Schedules as people read them: words, state, the next times, and what became of those that are over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from headwater.cli.output import coloured, local_time
from headwater.core.calendar.phrases import schedule_phrase
from headwater.core.events import Missed, PauseCause, SkipReason
from headwater.core.schedules.describe import PAUSE_PHRASES, SKIP_PHRASES
from headwater.core.values.phrases import because

if TYPE_CHECKING:
    from headwater.core.calendar import Occurrence
    from headwater.core.events import ScheduleSpec
    from headwater.core.queries.rows import ScheduleOutcomeRow, ScheduleRow

TIMES_SHOWN = 5
STATE_COLOURS = {"active": "green", "paused": "yellow"}
OUTCOME_COLOURS = {"fired": "green", "skipped": "yellow", "missed": "yellow", "paused": "yellow"}
_WORDS = {"caught_up": "missed", "set": "set", "deleted": "deleted"}
_SHORT_CAUSES = {
    PauseCause.USER: "",
    PauseCause.REGISTRATION: "registered so",
    PauseCause.FAILURES: "too many failures",
    PauseCause.MAX_RUNS: "all its runs made",
    PauseCause.FLOW_ARCHIVED: "flow archived",
    PauseCause.PROJECT_DELETED: "project deleted",
}


def times_words(spec: ScheduleSpec | None) -> str:
    """Return when it has runs; one that was deleted has none."""
    return "never" if spec is None else schedule_phrase(spec.timetable)


def state_of(row: ScheduleRow) -> str:
    """Return `active`, or `paused` with the reason in brackets where no user did it."""
    if row.active:
        return "active"
    cause = "" if row.pause_cause is None else _SHORT_CAUSES.get(PauseCause(row.pause_cause), "")
    return f"paused ({cause})" if cause else "paused"


def coloured_state(words: str) -> str:
    return coloured(words, STATE_COLOURS[words.partition(" ")[0]])


def state_sentence(row: ScheduleRow) -> str:
    """Return the state with since when, until when and why."""
    if row.active:
        return coloured_state("active")
    words = [coloured_state("paused")]
    if row.paused_since is not None:
        words.append(f"by {row.updated_by}" if row.pause_cause == PauseCause.USER else "")
        words.append(f"for times after {local_time(row.paused_since)}")
    words.append("until it is resumed" if row.paused_until is None else f"until {local_time(row.paused_until)}")
    sentence = " ".join(word for word in words if word)
    cause = "" if row.pause_cause in {None, PauseCause.USER} else PAUSE_PHRASES[PauseCause(str(row.pause_cause))]
    return sentence + because(". ".join(each.rstrip(".") for each in (cause, row.pause_note) if each))


def next_times(spec: ScheduleSpec | None, after: datetime, number: int = TIMES_SHOWN) -> list[Occurrence]:
    """Return the next times of the schedule; none where it has none, or they cannot be read."""
    from headwater.core.calendar import schedule_from
    from headwater.core.schedules.due import upcoming

    if spec is None:
        return []
    try:
        return upcoming(schedule_from(spec.timetable), spec.policies, decided=after, number=number)
    except Exception:  # noqa: BLE001 - the log may hold anything; its words say that it cannot be read
        return []


def times_of_row(row: ScheduleRow, number: int = TIMES_SHOWN) -> list[Occurrence]:
    """Return the next times that have runs: none while it is paused for good, and those after a pause that ends by itself."""
    after = max(row.decided, datetime.now(UTC))
    if not row.active:
        if row.paused_until is None:
            return []
        after = max(after, row.paused_until)
    return next_times(row.spec, after, number)


def print_times(spec: ScheduleSpec | None, times: Sequence[Occurrence], *, indent: str = "") -> None:
    """Print times a line each: on this machine's clock, then on the schedule's own where that shows another time."""
    zones = _zones(spec)
    for each in times:
        there = [each.nominal.astimezone(zone) for zone in zones]
        line = f"{indent}{local_time(each.nominal)}"
        if len(there) == 1 and there[0].utcoffset() != each.nominal.astimezone().utcoffset():
            line += coloured(f"  {there[0]:%a %H:%M} {zone_words(zones[0], there[0])}", "bright_black")
        if each.due != each.nominal:
            line += f"  due {local_time(each.due)}"
        if each.parameters:
            line += f"  {', '.join(f'{name}={value!r}' for name, value in each.parameters.items())}"
        print(line)


def zone_words(zone: Any, moment: datetime) -> str:
    from headwater.core.calendar.wording import zone_name

    return zone_name(zone, moment)


def _zones(spec: ScheduleSpec | None) -> list[Any]:
    from headwater.core.calendar import schedule_from

    if spec is None:
        return []
    try:
        return list({str(clock.zone): clock.zone for clock in schedule_from(spec.timetable).clocks}.values())
    except Exception:  # noqa: BLE001 - see next_times
        return []


def outcome_cells(rows: Iterable[ScheduleOutcomeRow]) -> list[tuple[Any, ...]]:
    """Return outcomes as the cells of a table: the time, what became of it, and why or which run."""
    return [(each.nominal, _WORDS.get(each.outcome, each.outcome), _why(each), each.at) for each in rows]


def _why(row: ScheduleOutcomeRow) -> str:
    reason = row.because or ""
    match row.outcome:
        case "fired":
            return f"run {row.run_id}"
        case "skipped":
            run = f" (run {row.run_id})" if row.run_id is not None else ""
            return f"{SKIP_PHRASES[SkipReason(reason)]}{run}{because(row.detail)}"
        case "paused":
            return f"{PAUSE_PHRASES[PauseCause(reason)]}{because(row.detail)}"
        case "resumed":
            return f"by {row.actor}{because(row.detail)}"
        case "caught_up":
            policy = {Missed.LATEST: "newest alone", Missed.ALL: "all in the window", Missed.NONE: "none", Missed.MERGE: "one for all"}
            since = "" if row.since is None else f"since {local_time(row.since)}; "
            return f"{since}{row.detail} (policy: {policy[Missed(reason)]})"
        case "set" | "deleted":
            return f"by {row.actor}" if row.because == "user" else f"by the flow's registration ({row.actor})"
        case _:
            return row.detail
