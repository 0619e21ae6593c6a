"""What each event makes of a task run, which states it may follow, and that it leaves the rest as it was."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from harness.run_history import FAILURE, LATER, NOON, RUNNING, given

from headwater.core.errors import IllegalTransition
from headwater.core.events import (
    Failure,
    ResultReference,
    TaskRunCached,
    TaskRunCancelled,
    TaskRunEvent,
    TaskRunFailed,
    TaskRunLooped,
    TaskRunMapped,
    TaskRunNamed,
    TaskRunPaused,
    TaskRunResumed,
    TaskRunRetryScheduled,
    TaskRunSkipped,
    TaskRunStarted,
    TaskRunStateSet,
    TaskRunSucceeded,
    TaskRunTimedOut,
    TaskRunTriggerFailed,
    TaskRunValidationFailed,
    event_type,
)
from headwater.core.runs.task_run import STATE_AFTER, TaskRun, check, evolve
from headwater.core.states import FINAL, StateName

OTHER = Failure("KeyError", "x")
KEPT, OLD = ResultReference("LocalResult", "/kept"), ResultReference("LocalResult", "/old")
FULL = TaskRun(
    state=StateName.QUEUED,
    run_count=2,
    message="before",
    started_at=NOON,
    ended_at=NOON,
    result=OLD,
    failure=FAILURE,
    child_count=4,
    name="named",
    due_at=NOON,
    resumed=True,
    set_manually=True,
    loop_count=3,
    loop_result=OLD,
)
"""A task run in which nothing is as it was at first."""
# What every event but a name and a state that a user sets takes away: these belong to the state before it.
GONE: dict[str, Any] = {"ended_at": None, "result": None, "failure": None, "due_at": None, "set_manually": False, "message": "now"}
ENDED: dict[str, Any] = {**GONE, "ended_at": LATER, "loop_count": 0, "loop_result": None}


def event(kind: type[TaskRunEvent], **more: Any) -> TaskRunEvent:
    return kind(slug="a", at=LATER, message="now", **more)


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        (event(TaskRunStarted, run_count=7), {**GONE, "state": StateName.RUNNING, "run_count": 7}),
        (event(TaskRunSucceeded, result=KEPT), {**ENDED, "state": StateName.SUCCESS, "result": KEPT}),
        (event(TaskRunCached, result=KEPT), {**ENDED, "state": StateName.CACHED, "result": KEPT}),
        (event(TaskRunFailed, failure=OTHER), {**ENDED, "state": StateName.FAILED, "failure": OTHER}),
        (event(TaskRunTimedOut), {**ENDED, "state": StateName.TIMED_OUT}),
        (event(TaskRunTriggerFailed), {**ENDED, "state": StateName.TRIGGER_FAILED}),
        (event(TaskRunValidationFailed, failure=OTHER), {**ENDED, "state": StateName.VALIDATION_FAILED, "failure": OTHER}),
        (event(TaskRunSkipped), {**ENDED, "state": StateName.SKIPPED}),
        (event(TaskRunMapped, child_count=2), {**ENDED, "state": StateName.MAPPED, "child_count": 2}),
        (event(TaskRunCancelled), {**ENDED, "state": StateName.CANCELLED}),
        (
            event(TaskRunRetryScheduled, due_at=LATER, run_count=9, failure=OTHER),
            {**GONE, "state": StateName.RETRYING, "due_at": LATER, "failure": OTHER},
        ),
        (event(TaskRunPaused, due_at=LATER), {**GONE, "state": StateName.PAUSED, "due_at": LATER, "resumed": False}),
        (event(TaskRunPaused), {**GONE, "state": StateName.PAUSED, "resumed": False}),
        (event(TaskRunResumed), {**GONE, "state": StateName.RESUME}),
        (
            event(TaskRunLooped, loop_count=4, result=KEPT),
            {**GONE, "state": StateName.LOOPED, "result": KEPT, "resumed": False, "loop_count": 4, "loop_result": KEPT},
        ),
        (event(TaskRunNamed, name="other"), {"name": "other"}),
        (event(TaskRunEvent), {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, TaskRunEvent) else "",
)
def test_each_event_changes_this_of_a_task_run_and_leaves_the_rest(happened: TaskRunEvent, expected: dict[str, Any]) -> None:
    assert evolve(FULL, happened) == msgspec.structs.replace(FULL, **expected)


@pytest.mark.parametrize(
    ("state", "resumed"), [("Success", True), ("Failed", True), ("Cancelled", True), ("Pending", False), ("Resume", False)]
)
def test_a_state_set_by_a_user_replaces_how_it_ended_and_its_loop_and_forgets_that_it_was_resumed_only_where_it_goes_on(
    state: str, resumed: bool
) -> None:
    happened = event(TaskRunStateSet, state=state, before="Queued", ended_at=LATER, result=KEPT)
    never_set = msgspec.structs.replace(FULL, set_manually=False)

    assert evolve(never_set, happened) == msgspec.structs.replace(
        FULL,
        state=StateName(state),
        message="now",
        ended_at=LATER,
        result=KEPT,
        failure=None,
        due_at=None,
        resumed=resumed,
        loop_count=0,
        loop_result=None,
    )
    assert not evolve(TaskRun(), happened).resumed, "what was never paused was not resumed"


def test_a_task_run_has_started_when_its_code_ran_first() -> None:
    assert evolve(TaskRun(), event(TaskRunStarted)).started_at == LATER
    assert evolve(TaskRun(), event(TaskRunSkipped)).started_at is None
    assert evolve(TaskRun(started_at=NOON), event(TaskRunStarted)).started_at == NOON


@pytest.mark.parametrize(
    ("history", "resumed"),
    [
        ((TaskRunStarted,), False),
        ((TaskRunPaused,), False),
        ((TaskRunPaused, TaskRunResumed), True),
        ((TaskRunPaused, TaskRunStarted), True),
        ((TaskRunPaused, TaskRunResumed, TaskRunStarted, TaskRunSucceeded), True),
        ((TaskRunPaused, TaskRunResumed, TaskRunPaused), False),
        ((TaskRunSkipped,), False),
        ((TaskRunPaused, TaskRunCancelled), False),
    ],
)
def test_a_task_run_passes_its_pause_once_it_was_resumed_or_its_time_had_come(
    history: tuple[type[TaskRunEvent], ...], resumed: bool
) -> None:
    found = TaskRun()
    for kind in history:
        found = evolve(found, event(kind))

    assert found.resumed is resumed


EVENTS: tuple[TaskRunEvent, ...] = (
    event(TaskRunStarted),
    event(TaskRunSucceeded),
    event(TaskRunFailed),
    event(TaskRunTimedOut),
    event(TaskRunTriggerFailed),
    event(TaskRunValidationFailed),
    event(TaskRunRetryScheduled, due_at=LATER, run_count=1),
    event(TaskRunSkipped),
    event(TaskRunCached),
    event(TaskRunMapped, child_count=1),
    event(TaskRunLooped, loop_count=1),
    event(TaskRunPaused),
    event(TaskRunResumed),
    event(TaskRunCancelled),
    event(TaskRunNamed, name="x"),
    event(TaskRunStateSet, state="Success", before="Pending"),
)


def may_follow(state: StateName, happened: TaskRunEvent) -> bool:
    match happened:
        case TaskRunNamed():
            return True
        case TaskRunStateSet():
            return False  # users set states, attempts record them
        case _ if state in FINAL:
            return False
        case TaskRunStarted():
            return state is not StateName.RUNNING
        case TaskRunLooped():
            return state is StateName.RUNNING
        case TaskRunResumed():
            return state is StateName.PAUSED
        case _:
            return True


@pytest.mark.parametrize("happened", EVENTS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("state", StateName)
def test_an_event_follows_only_states_that_it_can_follow_and_the_refusal_names_both(state: StateName, happened: TaskRunEvent) -> None:
    if may_follow(state, happened):
        check(TaskRun(state=state), happened)
        return
    with pytest.raises(IllegalTransition) as refused:
        check(TaskRun(state=state), happened)
    assert str(refused.value) == f"Task run 'a' (index -1) is {state}; {event_type(happened)} cannot follow."


def test_every_event_is_looked_at_here() -> None:
    assert {type(each) for each in EVENTS} == {*STATE_AFTER, TaskRunNamed, TaskRunStateSet}


def test_a_run_keeps_what_its_events_make_of_its_task_runs() -> None:
    started = TaskRunStarted(slug="a", at=LATER, run_count=7)

    assert given(*RUNNING, started).task_runs["a", -1] == evolve(TaskRun(), started)
