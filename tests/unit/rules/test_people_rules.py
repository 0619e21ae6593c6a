"""What people may do to the states of a run: resume what is paused, and set states manually while no attempt has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from harness.scenario import ACTOR

from headwater.audit.verify import refusal
from headwater.core.errors import IllegalTransition, InvalidArgument, NotFound
from headwater.core.events import (
    AnyEvent,
    CancelCause,
    EdgeSpec,
    ResultReference,
    RunCancelRequested,
    RunCreated,
    RunPaused,
    RunRestarted,
    RunScheduled,
    RunStateSet,
    RunSucceeded,
    StorageReference,
    TaskRunCancelled,
    TaskRunFailed,
    TaskRunMapped,
    TaskRunPaused,
    TaskRunResumed,
    TaskRunStarted,
    TaskRunStateSet,
    TaskRunSucceeded,
)
from headwater.core.runs.commands import (
    CancelRun,
    ClaimRun,
    CreateRun,
    FinishRun,
    MarkAttemptLost,
    RecordTaskRuns,
    RestartRun,
    ResumeTaskRuns,
    RunCommand,
    SetRunState,
    SetTaskRunState,
    StartRun,
    SuspendRun,
)
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run
from headwater.core.states import StateName

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=3)
TASKS = ("prepare-1", "publish-1", "report-1")
EDGES = (EdgeSpec("prepare-1", "publish-1", key="x"), EdgeSpec("publish-1", "report-1"))
CREATE = CreateRun(
    RunCreated(
        run_id="r",
        flow_id="f",
        flow_group_id="g",
        project_id="p",
        project_name="t",
        flow_name="flow",
        flow_version=1,
        name="n",
        queue_id="q",
        storage=StorageReference(type="Local"),
    ),
    NOON,
)
PREPARED = (TaskRunStarted(slug="prepare-1", at=NOON, run_count=1), TaskRunSucceeded(slug="prepare-1", at=NOON))
PAUSED = TaskRunPaused(slug="publish-1", at=NOON, message="have a look")


def given(*commands: RunCommand, run: Run = RULES.initial) -> Run:
    for command in commands:
        run = RULES.fold(RULES.decide(run, command), run)
    return run


def running() -> Run:
    return given(CREATE, ClaimRun(1, "agent-1", "mill"), StartRun(1, NOON), RecordTaskRuns(1, PREPARED))


def waiting_for_people() -> Run:
    return given(RecordTaskRuns(1, (PAUSED,)), SuspendRun(1, NOON, None, "waits"), run=running())


def failed() -> Run:
    events = (TaskRunStarted(slug="publish-1", at=NOON), TaskRunFailed(slug="publish-1", at=NOON))
    return given(RecordTaskRuns(1, events), FinishRun(1, NOON, failed=True, message="no"), run=running())


def decided(run: Run, command: RunCommand) -> list[AnyEvent]:
    """What the command leads to; the checker has to know it too."""
    events = list(RULES.decide(run, command))
    assert refusal(run, ACTOR.commit(events)) is None
    return events


def set_task(slug: str, state: StateName, index: int = -1, **more: ResultReference) -> SetTaskRunState:
    return SetTaskRunState(LATER, slug, index, state, "by hand", TASKS, **more)


def test_a_run_that_waits_for_people_is_paused_and_nobodys() -> None:
    run = given(RecordTaskRuns(1, (PAUSED,)), run=running())
    assert decided(run, SuspendRun(1, NOON, None, "waits")) == [RunPaused(1, NOON, "waits")]

    parked = waiting_for_people()
    assert (parked.state, parked.held, parked.generation) == (StateName.PAUSED, False, 1)
    for command in (ClaimRun(1, "agent-2"), SetRunState(NOON, StateName.SCHEDULED)):
        with pytest.raises(IllegalTransition, match="Paused"):
            RULES.decide(parked, command)


def test_an_attempt_parks_a_run_for_people_only_if_a_task_run_waits_for_them() -> None:
    with pytest.raises(IllegalTransition, match="waits to be resumed"):
        RULES.decide(running(), SuspendRun(1, NOON, None))


def test_resuming_schedules_the_run_at_once() -> None:
    events = decided(waiting_for_people(), ResumeTaskRuns(LATER, (), "fine"))

    assert events == [
        TaskRunResumed(slug="publish-1", at=LATER, message="fine"),
        RunScheduled(LATER, generation=2, message="fine"),
    ]


def test_a_pause_with_an_end_may_be_cut_short() -> None:
    until = TaskRunPaused(slug="publish-1", at=NOON, due_at=LATER)
    run = given(RecordTaskRuns(1, (until,)), SuspendRun(1, NOON, LATER, "waits"), run=running())
    assert (run.state, run.scheduled_for) == (StateName.SCHEDULED, LATER)

    assert [type(event) for event in decided(run, ResumeTaskRuns(NOON))] == [TaskRunResumed, RunScheduled]
    resumed = given(ResumeTaskRuns(NOON), run=run)
    assert (resumed.scheduled_for, resumed.generation) == (NOON, 3)
    assert RULES.decide(resumed, ResumeTaskRuns(NOON)) == [], "a second time changes nothing"


def test_what_is_resumed_under_an_attempt_is_seen_when_it_would_park_the_run() -> None:
    run = given(RecordTaskRuns(1, (PAUSED,)), run=running())
    assert [type(event) for event in decided(run, ResumeTaskRuns(NOON))] == [TaskRunResumed]
    resumed = given(ResumeTaskRuns(NOON), run=run)

    assert decided(resumed, SuspendRun(1, LATER, None)) == [RunScheduled(LATER, generation=2, message="A task run was resumed.")]
    known = SuspendRun(1, LATER, LATER + timedelta(hours=1), "waits", frozenset({("publish-1", -1)}))
    assert decided(resumed, known) == [RunScheduled(LATER + timedelta(hours=1), generation=2, message="waits")], "it knew that already"


@pytest.mark.parametrize(
    ("run", "keys", "error", "words"),
    [
        (running(), (), IllegalTransition, "No task run of the run is paused"),
        (waiting_for_people(), (("prepare-1", -1),), IllegalTransition, "prepare-1 is Success"),
        (waiting_for_people(), (("report-1", -1),), NotFound, "report-1"),
        (given(CancelRun(NOON), run=waiting_for_people()), (), IllegalTransition, "Cancelled"),
        (given(CancelRun(NOON), run=running()), (), IllegalTransition, "being cancelled"),
    ],
)
def test_what_does_not_wait_cannot_be_resumed(run: Run, keys: tuple[tuple[str, int], ...], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        RULES.decide(run, ResumeTaskRuns(NOON, keys))


def test_a_paused_run_is_cancelled_at_once() -> None:
    cancelled = given(CancelRun(NOON), run=waiting_for_people())

    assert (cancelled.state, cancelled.task_runs["publish-1", -1].state) == (StateName.CANCELLED, StateName.CANCELLED)


def test_a_task_that_was_resumed_is_not_asked_for_again_when_its_attempt_is_lost() -> None:
    started = RecordTaskRuns(2, (TaskRunStarted(slug="publish-1", at=LATER),))
    run = given(ResumeTaskRuns(NOON), ClaimRun(2, "agent-2"), StartRun(2, NOON), started, run=waiting_for_people())

    events = decided(run, MarkAttemptLost(2, "gone", LATER))
    lost = RULES.fold(events, run)

    assert [type(event).__name__ for event in events] == ["RunAttemptLost", "TaskRunResumed"]
    assert (lost.state, lost.task_runs["publish-1", -1].state) == (StateName.SCHEDULED, StateName.RESUME)


def test_a_pause_outlives_the_loss_of_its_attempt() -> None:
    run = given(RecordTaskRuns(1, (PAUSED,)), MarkAttemptLost(1, "gone", LATER), run=running())

    assert run.task_runs["publish-1", -1].state is StateName.PAUSED


@pytest.mark.parametrize("state", [StateName.SUCCESS, StateName.FAILED, StateName.SCHEDULED])
def test_no_state_is_set_under_an_attempt(state: StateName) -> None:
    with pytest.raises(IllegalTransition, match="on agent") as refused:
        RULES.decide(running(), SetRunState(NOON, state))
    assert "cancel" in str(refused.value.hint)
    with pytest.raises(IllegalTransition, match="on agent"):
        RULES.decide(running(), set_task("prepare-1", StateName.FAILED))


def test_setting_a_run_that_is_executed_to_cancelled_is_cancelling_it() -> None:
    assert decided(running(), SetRunState(NOON, StateName.CANCELLED, "enough")) == [RunCancelRequested("enough", CancelCause.USER)]


def test_an_ended_run_is_given_another_end_and_keeps_its_time() -> None:
    events = decided(failed(), SetRunState(LATER, StateName.SUCCESS, "done manually"))
    run = RULES.fold(events, failed())

    assert events == [RunStateSet("Success", "Failed", "done manually"), RunSucceeded(1, LATER, "done manually")]
    assert (run.state, run.ended_at, run.failure) == (StateName.SUCCESS, NOON, None)
    assert RULES.decide(run, SetRunState(LATER, StateName.SUCCESS, "again")) == []


def test_a_run_that_waits_ends_with_what_had_begun_of_it() -> None:
    events = decided(waiting_for_people(), SetRunState(LATER, StateName.SUCCESS, "enough"))

    assert [type(event) for event in events] == [RunStateSet, TaskRunCancelled, RunSucceeded]


def test_a_run_set_to_scheduled_is_restarted() -> None:
    events = decided(failed(), SetRunState(LATER, StateName.SCHEDULED, "again", None, TASKS, EDGES))
    run = RULES.fold(events, failed())

    assert [type(event) for event in events] == [RunStateSet, RunRestarted, RunScheduled]
    assert (run.state, run.ended_at, run.task_runs["publish-1", -1].state) == (StateName.SCHEDULED, None, StateName.PENDING)
    assert run.task_runs["prepare-1", -1].state is StateName.SUCCESS


@pytest.mark.parametrize("name", ["Running", "Submitted", "Finished", ""])
def test_only_states_that_mean_something_can_be_set(name: str) -> None:
    with pytest.raises(InvalidArgument, match="cannot be set"):
        RULES.decide(failed(), SetRunState(NOON, name))  # type: ignore[arg-type]


def test_a_task_run_is_set_and_the_run_stays_as_it_ended() -> None:
    value = ResultReference("InlineResult", value=42)
    events = decided(failed(), set_task("publish-1", StateName.SUCCESS, result=value))
    run = RULES.fold(events, failed())
    found = run.task_runs["publish-1", -1]

    assert [type(event) for event in events] == [TaskRunStateSet]
    assert (run.state, found.state, found.result, found.ended_at, found.set_manually) == (
        StateName.FAILED,
        StateName.SUCCESS,
        value,
        NOON,
        True,
    )
    restarted = given(RestartRun(LATER, TASKS, EDGES), run=run)
    assert restarted.task_runs["publish-1", -1].state is StateName.SUCCESS, "it is not done again"


def test_a_task_run_sent_back_manually_lets_a_run_be_restarted_that_succeeded() -> None:
    succeeded = given(FinishRun(1, NOON, failed=False, message="ok"), run=running())
    with pytest.raises(IllegalTransition, match="nothing of it failed"):
        RULES.decide(succeeded, RestartRun(LATER, TASKS, EDGES))
    sent_back = given(set_task("prepare-1", StateName.PENDING), run=succeeded)

    assert sent_back.task_runs["prepare-1", -1].state is StateName.PENDING
    assert given(RestartRun(LATER, TASKS, EDGES), run=sent_back).state is StateName.SCHEDULED


def test_the_run_goes_on_when_the_task_run_is_set_that_it_waits_for() -> None:
    assert [type(event) for event in decided(waiting_for_people(), set_task("publish-1", StateName.FAILED))] == [
        TaskRunStateSet,
        RunScheduled,
    ]
    assert [type(event) for event in decided(waiting_for_people(), set_task("report-1", StateName.SKIPPED))] == [TaskRunStateSet]
    assert [type(event) for event in decided(waiting_for_people(), set_task("publish-1", StateName.RESUME))] == [
        TaskRunResumed,
        RunScheduled,
    ]


def test_what_is_not_a_task_run_cannot_be_set() -> None:
    mapped = given(
        RecordTaskRuns(1, (TaskRunMapped(slug="publish-1", at=NOON, child_count=2),)), MarkAttemptLost(1, "x", NOON), run=running()
    )
    for run, command, error in (
        (failed(), set_task("no-such-task", StateName.SUCCESS), NotFound),
        (failed(), set_task("publish-1", StateName.SUCCESS, 3), NotFound),
        (mapped, set_task("publish-1", StateName.SUCCESS), IllegalTransition),
        (failed(), set_task("publish-1", StateName.SKIPPED, result=ResultReference("InlineResult", value=1)), InvalidArgument),
    ):
        with pytest.raises(error):
            RULES.decide(run, command)
