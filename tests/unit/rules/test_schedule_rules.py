"""The rules of a schedule: each of its times gets one outcome, and what stands in its way is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.events import (
    AnyEvent,
    Missed,
    Origin,
    Overlap,
    PauseCause,
    ScheduleCaughtUp,
    ScheduleDeleted,
    ScheduleFired,
    SchedulePaused,
    SchedulePolicies,
    ScheduleResumed,
    ScheduleSet,
    ScheduleSkipped,
    ScheduleSpec,
    SkipReason,
    event_type,
)
from headwater.core.schedules.commands import (
    DecideTimes,
    DeleteSchedule,
    PauseSchedule,
    ResumeSchedule,
    RunStanding,
    ScheduleCommand,
    SetSchedule,
    TimeDue,
)
from headwater.core.schedules.rules import DEFINITION_TOLD_MAX, RULES, tells_all
from headwater.core.schedules.state import ScheduleState
from headwater.core.values.identifiers import derived_id, schedule_id

GROUP = "8f14e45f-ceea-867a-9a36-dedd00000000"
PROJECT = "0197a3c0-6d1f-7c52-9e06-1b2f3a4c5d6e"
FLOW = "8f14e45f-ceea-867a-9a36-dedd00000001"
START = datetime(2026, 11, 28, 6, tzinfo=UTC)
HOURLY = {"clocks": [{"type": "CronClock", "cron": "0 * * * *"}]}
DAILY = {"clocks": [{"type": "CronClock", "cron": "0 6 * * *"}]}
UNFINISHED, SUCCEEDED, FAILED = RunStanding.UNFINISHED, RunStanding.SUCCEEDED, RunStanding.FAILED


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def run_at(number: float, clock: str = "") -> str:
    return derived_id("run", str(number), clock)


def time(number: float, clock: str = "", **more: Any) -> TimeDue:
    return TimeDue(hour(number), hour(number), run_at(number, clock), FLOW, clock, **more)


def given_set(origin: Origin = Origin.REGISTERED, timetable: dict[str, Any] = HOURLY, **policies: Any) -> SetSchedule:
    spec = ScheduleSpec(timetable, SchedulePolicies(**policies))
    return SetSchedule(
        schedule_id=schedule_id(GROUP), flow_group_id=GROUP, project_id=PROJECT, slug="", origin=origin, spec=spec, at=hour(0)
    )


def at_times(*numbers: float, at: float | None = None, standing: dict[str, RunStanding] | None = None, **more: Any) -> DecideTimes:
    now = max(numbers, default=0.0) if at is None else at
    until = hour(max(numbers, default=0.0))
    return DecideTimes(at=hour(now), until=until, times=tuple(map(time, numbers)), standing=standing or {}, **more)


class Life:
    """A schedule, and what the last command led to."""

    def __init__(self, *commands: ScheduleCommand) -> None:
        self.state = ScheduleState()
        self.events: list[AnyEvent] = []
        for command in commands:
            self.do(command)

    def do(self, command: ScheduleCommand) -> Sequence[AnyEvent]:
        events = RULES.decide(self.state, command)
        self.state = RULES.fold(events, self.state)
        self.events += events
        return events

    def names(self, command: ScheduleCommand) -> list[str]:
        return [event_type(event).removeprefix("schedule.") for event in self.do(command)]

    @property
    def open_runs(self) -> list[str]:
        assert self.state.progress is not None
        return [run.run_id for run in self.state.progress.open_runs]


def only(events: Sequence[AnyEvent], kind: type[Any]) -> Any:
    (found,) = [event for event in events if isinstance(event, kind)]
    return found


def test_what_was_set_is_active_from_then_on() -> None:
    life = Life(given_set())

    assert life.state.is_active
    assert life.state.progress is not None
    assert life.state.progress.decided == hour(0)


def test_setting_the_same_again_changes_nothing() -> None:
    life = Life(given_set(), at_times(1))

    assert life.names(given_set()) == []


def test_other_times_begin_when_they_are_set_and_make_up_for_nothing() -> None:
    life = Life(given_set(), at_times(1))
    other = given_set(timetable=DAILY)

    (event,) = life.do(SetSchedule(**{**vars(other), "at": hour(5.5)}))

    assert isinstance(event, ScheduleSet)
    assert (event.since, event.until) == (hour(1), hour(5.5))
    assert life.state.progress is not None
    assert life.state.progress.decided == hour(5.5)


def test_other_policies_leave_what_is_due() -> None:
    life = Life(given_set(), at_times(1))
    other = given_set(overlap=Overlap.ALLOW)

    life.do(SetSchedule(**{**vars(other), "at": hour(5.5)}))

    assert life.state.progress is not None
    assert life.state.progress.decided == hour(1)


def test_what_users_set_goes_first_and_survives_registration() -> None:
    life = Life(given_set(), given_set(Origin.USER, DAILY))
    life.do(given_set(timetable={"clocks": []}))

    assert life.state.spec is not None
    assert life.state.spec.timetable == DAILY

    life.do(DeleteSchedule(Origin.USER, hour(3)))
    assert life.state.spec.timetable == {"clocks": []}


def test_one_without_any_times_is_gone() -> None:
    life = Life(given_set())
    (event,) = life.do(DeleteSchedule(Origin.REGISTERED, hour(1)))

    assert isinstance(event, ScheduleDeleted)
    assert not life.state.exists
    with pytest.raises(NotFound):
        life.do(at_times(2))


@pytest.mark.parametrize("cause", [PauseCause.USER, PauseCause.FAILURES, PauseCause.REGISTRATION, PauseCause.MAX_RUNS])
def test_registering_keeps_a_pause(cause: PauseCause) -> None:
    life = Life(given_set(), PauseSchedule(hour(1), cause=cause))

    assert life.names(given_set(timetable=DAILY)) == ["set"]
    assert not life.state.is_active


@pytest.mark.parametrize("cause", list(PauseCause))
def test_registering_it_as_active_ends_every_pause(cause: PauseCause) -> None:
    life = Life(given_set(), PauseSchedule(hour(1), cause=cause))

    assert life.names(SetSchedule(**{**vars(given_set()), "at": hour(2), "activate": True})) == ["resumed"]
    assert life.state.is_active


def test_registering_again_ends_the_pause_that_an_archived_flow_made() -> None:
    life = Life(given_set(), at_times(1, problem=SkipReason.FLOW_ARCHIVED))

    assert [event_type(event) for event in life.events[-2:]] == ["schedule.skipped", "schedule.paused"]
    assert life.names(given_set()) == ["resumed"]


def test_it_can_be_registered_as_paused() -> None:
    life = Life()

    assert life.names(SetSchedule(**{**vars(given_set()), "activate": False})) == ["set", "paused"]
    assert life.names(at_times(1)) == []


def test_a_pause_covers_what_was_not_decided_and_ends_by_itself() -> None:
    life = Life(given_set(), at_times(1))

    paused = only(life.do(PauseSchedule(hour(2.5), until=hour(4))), SchedulePaused)
    assert paused.since == hour(1)
    assert life.names(at_times(3)) == []
    resumed = only(life.do(at_times(4, 5, at=5)), ScheduleResumed)
    assert resumed.at == hour(4)
    assert life.names(at_times(5, standing={run_at(1): SUCCEEDED})) == ["fired"]


def test_a_pause_may_not_end_in_the_past() -> None:
    with pytest.raises(InvalidArgument, match="not in the future"):
        Life(given_set(), PauseSchedule(hour(2), until=hour(1)))


def test_each_time_has_a_run_with_what_its_clock_gives() -> None:
    life = Life(given_set())

    fired = only(life.do(DecideTimes(at=hour(1), until=hour(1), times=(time(1, parameters={"a": 1}, labels=("x",)),))), ScheduleFired)

    assert (fired.nominal, fired.run_id, fired.flow_id) == (hour(1), run_at(1), FLOW)
    assert (fired.parameters, fired.labels) == ({"a": 1}, ("x",))


def test_a_run_that_cannot_be_made_is_skipped_with_the_reason() -> None:
    life = Life(given_set())
    refused = time(1, refused="The flow has no parameter 'a'.")

    skipped = only(life.do(DecideTimes(at=hour(1), until=hour(1), times=(refused,))), ScheduleSkipped)

    assert (skipped.because, skipped.detail) == (SkipReason.REFUSED, "The flow has no parameter 'a'.")


OVERLAPS = [
    (Overlap.SKIP, [], ["fired"]),
    (Overlap.SKIP, [UNFINISHED], ["skipped"]),
    (Overlap.SKIP, [RunStanding.WAITS_FOR_ITS_TIME], ["fired"]),
    (Overlap.SKIP, [SUCCEEDED], ["fired"]),
    (Overlap.SKIP, [FAILED], ["fired"]),
    (Overlap.ALLOW, [UNFINISHED], ["fired"]),
    (Overlap.CANCEL_RUNNING, [UNFINISHED], ["fired"]),
    (Overlap.QUEUE_ONE, [UNFINISHED], ["fired"]),
    (Overlap.QUEUE_ALL, [UNFINISHED], ["fired"]),
]


@pytest.mark.parametrize(("overlap", "standing", "expected"), OVERLAPS)
def test_what_becomes_of_a_time_while_the_last_run_stands_so(overlap: Overlap, standing: list[RunStanding], expected: list[str]) -> None:
    life = Life(given_set(overlap=overlap))
    if standing:
        life.do(at_times(1))

    assert life.names(at_times(2, standing={run_at(1): each for each in standing})) == expected


def test_queue_one_lets_one_run_wait_and_names_it_to_the_next() -> None:
    life = Life(given_set(overlap=Overlap.QUEUE_ONE), at_times(1))
    running = {run_at(1): UNFINISHED}

    assert only(life.do(at_times(2, standing=running)), ScheduleFired).after_run_id == run_at(1)
    skipped = only(life.do(at_times(3, standing={**running, run_at(2): UNFINISHED})), ScheduleSkipped)
    assert (skipped.because, skipped.run_id) == (SkipReason.OVERLAP, run_at(2))
    # The first has ended, so the one that waited runs now: another may wait.
    assert only(life.do(at_times(4, standing={run_at(1): SUCCEEDED, run_at(2): UNFINISHED})), ScheduleFired).after_run_id == run_at(2)


def test_queue_all_lets_each_run_wait_for_the_one_before() -> None:
    life = Life(given_set(overlap=Overlap.QUEUE_ALL), at_times(1))

    assert only(life.do(at_times(2)), ScheduleFired).after_run_id == run_at(1)
    assert only(life.do(at_times(3)), ScheduleFired).after_run_id == run_at(2)


def test_cancel_running_cancels_what_runs_and_waits_for_its_end() -> None:
    life = Life(given_set(overlap=Overlap.CANCEL_RUNNING), at_times(1))

    fired = only(life.do(at_times(2, standing={run_at(1): UNFINISHED})), ScheduleFired)

    assert (fired.cancels, fired.after_run_id) == ((run_at(1),), run_at(1))


def test_clocks_with_other_parameters_do_not_stand_in_each_others_way() -> None:
    life = Life(given_set())
    both = (time(1, "north"), time(1, "south"))

    events = life.do(DecideTimes(at=hour(1), until=hour(1), times=both))

    assert [event_type(event) for event in events] == ["schedule.fired"] * 2
    later = life.do(
        DecideTimes(at=hour(2), until=hour(2), times=(time(2, "north"), time(2, "south")), standing={run_at(1, "north"): SUCCEEDED})
    )
    assert [event_type(event) for event in later] == ["schedule.fired", "schedule.skipped"]


def test_missed_times_that_shall_all_have_runs_follow_one_another() -> None:
    life = Life(given_set(missed=Missed.ALL))

    span, *fired = life.do(at_times(1, 2, 3, at=3.5, missed=True))

    assert isinstance(span, ScheduleCaughtUp)
    assert (span.made, span.left_out) == (3, 0)
    assert [each.after_run_id for each in fired if isinstance(each, ScheduleFired)] == [None, run_at(1), run_at(2)]


def test_what_is_left_out_has_a_span_as_its_outcome() -> None:
    life = Life(given_set())

    span, fired = life.do(at_times(3, at=3.5, left_out=2, missed=True))

    assert isinstance(span, ScheduleCaughtUp)
    assert isinstance(fired, ScheduleFired)
    assert (span.since, span.until, span.policy, span.made, span.left_out) == (hour(0), hour(3), Missed.LATEST, 1, 2)


def test_it_is_paused_after_so_many_failures_in_a_row() -> None:
    life = Life(given_set(pause_on_failure=2), at_times(1))
    life.do(at_times(2, standing={run_at(1): FAILED}))

    (paused,) = life.do(at_times(3, standing={run_at(2): FAILED}))

    assert isinstance(paused, SchedulePaused)
    assert (paused.cause, paused.since) == (PauseCause.FAILURES, hour(2))


def test_a_success_between_failures_begins_the_count_again() -> None:
    life = Life(given_set(pause_on_failure=2), at_times(1))
    life.do(at_times(2, standing={run_at(1): FAILED}))
    life.do(at_times(3, standing={run_at(2): SUCCEEDED}))

    assert life.names(at_times(4, standing={run_at(3): FAILED})) == ["fired"]


def test_a_schedule_that_was_resumed_may_fail_as_often_again() -> None:
    life = Life(given_set(pause_on_failure=1), at_times(1))
    life.do(at_times(2, standing={run_at(1): FAILED}))
    life.do(ResumeSchedule(hour(2.5)))

    assert life.names(at_times(3)) == ["fired"]


def test_it_is_paused_when_it_has_made_its_runs_and_makes_as_many_again_when_resumed() -> None:
    life = Life(given_set(max_runs=2, overlap=Overlap.ALLOW), at_times(1))

    assert life.names(at_times(2)) == ["fired", "paused"]
    life.do(ResumeSchedule(hour(2.5)))
    assert life.names(at_times(3)) == ["fired"]
    assert life.names(at_times(4, 5)) == ["fired", "paused"]


def test_all_clocks_of_the_time_that_reaches_the_most_runs_have_one() -> None:
    life = Life(given_set(max_runs=1))

    events = life.do(DecideTimes(at=hour(2), until=hour(2), times=(time(1, "north"), time(1, "south"), time(2, "north"))))

    assert [event_type(event) for event in events] == ["schedule.fired", "schedule.fired", "schedule.paused"]
    assert only(events, SchedulePaused).since == hour(1)


def test_an_archived_flow_skips_the_first_time_of_every_clock_and_what_was_left_out_before_it_is_a_span() -> None:
    life = Life(given_set())
    both = (time(3, "north"), time(3, "south"), time(4, "north"))

    span, *skipped, paused = life.do(
        DecideTimes(at=hour(5), until=hour(4), times=both, left_out=2, missed=True, problem=SkipReason.FLOW_ARCHIVED)
    )

    assert isinstance(span, ScheduleCaughtUp)
    assert isinstance(paused, SchedulePaused)
    assert (span.since, span.until, span.made, paused.since) == (hour(0), hour(3), 0, hour(3))
    assert [(each.nominal, each.clock) for each in skipped if isinstance(each, ScheduleSkipped)] == [(hour(3), "north"), (hour(3), "south")]


def test_what_was_missed_up_to_the_time_that_reaches_the_most_runs_is_the_span_and_the_rest_is_in_the_pause() -> None:
    life = Life(given_set(missed=Missed.ALL, max_runs=1))

    span, _, paused = life.do(at_times(1, 2, 3, at=3.5, missed=True))

    assert isinstance(span, ScheduleCaughtUp)
    assert (span.until, only([paused], SchedulePaused).since) == (hour(1), hour(1))


@pytest.mark.parametrize(
    "policies",
    [{"window_seconds": -1.0}, {"jitter_seconds": float("nan")}, {"jitter_seconds": 1e12}, {"pause_on_failure": 0}, {"max_runs": -3}],
)
def test_policies_that_mean_nothing_are_refused(policies: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match="of a schedule must be"):
        Life(given_set(**policies))


def test_the_last_event_of_a_commit_tells_all_of_a_short_schedule() -> None:
    life = Life(given_set())

    events = life.do(at_times(1))

    assert tells_all(events[-1])
    assert RULES.fold([events[-1]]) == life.state


def test_a_long_schedule_is_read_whole() -> None:
    long = {"clocks": [{"type": "DatesClock", "dates": ["x" * DEFINITION_TOLD_MAX]}]}
    life = Life(given_set(timetable=long))

    events = life.do(at_times(1))

    assert not tells_all(events[-1])
    assert RULES.fold(life.events) == life.state


COMMANDS = st.one_of(
    st.just("fire"),
    st.just("late"),
    st.just("pause"),
    st.just("pause until"),
    st.just("resume"),
    st.just("set other"),
    st.just("delete"),
)


@settings(max_examples=300)
@given(
    st.lists(COMMANDS, max_size=25),
    st.sampled_from(list(Overlap)),
    st.sampled_from(list(Missed)),
    st.sampled_from([None, 1, 2]),
    st.randoms(use_true_random=False),
)
def test_whatever_happens_no_time_has_two_outcomes_and_none_is_decided_again(
    steps: list[str], overlap: Overlap, missed: Missed, number: int | None, chance: Any
) -> None:
    life = Life(given_set(overlap=overlap, missed=missed, pause_on_failure=number, max_runs=number and 3 * number))
    now = 0.0
    decided = hour(0)
    for step in steps:
        now += 1
        # Any run that is open may have ended in any way.
        standing = {run: chance.choice([UNFINISHED, SUCCEEDED, FAILED, RunStanding.CANCELLED]) for run in life.open_runs}
        match step:
            case "fire" | "late" if life.state.exists:
                numbers = (now - 0.5, now) if step == "late" else (now,)
                chosen = numbers if missed is Missed.ALL else numbers[-1:]
                due = [each for each in chosen if life.state.progress is not None and hour(each) > life.state.progress.decided]
                if due:
                    life.do(at_times(*due, at=now, standing=standing, missed=step == "late", left_out=len(numbers) - len(chosen)))
            case "pause" if life.state.exists:
                life.do(PauseSchedule(hour(now)))
            case "pause until" if life.state.exists:
                life.do(PauseSchedule(hour(now), hour(now + 2)))
            case "resume" if life.state.exists:
                life.do(ResumeSchedule(hour(now)))
            case "set other":
                timetable = chance.choice([HOURLY, DAILY])
                life.do(SetSchedule(**{**vars(given_set(chance.choice(list(Origin)), timetable, overlap=overlap)), "at": hour(now)}))
            case "delete" if life.state.exists:
                life.do(DeleteSchedule(chance.choice(list(Origin)), hour(now)))
        assert life.state.progress is not None
        assert life.state.progress.decided >= decided
        decided = life.state.progress.decided

    outcomes = [event.nominal for event in life.events if isinstance(event, ScheduleFired | ScheduleSkipped)]
    assert len(outcomes) == len(set(outcomes))
    assert RULES.fold(life.events) == life.state
