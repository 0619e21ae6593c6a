"""A time without a zone is in UTC where a program gives or stored it, and on the clock of the person who typed it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater.audit import parse_moment
from headwater.cli.values import echoed, parsed_start, parsed_time
from headwater.core.aggregates import Actor
from headwater.core.calendar.clocks import CronClock, DatesClock, IntervalClock, RRuleClock
from headwater.core.calendar.schedules import Schedule
from headwater.core.errors import InvalidArgument
from headwater.core.events import StorageReference
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.flow_registration import FlowMetadata
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import RunRequest
from headwater.core.operations.run_lookup import load_run
from headwater.core.values.moments import as_local, assume_utc, instant, parsed_moment
from headwater.projections.queries.find import _time
from headwater.sdk.context.context import context
from headwater.sdk.language.parameter import DateTimeParameter
from headwater.sdk.results.serializers import DateTimeSerializer
from headwater.sdk.states import signals
from headwater.sdk.states.state import Cached, Paused, Retrying, Scheduled, State
from headwater.web.graphql.run_state_mutations import _moment
from headwater.web.run_form import _start_time

TEXT = "2099-07-01T08:30:00"
NAIVE = datetime.fromisoformat(TEXT)
IN_UTC = NAIVE.replace(tzinfo=UTC)
IN_NEW_YORK = NAIVE.replace(tzinfo=UTC) + timedelta(hours=4)


@pytest.fixture(autouse=True)
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def parameter_value() -> Any:
    with context(parameters={"when": TEXT}):
        return DateTimeParameter("when").run()


def due_of(state: Any) -> Any:
    return state.start_time


def first(clock: Any) -> datetime:
    (found,) = Schedule(clocks=[clock]).next(1, after=datetime.fromisoformat("2030-01-01"))
    return found


PROGRAMS: dict[str, Callable[[], Any]] = {
    "Scheduled": lambda: Scheduled(start_time=NAIVE).start_time,
    "Retrying": lambda: Retrying(start_time=NAIVE).start_time,
    "Paused": lambda: Paused(start_time=NAIVE).start_time,
    "RETRY": lambda: due_of(signals.RETRY(start_time=NAIVE).state),
    "PAUSE": lambda: due_of(signals.PAUSE(start_time=NAIVE).state),
    "Cached": lambda: Cached(cached_result_expiration=NAIVE).cached_result_expiration,
    "a stored state": lambda: due_of(State.deserialize({"type": "Scheduled", "message": "", "start_time": TEXT})),
    "a stored value": lambda: DateTimeSerializer().deserialize(TEXT.encode()),
    "DateTimeParameter": parameter_value,
    "IntervalClock": lambda: first(IntervalClock(timedelta(days=400_00), start_date=NAIVE)),
    "DatesClock": lambda: first(DatesClock([NAIVE])),
    "CronClock": lambda: first(CronClock("30 8 1 7 *", start_date=datetime.fromisoformat("2099-01-01"))),
    "RRuleClock": lambda: first(RRuleClock("RRULE:FREQ=YEARLY", start_date=NAIVE)),
    "schedule.next(after=)": lambda: Schedule(clocks=[DatesClock([IN_UTC, IN_NEW_YORK])]).next(1, after=NAIVE - timedelta(seconds=1))[0],
    "conditions of queries": lambda: _time(TEXT, "created"),
    "GraphQL's states": lambda: _moment(TEXT),
    "the page without its script, which says UTC": lambda: _start_time(TEXT),
    "parse_moment": lambda: parse_moment(TEXT),
    "parsed_moment": lambda: parsed_moment(TEXT),
    "aware": lambda: assume_utc(NAIVE),
    "instant": lambda: instant(NAIVE),
}
PEOPLE: dict[str, Callable[[], Any]] = {
    "--scheduled-at": lambda: parsed_time(TEXT, option="--scheduled-at"),
    "--since": lambda: parsed_start(TEXT, option="--since"),
    "--as-of": lambda: parse_moment(TEXT, in_zone=as_local),
    "as_local": lambda: as_local(NAIVE),
}


@pytest.mark.parametrize("place", PROGRAMS)
def test_what_programs_give_without_a_zone_is_in_utc(place: str) -> None:
    found = PROGRAMS[place]()

    assert found.tzinfo is not None
    assert found == IN_UTC


@pytest.mark.parametrize("place", PEOPLE)
def test_what_people_type_without_a_zone_is_on_their_clock(place: str) -> None:
    found = PEOPLE[place]()

    assert found == IN_NEW_YORK
    assert echoed("Since", found) == "Since 2099-07-01 08:30:00-04:00."


def test_a_zone_that_is_typed_holds_and_is_shown_on_the_clock_of_the_user() -> None:
    found = parsed_time("2099-07-01T08:30+02:00", option="--since")

    assert echoed("Since", found) == "Since 2099-07-01 02:30:00-04:00."


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_a_time_that_no_clock_shows_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InvalidArgument, match="is out of range"):
        as_local(datetime.fromisoformat(text))


async def test_runs_are_due_in_utc_however_they_are_scheduled() -> None:
    log, actor = MemoryLog(), Actor("test")
    await Headwater(log, actor).projects.create("etl")
    metadata = FlowMetadata(name="load", storage=StorageReference("Local"), tasks=(), edges=())
    flow = await Headwater(log, actor).flows.register(metadata, project_name="etl")

    created = await Headwater(log, actor).runs.create(flow.flow_id, RunRequest(due_at=NAIVE))
    due = [created.due_at, (await load_run(log.events, created.run_id)).state.scheduled_for]
    moved = await Headwater(log, actor).runs.reschedule(created.run_id, NAIVE)
    due.append(moved.state.scheduled_for)
    await Headwater(log, actor).runs.set_state(created.run_id, "Cancelled", reason="no need")
    again = await Headwater(log, actor).runs.set_state(created.run_id, "Scheduled", reason="after all", due_at=NAIVE)

    assert [*due, again.state.scheduled_for] == [IN_UTC] * 4
