"""The rules of a schedule through whole lives: what they record is what calendar and log agree on, and what was asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from harness.schedule_life import GROUP, PROJECT, SCHEDULE, TIMETABLES, ScheduleLife, hour, hourly, random_life

from headwater.audit.schedule_check import ScheduleCheck
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.events import Origin, PauseCause, ScheduleDeleted, SchedulePaused, ScheduleResumed, ScheduleSet, ScheduleSpec
from headwater.core.schedules.commands import PauseSchedule, ResumeSchedule, SetSchedule
from headwater.core.schedules.rules import DEFINITION_TOLD_MAX, NOTE_LENGTH_MAX, PAUSES_BY_THE_FLOW, RULES, tells_all
from headwater.core.values.json_bytes import json_bytes


def set_by(origin: Origin, *, activate: bool | None = None, version: int | None = None) -> SetSchedule:
    return SetSchedule(
        schedule_id=SCHEDULE,
        flow_group_id=GROUP,
        project_id=PROJECT,
        slug="nightly",
        origin=origin,
        spec=ScheduleSpec(hourly()),
        at=hour(0),
        activate=activate,
        flow_version=version,
    )


@pytest.mark.parametrize("seed", range(60))
def test_calendar_and_log_agree_on_every_life(seed: int) -> None:
    life = random_life(seed)
    check = ScheduleCheck()
    for each in life.recorded:
        check.take(each)

    assert [finding.words for finding in check.end(hour(life.now)).findings] == []
    assert life.state == RULES.fold(event for each in life.recorded for event in each.events)


def test_what_was_set_says_whose_it_is_and_by_which_version() -> None:
    (event,) = ScheduleLife().do(set_by(Origin.REGISTERED, version=3))

    assert isinstance(event, ScheduleSet)
    assert (event.schedule_id, event.flow_group_id, event.project_id) == (SCHEDULE, GROUP, PROJECT)
    assert (event.slug, event.flow_version, event.since, event.until) == ("nightly", 3, hour(0), hour(0))


@pytest.mark.parametrize(("origin", "cause"), [(Origin.REGISTERED, PauseCause.REGISTRATION), (Origin.USER, PauseCause.USER)])
def test_one_that_is_set_as_paused_says_by_whom(origin: Origin, cause: PauseCause) -> None:
    _, paused = ScheduleLife().do(set_by(origin, activate=False))

    assert isinstance(paused, SchedulePaused)
    assert (paused.cause, paused.since, paused.until, paused.note) == (cause, hour(0), None, "")


def test_a_pause_keeps_what_was_said_of_it_and_a_second_one_begins_where_the_first_did() -> None:
    life = ScheduleLife()
    life.set()
    life.go_on(2.5)
    (first,) = life.do(PauseSchedule(hour(2.5), hour(5), "Moving."))
    (second,) = life.do(PauseSchedule(hour(3.5), None, "Moving still."))

    assert isinstance(first, SchedulePaused)
    assert isinstance(second, SchedulePaused)
    assert (first.since, first.until, first.note) == (hour(2), hour(5), "Moving.")
    assert (second.since, second.until, second.note) == (hour(2), None, "Moving still.")
    assert life.state.progress is not None
    pause = life.state.progress.pause
    assert pause is not None
    assert (pause.since, pause.until, pause.note) == (hour(2), None, "Moving still.")
    assert life.do(PauseSchedule(hour(4), None, "Moving still.")) == []


def test_each_change_of_what_is_to_come_has_a_generation_of_its_own() -> None:
    life = ScheduleLife()
    generations = []
    for step in (life.set, life.pause, life.resume, lambda: life.set(TIMETABLES[1], Origin.USER), lambda: life.delete(Origin.USER)):
        step()
        generations.append(life.state.generation)
    assert generations == [1, 2, 3, 4, 5]
    life.set(missed="none")
    life.set(missed="none")
    assert life.state.generation == 6


def test_times_that_a_user_took_away_were_replaced_up_to_then() -> None:
    life = ScheduleLife()
    life.set()
    life.set(TIMETABLES[1], Origin.USER)
    life.now = 4.2
    life.delete(Origin.USER)
    (event,) = life.recorded[-1].events

    assert isinstance(event, ScheduleDeleted)
    assert (event.since, event.until) == (hour(0), hour(4.2))
    assert life.do(ResumeSchedule(hour(5))) == []
    life.delete(Origin.USER)
    assert life.recorded[-1].events == (event,)


def test_resuming_for_one_reason_leaves_the_pauses_of_others() -> None:
    life = ScheduleLife()
    life.set()
    life.pause()
    assert life.do(ResumeSchedule(hour(1), causes=PAUSES_BY_THE_FLOW)) == []
    life.do(PauseSchedule(hour(1), cause=PauseCause.FLOW_ARCHIVED))

    (resumed,) = life.do(ResumeSchedule(hour(2), "Back.", causes=PAUSES_BY_THE_FLOW))

    assert isinstance(resumed, ScheduleResumed)
    assert (resumed.at, resumed.note) == (hour(2), "Back.")


def test_a_pause_must_end_later_and_its_note_is_bounded() -> None:
    life = ScheduleLife()
    life.set()
    with pytest.raises(InvalidArgument, match="not in the future"):
        life.do(PauseSchedule(hour(1), hour(1)))
    with pytest.raises(InvalidArgument, match="2001 characters; at most 2000"):
        life.do(PauseSchedule(hour(1), note="x" * (NOTE_LENGTH_MAX + 1)))
    assert life.do(PauseSchedule(hour(1), hour(1) + timedelta(microseconds=1), "x" * NOTE_LENGTH_MAX)) != []


def test_what_was_never_set_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        ScheduleLife().do(ResumeSchedule(hour(1)))

    assert (caught.value.kind, caught.value.name) == ("schedule", "")


def test_a_definition_of_the_greatest_length_is_repeated_in_events() -> None:
    life = ScheduleLife()
    life.set({"clocks": [{"type": "DatesClock", "dates": ["x"]}]})
    room = DEFINITION_TOLD_MAX - len(json_bytes(life.state.definition))

    for length, repeated in ((room + 1, True), (room + 2, False)):
        other = ScheduleLife()
        other.set({"clocks": [{"type": "DatesClock", "dates": ["x" * length]}]})
        assert tells_all(other.recorded[-1].events[-1]) is repeated
