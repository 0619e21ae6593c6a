"""What each event makes of a run, and that it leaves the rest of it as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from harness.run_history import CLAIMED, CREATED, FAILED, FAILURE, LATER, NOON, RUNNING, WAITING, given

from headwater.core.events import (
    AnyEvent,
    Failure,
    ProjectDeleted,
    ResultReference,
    RunAttemptLost,
    RunAttemptsLimited,
    RunCancelled,
    RunCancelRequested,
    RunDeleted,
    RunFailed,
    RunPaused,
    RunRenamed,
    RunRestarted,
    RunScheduled,
    RunStarted,
    RunStateSet,
    RunSubmitted,
    RunSucceeded,
    TaskRunCancelled,
    TaskRunLooped,
    TaskRunNamed,
    TaskRunPaused,
    TaskRunResumed,
    TaskRunRetryScheduled,
    TaskRunStarted,
    TaskRunStateSet,
    TaskRunSucceeded,
)
from headwater.core.runs.state import Run
from headwater.core.runs.task_run import TaskRun
from headwater.core.runs.task_runs import changed_with_run
from headwater.core.states import StateName

PARTS = ("task_runs", "artifacts")
LOST = RunAttemptLost(1, "the agent is gone")
SECOND = (*RUNNING, LOST, RunScheduled(NOON, 2), RunSubmitted(2, "agent-2", "loom"))
CANCEL = RunCancelRequested("enough", "user")
CANCELLED_AND_FAILED = (*SECOND, CANCEL, FAILED[-1])
SET = RunStateSet("Success", "Failed", "it was fine")


def changes(before: Any, after: Any) -> dict[str, Any]:
    fields = (name for name in type(before).__struct_fields__ if name not in PARTS)
    return {name: getattr(after, name) for name in fields if getattr(after, name) != getattr(before, name)}


@pytest.mark.parametrize(
    ("history", "event", "expected"),
    [
        ((), CREATED, {"creation": CREATED, "name": "quiet-heron"}),
        (
            (CREATED,),
            RunScheduled(NOON, 1, "due"),
            {"state": StateName.SCHEDULED, "message": "due", "scheduled_for": NOON, "generation": 1},
        ),
        (
            RUNNING,
            RunScheduled(LATER, 2, "waits"),
            {"state": StateName.SCHEDULED, "message": "waits", "scheduled_for": LATER, "generation": 2, "held": False},
        ),
        (
            WAITING,
            RunSubmitted(1, "agent-1", "mill", "taken"),
            {
                "state": StateName.SUBMITTED,
                "message": "taken",
                "attempt": 1,
                "held": True,
                "agent_id": "agent-1",
                "agent_name": "mill",
            },
        ),
        (CLAIMED, RunStarted(1, NOON, "runs"), {"state": StateName.RUNNING, "message": "runs", "started_at": NOON}),
        (SECOND, RunStarted(2, LATER, "runs again"), {"state": StateName.RUNNING, "message": "runs again"}),
        ((*CLAIMED, CANCEL), RunStarted(1, NOON, "runs"), {"message": "runs", "started_at": NOON}),
        (
            RUNNING,
            RunSucceeded(1, LATER, "done"),
            {"state": StateName.SUCCESS, "message": "done", "held": False, "ended_at": LATER},
        ),
        (
            RUNNING,
            RunFailed(at=LATER, attempt=1, message="no", failure=FAILURE),
            {"state": StateName.FAILED, "message": "no", "held": False, "ended_at": LATER, "failure": FAILURE},
        ),
        (
            (*RUNNING, CANCEL),
            RunCancelled(at=LATER, message="over"),
            {"state": StateName.CANCELLED, "message": "over", "held": False, "ended_at": LATER},
        ),
        ((*FAILED, SET), RunSucceeded(1, LATER, "done"), {"state": StateName.SUCCESS, "message": "done"}),
        ((*FAILED, SET), RunFailed(at=LATER, message="no"), {"state": StateName.FAILED, "message": "no"}),
        ((*FAILED, SET), RunCancelled(at=LATER, message="over"), {"state": StateName.CANCELLED, "message": "over"}),
        (RUNNING, CANCEL, {"state": StateName.CANCELLING, "message": "enough", "cancel_request": CANCEL}),
        (WAITING, CANCEL, {"message": "enough", "cancel_request": CANCEL}),
        (
            WAITING,
            RunCancelRequested(),
            {"message": "Cancellation requested.", "cancel_request": RunCancelRequested()},
        ),
        (RUNNING, LOST, {"state": StateName.SCHEDULED, "message": "the agent is gone", "held": False, "attempts_lost": 1}),
        (
            RUNNING,
            RunAttemptLost(1, "the agent stops", released=True),
            {"state": StateName.SCHEDULED, "message": "the agent stops", "held": False},
        ),
        (
            SECOND,
            RunAttemptLost(2, "gone, too"),
            {"state": StateName.SCHEDULED, "message": "gone, too", "held": False, "attempts_lost": 2},
        ),
        (RUNNING, RunAttemptsLimited(7), {"attempts_max": 7}),
        (
            CANCELLED_AND_FAILED,
            RunRestarted("fixed"),
            {
                "state": StateName.PENDING,
                "message": "fixed",
                "attempts_lost": 0,
                "cancel_request": None,
                "ended_at": None,
                "failure": None,
            },
        ),
        (RUNNING, RunPaused(1, LATER, "look"), {"state": StateName.PAUSED, "message": "look", "held": False}),
        (
            CANCELLED_AND_FAILED,
            SET,
            {"state": StateName.PENDING, "message": "it was fine", "cancel_request": None, "failure": None},
        ),
        (RUNNING, RunRenamed("bold-otter"), {"name": "bold-otter"}),
        (FAILED, RunDeleted("a trial"), {"deleted": True}),
        (RUNNING, ProjectDeleted(), {}),
    ],
)
def test_each_event_changes_this_of_a_run_and_leaves_the_rest(
    history: Sequence[AnyEvent], event: AnyEvent, expected: dict[str, Any]
) -> None:
    before = given(*history)

    assert changes(before, given(*history, event)) == expected


def test_another_end_of_a_run_tells_of_no_failure_that_it_does_not_have() -> None:
    assert given(*FAILED, SET, RunFailed(at=LATER, failure=Failure("KeyError", "x"))).failure == Failure("KeyError", "x")
    assert given(*FAILED, SET, RunFailed(at=LATER)).failure is None


def test_events_of_task_runs_change_only_the_task_run_they_name() -> None:
    run = given(*RUNNING, TaskRunStarted(slug="a", at=NOON), TaskRunStarted(slug="a", map_index=1, at=LATER))

    assert {key: found.started_at for key, found in run.task_runs.items()} == {("a", -1): NOON, ("a", 1): LATER}
    assert changes(given(*RUNNING), run) == {}


KEPT = ResultReference("LocalResult", "/kept")
EVERYWHERE: tuple[AnyEvent, ...] = (
    TaskRunNamed(slug="looping", at=NOON, name="round and round"),
    TaskRunPaused(slug="looping", at=NOON),
    TaskRunResumed(slug="looping", at=NOON),
    TaskRunStarted(slug="looping", at=NOON, run_count=4),
    TaskRunLooped(slug="looping", at=NOON, loop_count=3, result=KEPT),
    TaskRunPaused(slug="looping", at=NOON),
    TaskRunResumed(slug="looping", at=NOON, message="go on"),
    TaskRunStarted(slug="looping", at=NOON, run_count=5),
    TaskRunSucceeded(slug="mapped", map_index=0, at=NOON, result=KEPT),
    TaskRunStateSet(slug="mapped", map_index=1, at=NOON, state="Failed", before="Pending", ended_at=NOON, message="no"),
    TaskRunSucceeded(slug="other", at=NOON, result=KEPT),
    TaskRunPaused(slug="paused", at=NOON, due_at=LATER),
    TaskRunRetryScheduled(slug="retrying", at=NOON, due_at=LATER, run_count=2, failure=FAILURE),
)


def test_a_restart_sends_whole_tasks_and_single_task_runs_back_to_where_they_began_but_for_their_names_and_counts() -> None:
    before = given(*FAILED, *EVERYWHERE)
    after = given(*FAILED, *EVERYWHERE, RunRestarted(tasks=("looping",), task_runs=(("mapped", 1),)))
    waits = {"state": StateName.PENDING, "message": "Waits to be executed again."}

    assert changed_task_runs(before, after) == {
        ("looping", -1): {**waits, "resumed": False, "loop_count": 0, "loop_result": None},
        ("mapped", 1): {**waits, "ended_at": None, "set_manually": False},
    }
    retried = given(*FAILED, *EVERYWHERE, RunRestarted(task_runs=(("retrying", -1),)))
    assert changed_task_runs(before, retried) == {("retrying", -1): {**waits, "due_at": None, "failure": None}}
    whole = given(*FAILED, *EVERYWHERE, RunRestarted(tasks=("mapped", "other")))
    assert changed_task_runs(before, whole) == {
        ("mapped", 0): {**waits, "ended_at": None, "result": None},
        ("mapped", 1): {**waits, "ended_at": None, "set_manually": False},
        ("other", -1): {**waits, "ended_at": None, "result": None},
    }


def test_a_lost_attempt_leaves_what_ended_what_is_paused_and_what_was_resumed() -> None:
    resumed = (TaskRunPaused(slug="resumed", at=NOON), TaskRunResumed(slug="resumed", at=NOON))
    cancelled = TaskRunCancelled(slug="cancelled", at=NOON)
    before = given(*RUNNING, *EVERYWHERE, *resumed, cancelled)

    assert changed_task_runs(before, given(*RUNNING, *EVERYWHERE, *resumed, cancelled, LOST)) == {
        ("looping", -1): {"state": StateName.PENDING, "message": "Interrupted; waits for the next attempt."},
        ("retrying", -1): {"state": StateName.PENDING, "message": "Interrupted; waits for the next attempt.", "due_at": None},
    }


def changed_task_runs(before: Run, after: Run) -> dict[tuple[str, int], dict[str, Any]]:
    assert set(before.task_runs) == set(after.task_runs)
    found = {key: changes(before.task_runs[key], after.task_runs[key]) for key in before.task_runs}
    return {key: changed for key, changed in found.items() if changed}


def test_a_task_run_that_nothing_happened_to_is_pending() -> None:
    assert given(*RUNNING, TaskRunNamed(slug="a", at=NOON, name="x")).task_runs["a", -1] == TaskRun(name="x")


@pytest.mark.parametrize("event", [RunDeleted(), RunSucceeded(1, NOON), ProjectDeleted()])
def test_what_happens_to_a_run_but_a_lost_attempt_and_a_restart_changes_no_task_run(event: AnyEvent) -> None:
    assert changed_with_run(given(*RUNNING, *EVERYWHERE).task_runs, event) == {}
