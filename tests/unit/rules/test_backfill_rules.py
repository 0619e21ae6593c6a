"""The rules of a backfill, and which times it is for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater.core.backfills.commands import BackfillCommand, CancelBackfill, FinishBackfill, NoteRunEnded, RequestBackfill, StartRuns
from headwater.core.backfills.plan import choose_times
from headwater.core.backfills.rules import RULES, TIMES_MAX
from headwater.core.backfills.state import Backfill
from headwater.core.calendar import CronSchedule, IntervalSchedule, Schedule
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.events import BackfillChoice, BackfillTime, event_type
from headwater.core.values.identifiers import new_id

START = datetime(2026, 11, 28, tzinfo=UTC)
HOURLY = CronSchedule("0 * * * *")


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def request(times: int = 3, limit: int = 2) -> RequestBackfill:
    return RequestBackfill(
        backfill_id=new_id(),
        schedule_id=new_id(),
        flow_group_id=new_id(),
        project_id=new_id(),
        name="quiet-heron",
        since=START,
        until=hour(times),
        choice=BackfillChoice.ALL,
        times=tuple(BackfillTime(nominal=hour(number)) for number in range(times)),
        limit=limit,
    )


class Life:
    def __init__(self, *commands: BackfillCommand) -> None:
        self.state = Backfill()
        for command in commands:
            self.names(command)

    def names(self, command: BackfillCommand) -> list[str]:
        events = RULES.decide(self.state, command)
        self.state = RULES.fold(events, self.state)
        return [event_type(event).removeprefix("backfill.") for event in events]

    def end(self, number: int, state: str = "Success") -> list[str]:
        return self.names(NoteRunEnded(self.state.run_ids[number], state))


def test_no_more_runs_than_the_limit_are_unfinished_at_once() -> None:
    life = Life(request(), StartRuns(10))
    assert life.state.started == 2

    assert life.names(StartRuns(1)) == []
    life.end(0)
    life.names(StartRuns(10))
    assert life.state.started == 3


def test_it_ends_when_each_time_has_a_run_that_has_ended() -> None:
    life = Life(request(times=1), StartRuns(1))

    assert life.names(FinishBackfill()) == []
    life.end(0, "Failed")
    assert life.names(FinishBackfill()) == ["ended"]
    assert (life.state.over, life.state.cancelled) == (True, False)
    assert life.names(CancelBackfill()) == []


def test_one_that_is_cancelled_starts_nothing_and_ends_with_its_last_run() -> None:
    life = Life(request(), StartRuns(1), CancelBackfill("wrong data"))

    assert life.names(StartRuns(1)) == []
    assert life.names(FinishBackfill()) == []
    life.end(0, "Cancelled")
    assert life.names(FinishBackfill()) == ["ended"]
    assert life.state.cancelled


def test_an_end_is_noted_once_and_of_its_own_runs_alone() -> None:
    life = Life(request(), StartRuns(1))

    assert life.names(NoteRunEnded(new_id(), "Success")) == []
    assert life.end(0) == ["run_ended"]
    assert life.end(0) == []


@pytest.mark.parametrize("wrong", [request(times=0), request(times=TIMES_MAX + 1), request(limit=0), request(limit=10_000)])
def test_what_means_nothing_is_refused(wrong: RequestBackfill) -> None:
    with pytest.raises(InvalidArgument):
        Life(wrong)


def test_what_was_never_requested_cannot_be_cancelled() -> None:
    with pytest.raises(NotFound):
        Life(CancelBackfill())


STANDS = {(hour(1), ""): "Success", (hour(2), ""): "Failed", (hour(3), ""): "Cancelled", (hour(4), ""): "Running"}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [(BackfillChoice.ALL, [0, 1, 2, 3, 4, 5]), (BackfillChoice.MISSING, [0, 5]), (BackfillChoice.FAILED, [2, 3])],
)
def test_the_choice_goes_by_the_last_run_of_each_time(choice: BackfillChoice, expected: list[int]) -> None:
    chosen = choose_times(HOURLY, hour(0), hour(5), choice, STANDS)

    assert [time.nominal for time in chosen] == [hour(number) for number in expected]


def test_the_newest_goes_first_where_that_is_asked_for() -> None:
    chosen = choose_times(HOURLY, hour(0), hour(2), BackfillChoice.ALL, {}, reverse=True)

    assert [time.nominal for time in chosen] == [hour(2), hour(1), hour(0)]


EACH_SECOND = IntervalSchedule(timedelta(seconds=1))


@pytest.mark.parametrize(
    ("schedule", "until", "said"), [(HOURLY, -1, "before it begins"), (EACH_SECOND, 2, "may have"), (EACH_SECOND, 1000, "more than")]
)
def test_a_span_that_cannot_be_is_refused(schedule: Schedule, until: int, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        choose_times(schedule, START, hour(until), BackfillChoice.ALL, {})


def test_a_schedule_without_clocks_has_no_times() -> None:
    empty: Any = choose_times(Schedule([]), START, hour(5), BackfillChoice.ALL, {})

    assert empty == ()
