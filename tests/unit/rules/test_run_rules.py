"""The rules of a run, in events: given what happened, when this is asked, then this happens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from headwater.core.errors import CommandRejected, IllegalTransition, NotFound
from headwater.core.events import (
    AnyEvent,
    CancelCause,
    RunAttemptLost,
    RunCancelled,
    RunCancelRequested,
    RunCreated,
    RunFailed,
    RunRenamed,
    RunScheduled,
    RunStarted,
    RunSubmitted,
    RunSucceeded,
    StorageReference,
    TaskRunCancelled,
    TaskRunRetryScheduled,
    TaskRunStarted,
    TaskRunSucceeded,
)
from headwater.core.runs.commands import (
    CancelRun,
    ClaimRun,
    ConfirmCancelled,
    CreateRun,
    FailUnstartedRun,
    FinishRun,
    MarkAttemptLost,
    RecordTaskRuns,
    RenameRun,
    RescheduleRun,
    RunCommand,
    StartRun,
)
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run
from headwater.core.states import StateName

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CREATED = RunCreated(
    run_id="r",
    flow_id="f",
    flow_group_id="g",
    project_id="p",
    project_name="tutorial",
    flow_name="hello-flow",
    flow_version=1,
    name="quiet-heron",
    queue_id="q",
    storage=StorageReference(type="Local"),
)
SCHEDULED = RunScheduled(NOON, generation=1)
CLAIMED = RunSubmitted(1, "agent-1")
STARTED = RunStarted(1, NOON)
WAITING = (CREATED, SCHEDULED)
RUNNING = (*WAITING, CLAIMED, STARTED)


def given(*events: AnyEvent) -> Run:
    return RULES.fold(events)


def when(run: Run, command: RunCommand) -> Sequence[AnyEvent]:
    return RULES.decide(run, command)


def test_a_new_run_is_created_and_scheduled_in_one_commit() -> None:
    command = CreateRun(
        RunCreated(
            run_id="r",
            flow_id="f",
            flow_group_id="g",
            project_id="p",
            project_name="tutorial",
            flow_name="hello-flow",
            flow_version=1,
            name="quiet-heron",
            queue_id="q",
            storage=StorageReference(type="Local"),
        ),
        NOON,
    )

    assert when(given(), command) == [CREATED, SCHEDULED]
    assert when(given(*WAITING), command) == []


@pytest.mark.parametrize("command", [StartRun(1, NOON), CancelRun(NOON), RenameRun("x"), ClaimRun(1, "a")])
def test_nothing_can_be_asked_of_a_run_that_does_not_exist(command: RunCommand) -> None:
    with pytest.raises(NotFound):
        when(given(), command)


def test_an_agent_claims_a_waiting_run_as_the_next_attempt() -> None:
    assert when(given(*WAITING), ClaimRun(1, "agent-1")) == [CLAIMED]
    after_a_loss = given(*RUNNING, RunAttemptLost(1, "the agent is gone"))
    assert when(after_a_loss, ClaimRun(1, "agent-2")) == [RunSubmitted(2, "agent-2")]


@pytest.mark.parametrize(
    "history",
    [
        (*WAITING, CLAIMED),
        RUNNING,
        (*RUNNING, RunSucceeded(1, NOON)),
        (*WAITING, RunCancelRequested(), RunCancelled(at=NOON)),
    ],
    ids=["claimed", "running", "succeeded", "cancelled"],
)
def test_a_run_that_does_not_wait_cannot_be_claimed(history: Sequence[AnyEvent]) -> None:
    with pytest.raises(IllegalTransition):
        when(given(*history), ClaimRun(1, "agent-2"))


def test_a_wake_up_of_an_older_generation_means_nothing() -> None:
    rescheduled = given(*WAITING, RunScheduled(NOON + timedelta(hours=1), generation=2))

    with pytest.raises(IllegalTransition, match="generation 1"):
        when(rescheduled, ClaimRun(1, "agent-1"))
    assert when(rescheduled, ClaimRun(2, "agent-1")) == [CLAIMED]


def test_rescheduling_names_the_next_generation_and_is_refused_while_an_attempt_holds_the_run() -> None:
    later = NOON + timedelta(hours=1)

    assert when(given(*WAITING), RescheduleRun(later, "later")) == [RunScheduled(later, 2, "later")]
    with pytest.raises(IllegalTransition):
        when(given(*RUNNING), RescheduleRun(later))


def test_a_stale_attempt_is_refused_whatever_it_tries() -> None:
    second = given(*RUNNING, RunAttemptLost(1, "gone"), RunSubmitted(2, "agent-2"), RunStarted(2, NOON))

    for command in (
        RecordTaskRuns(1, (TaskRunStarted(slug="a-1", at=NOON),)),
        FinishRun(1, NOON, failed=False, message=""),
        StartRun(1, NOON),
        FailUnstartedRun(NOON, "no storage", attempt=1),
    ):
        with pytest.raises(CommandRejected, match="Attempt 1 does not hold the run"):
            when(second, command)


def test_losing_an_attempt_twice_is_recorded_once() -> None:
    lost = MarkAttemptLost(1, "gone", NOON)

    assert when(given(*RUNNING), lost) == [RunAttemptLost(1, "gone")]
    assert when(given(*RUNNING, RunAttemptLost(1, "gone")), lost) == []


def test_a_run_that_loses_its_last_attempt_fails_and_says_why() -> None:
    lost, failed = when(given(*RUNNING), MarkAttemptLost(1, "exit code 9", NOON, attempts_max=1))

    assert lost == RunAttemptLost(1, "exit code 9")
    assert isinstance(failed, RunFailed)
    assert "exit code 9" in failed.message


def test_an_attempt_lost_while_being_cancelled_ends_the_run_as_cancelled() -> None:
    cancelling = given(*RUNNING, TaskRunStarted(slug="a-1", at=NOON), RunCancelRequested())

    assert when(cancelling, MarkAttemptLost(1, "gone", NOON)) == [
        RunAttemptLost(1, "gone"),
        TaskRunCancelled(slug="a-1", at=NOON, message="Cancelled with its run."),
        RunCancelled(at=NOON, message="Cancelled."),
    ]


def test_the_next_attempt_finds_interrupted_task_runs_pending_and_finished_ones_as_they_were() -> None:
    run = given(
        *RUNNING,
        TaskRunStarted(slug="a-1", at=NOON),
        TaskRunSucceeded(slug="a-1", at=NOON),
        TaskRunStarted(slug="b-1", at=NOON),
        RunAttemptLost(1, "gone"),
    )

    assert run.task_runs["a-1", -1].state is StateName.SUCCESS
    assert run.task_runs["b-1", -1].state is StateName.PENDING
    assert run.state is StateName.SCHEDULED


def test_cancelling_a_run_without_an_attempt_is_final_at_once() -> None:
    assert when(given(*WAITING), CancelRun(NOON, "not needed")) == [
        RunCancelRequested("not needed", CancelCause.USER),
        RunCancelled(at=NOON, message="not needed"),
    ]


def test_cancelling_a_running_run_asks_its_agent_and_asking_twice_changes_nothing() -> None:
    assert when(given(*RUNNING), CancelRun(NOON)) == [RunCancelRequested(cause=CancelCause.USER)]
    assert when(given(*RUNNING, RunCancelRequested()), CancelRun(NOON)) == []
    assert given(*RUNNING, RunCancelRequested()).state is StateName.CANCELLING


def test_cancelling_a_finished_run_changes_nothing() -> None:
    assert when(given(*RUNNING, RunSucceeded(1, NOON)), CancelRun(NOON)) == []


def test_cancelled_is_confirmed_only_where_it_was_asked_for() -> None:
    with pytest.raises(IllegalTransition):
        when(given(*RUNNING), ConfirmCancelled(1, NOON))
    assert when(given(*RUNNING, RunCancelRequested()), ConfirmCancelled(1, NOON)) == [RunCancelled(at=NOON)]


def test_a_run_that_finishes_while_being_cancelled_ends_as_it_really_ended() -> None:
    run = given(*RUNNING, RunCancelRequested())

    assert when(run, FinishRun(1, NOON, failed=False, message="done")) == [RunSucceeded(1, NOON, "done")]


def test_a_run_cannot_end_before_it_started() -> None:
    with pytest.raises(IllegalTransition):
        when(given(*WAITING, CLAIMED), FinishRun(1, NOON, failed=False, message=""))


def test_finishing_twice_is_a_no_op_for_the_same_attempt() -> None:
    assert when(given(*RUNNING, RunSucceeded(1, NOON)), FinishRun(1, NOON, failed=False, message="")) == []


def test_task_runs_follow_their_own_rules_within_one_commit() -> None:
    start, end = TaskRunStarted(slug="a-1", at=NOON), TaskRunSucceeded(slug="a-1", at=NOON)

    assert when(given(*RUNNING), RecordTaskRuns(1, (start, end))) == [start, end]
    with pytest.raises(IllegalTransition, match="a-1"):
        when(given(*RUNNING), RecordTaskRuns(1, (start, end, start)))


def test_a_task_run_that_waits_for_its_retry_starts_again_with_the_next_count() -> None:
    run = given(
        *RUNNING,
        TaskRunStarted(slug="a-1", at=NOON),
        TaskRunRetryScheduled(slug="a-1", at=NOON, due_at=NOON, run_count=2),
        TaskRunStarted(slug="a-1", at=NOON, run_count=2),
    )

    assert (run.task_runs["a-1", -1].state, run.task_runs["a-1", -1].run_count) == (StateName.RUNNING, 2)


def test_tasks_change_only_while_their_run_runs() -> None:
    with pytest.raises(IllegalTransition):
        when(given(*WAITING, CLAIMED), RecordTaskRuns(1, (TaskRunStarted(slug="a-1", at=NOON),)))


def test_renaming_to_the_same_name_changes_nothing() -> None:
    assert when(given(*WAITING), RenameRun("bold-otter")) == [RunRenamed("bold-otter")]
    assert when(given(*WAITING), RenameRun("quiet-heron")) == []
