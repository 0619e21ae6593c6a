"""What each command leads to, event for event: with the times, the messages and the generations that these carry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest
from harness.run_history import CLAIMED, CREATED, FAILED, FAILURE, LATER, NOON, RUNNING, WAITING, given

from headwater.core.events import (
    AnyEvent,
    CancelCause,
    EdgeSpec,
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
    TaskRunArtifactCreated,
    TaskRunArtifactDeleted,
    TaskRunArtifactUpdated,
    TaskRunCancelled,
    TaskRunFailed,
    TaskRunNamed,
    TaskRunPaused,
    TaskRunResumed,
    TaskRunRetryScheduled,
    TaskRunStarted,
    TaskRunStateSet,
    TaskRunSucceeded,
)
from headwater.core.runs import set_state
from headwater.core.runs.artifact_commands import CreateArtifact, DeleteArtifact, UpdateArtifact
from headwater.core.runs.commands import (
    CancelRun,
    ClaimRun,
    ConfirmCancelled,
    CreateRun,
    DeleteRun,
    FailUnstartedRun,
    FinishRun,
    MarkAttemptLost,
    RecordTaskRuns,
    RenameRun,
    RescheduleRun,
    RestartRun,
    ResumeTaskRuns,
    RunCommand,
    SetRunState,
    SetTaskRunState,
    StartRun,
    SuspendRun,
)
from headwater.core.runs.rules import RULES
from headwater.core.states import StateName

TASKS = ("load", "store")
EDGES = (EdgeSpec("load", "store"),)
ASKED = RunCancelRequested("enough", "user")
STARTED = TaskRunStarted(slug="load", at=NOON)
CHILD = TaskRunStarted(slug="load", map_index=1, at=NOON)
PAUSED = TaskRunPaused(slug="load", at=NOON)
PAUSED_CHILD = TaskRunPaused(slug="load", map_index=0, at=NOON)
RESUMED = TaskRunResumed(slug="load", at=NOON)
SUSPENDED = (*RUNNING, PAUSED, RunPaused(1, NOON))
SUCCEEDED = (*RUNNING, RunSucceeded(1, NOON))
CANCELLED_WITH_RUN = TaskRunCancelled(slug="load", at=LATER, message="Cancelled with its run.")
KEPT = ResultReference("LocalResult", "/kept")
LINK = {"link": "https://example.com"}
MADE = TaskRunArtifactCreated(slug="load", map_index=2, at=NOON, artifact_id="x", kind="link", data=LINK)


def state_set(slug: str, state: StateName, reason: str = "fine", index: int = -1) -> SetTaskRunState:
    return SetTaskRunState(LATER, slug, index, state, reason, TASKS)


ATTEMPTS: list[tuple[Sequence[AnyEvent], RunCommand, Sequence[AnyEvent]]] = [
    (WAITING, ClaimRun(1, "agent-1", "mill"), [RunSubmitted(1, "agent-1", "mill")]),
    (CLAIMED, StartRun(1, LATER), [RunStarted(1, LATER)]),
    (RUNNING, StartRun(1, LATER), []),
    ((*CLAIMED, ASKED), StartRun(1, LATER), []),
    (RUNNING, MarkAttemptLost(2, "gone", LATER), []),
    (WAITING, MarkAttemptLost(0, "gone", LATER), []),
    (RUNNING, MarkAttemptLost(1, "gone", LATER, released=True), [RunAttemptLost(1, "gone", released=True)]),
    (
        (*RUNNING, ASKED),
        MarkAttemptLost(1, "gone", LATER, retry_at=LATER),
        [RunAttemptLost(1, "gone"), RunCancelled(at=LATER, message="Cancelled.")],
    ),
    (
        RUNNING,
        MarkAttemptLost(1, "gone", LATER, retry_at=LATER + timedelta(minutes=1)),
        [RunAttemptLost(1, "gone"), RunScheduled(LATER + timedelta(minutes=1), 2, "gone")],
    ),
    (
        (*RUNNING, PAUSED_CHILD, TaskRunResumed(slug="load", map_index=0, at=NOON), TaskRunStarted(slug="load", map_index=0, at=NOON)),
        MarkAttemptLost(1, "gone", LATER),
        [
            RunAttemptLost(1, "gone"),
            TaskRunResumed(slug="load", map_index=0, at=LATER, message="It had been resumed before its attempt was lost."),
        ],
    ),
    ((*RUNNING, PAUSED, RESUMED), MarkAttemptLost(1, "gone", LATER), [RunAttemptLost(1, "gone")]),
    (RUNNING, SuspendRun(1, NOON, LATER, "waits"), [RunScheduled(LATER, 2, "waits")]),
    ((*RUNNING, PAUSED), SuspendRun(1, LATER, None, "look"), [RunPaused(1, LATER, "look")]),
    ((*RUNNING, PAUSED, RESUMED), SuspendRun(1, NOON, LATER), [RunScheduled(NOON, 2, "A task run was resumed.")]),
    (
        (*RUNNING, PAUSED, RESUMED),
        SuspendRun(1, NOON, LATER, "waits", frozenset({("load", -1)})),
        [RunScheduled(LATER, 2, "waits")],
    ),
    ((*RUNNING, ASKED), RecordTaskRuns(1, (STARTED,)), [STARTED]),
    (
        (*RUNNING, STARTED),
        RecordTaskRuns(1, (TaskRunSucceeded(slug="load", at=NOON), CHILD)),
        [TaskRunSucceeded(slug="load", at=NOON), CHILD],
    ),
    (RUNNING, RecordTaskRuns(1, (MADE, STARTED)), [MADE, STARTED]),
    (RUNNING, FinishRun(1, LATER, failed=False, message="done"), [RunSucceeded(1, LATER, "done")]),
    (
        RUNNING,
        FinishRun(1, LATER, failed=True, message="no", failure=FAILURE),
        [RunFailed(at=LATER, attempt=1, message="no", failure=FAILURE)],
    ),
    (
        (*RUNNING, STARTED),
        FinishRun(1, LATER, failed=False, message="done", events=(TaskRunSucceeded(slug="load", at=NOON),)),
        [TaskRunSucceeded(slug="load", at=NOON), RunSucceeded(1, LATER, "done")],
    ),
    (
        RUNNING,
        FinishRun(1, LATER, failed=True, message="no", failure=FAILURE, events=(STARTED, CHILD)),
        [STARTED, CHILD, RunFailed(at=LATER, attempt=1, message="no", failure=FAILURE)],
    ),
    (FAILED, FinishRun(1, LATER, failed=False, message="done"), []),
    (FAILED, FinishRun(1, LATER, failed=False, message="done", events=(STARTED,)), []),
    (
        CLAIMED,
        FailUnstartedRun(LATER, "no storage", 1, FAILURE),
        [RunFailed(at=LATER, attempt=1, message="no storage", failure=FAILURE)],
    ),
    (WAITING, FailUnstartedRun(LATER, "no storage"), [RunFailed(at=LATER, attempt=0, message="no storage")]),
    (FAILED, FailUnstartedRun(LATER, "no storage", 7), []),
    (
        (*RUNNING, STARTED, CHILD, TaskRunFailed(slug="store", at=NOON), TaskRunNamed(slug="other", at=NOON, name="x"), ASKED),
        ConfirmCancelled(1, LATER),
        [
            CANCELLED_WITH_RUN,
            TaskRunCancelled(slug="load", map_index=1, at=LATER, message="Cancelled with its run."),
            RunCancelled(at=LATER, message="Cancelled."),
        ],
    ),
    (FAILED, ConfirmCancelled(7, LATER), []),
]

USERS: list[tuple[Sequence[AnyEvent], RunCommand, Sequence[AnyEvent]]] = [
    ((), CreateRun(CREATED, LATER), [CREATED, RunScheduled(LATER, 1)]),
    ((), CreateRun(CREATED, LATER, 1), [CREATED, RunAttemptsLimited(1), RunScheduled(LATER, 1)]),
    (WAITING, CreateRun(CREATED, LATER), []),
    (WAITING, CancelRun(LATER), [RunCancelRequested(cause="user"), RunCancelled(at=LATER, message="Cancelled.")]),
    (
        (*RUNNING, STARTED, RunScheduled(LATER, 2)),
        CancelRun(LATER, "old", CancelCause.FLOW_ARCHIVED),
        [RunCancelRequested("old", "flow_archived"), CANCELLED_WITH_RUN, RunCancelled(at=LATER, message="old")],
    ),
    ((*RUNNING, ASKED), CancelRun(LATER, "again"), []),
    (FAILED, CancelRun(LATER), []),
    (WAITING, RescheduleRun(LATER, "not now"), [RunScheduled(LATER, 2, "not now")]),
    (WAITING, RenameRun("bold-otter"), [RunRenamed("bold-otter")]),
    (WAITING, RenameRun("quiet-heron"), []),
    (FAILED, DeleteRun("a trial"), [RunDeleted("a trial")]),
    ((*FAILED, RunDeleted("a trial")), DeleteRun("again"), []),
    # Restarting.
    (FAILED, RestartRun(LATER, TASKS, EDGES, reason="fixed"), [RunRestarted("fixed"), RunScheduled(LATER, 2, "Flow run restarted.")]),
    (
        (*RUNNING, TaskRunStateSet(slug="load", at=NOON, state="Failed", before="Success"), SUCCEEDED[-1]),
        RestartRun(LATER, TASKS, EDGES),
        [RunRestarted("", "", ("store",), (("load", -1),)), RunScheduled(LATER, 2, "Flow run restarted.")],
    ),
    # Resuming.
    (
        SUSPENDED,
        ResumeTaskRuns(LATER),
        [TaskRunResumed(slug="load", at=LATER, message="Resumed."), RunScheduled(LATER, 2, "Resumed.")],
    ),
    (
        (*RUNNING, PAUSED_CHILD, PAUSED, RunPaused(1, NOON)),
        ResumeTaskRuns(LATER, (("load", 0), ("load", 0)), "fine"),
        [TaskRunResumed(slug="load", map_index=0, at=LATER, message="fine"), RunScheduled(LATER, 2, "fine")],
    ),
    ((*RUNNING, PAUSED), ResumeTaskRuns(LATER), [TaskRunResumed(slug="load", at=LATER, message="Resumed.")]),
    (
        (*RUNNING, PAUSED, RESUMED, PAUSED_CHILD),
        ResumeTaskRuns(LATER, (("load", -1), ("load", 0))),
        [TaskRunResumed(slug="load", map_index=0, at=LATER, message="Resumed.")],
    ),
    ((*SUSPENDED, RESUMED), ResumeTaskRuns(LATER), []),
    # Setting the state of a run.
    (RUNNING, SetRunState(LATER, StateName.CANCELLED, "enough"), [RunCancelRequested("enough", "user")]),
    (
        WAITING,
        SetRunState(LATER, StateName.CANCELLED, "enough"),
        [RunCancelRequested("enough", "user"), RunCancelled(at=LATER, message="enough")],
    ),
    (FAILED, SetRunState(LATER, StateName.FAILED, "no"), []),
    (FAILED, SetRunState(LATER, StateName.SUCCESS), [RunStateSet("Success", "Failed"), RunSucceeded(1, LATER, "Set to Success.")]),
    (
        SUCCEEDED,
        SetRunState(LATER, StateName.FAILED, "it was wrong"),
        [RunStateSet("Failed", "Success", "it was wrong"), RunFailed(at=LATER, attempt=1, message="it was wrong")],
    ),
    (
        SUCCEEDED,
        SetRunState(LATER, StateName.CANCELLED),
        [RunStateSet("Cancelled", "Success"), RunCancelled(at=LATER, message="Set to Cancelled.")],
    ),
    (
        SUSPENDED,
        SetRunState(LATER, StateName.FAILED),
        [
            RunStateSet("Failed", "Paused"),
            TaskRunCancelled(slug="load", at=LATER, message="Its run was set to Failed."),
            RunFailed(at=LATER, attempt=1, message="Set to Failed."),
        ],
    ),
    (
        (*FAILED, STARTED),
        SetRunState(LATER, StateName.SUCCESS),
        [RunStateSet("Success", "Failed"), RunSucceeded(1, LATER, "Set to Success.")],
    ),
    (
        WAITING,
        SetRunState(NOON, StateName.SCHEDULED, "now", LATER),
        [RunStateSet("Scheduled", "Scheduled", "now"), RunScheduled(LATER, 2, "now")],
    ),
    (
        (*RUNNING, TaskRunSucceeded(slug="load", at=NOON), FAILED[-1]),
        SetRunState(LATER, StateName.SCHEDULED, "", None, TASKS, EDGES),
        [RunStateSet("Scheduled", "Failed"), RunRestarted(), RunScheduled(LATER, 2, "Flow run scheduled.")],
    ),
    (
        (*RUNNING, TaskRunFailed(slug="load", at=NOON), FAILED[-1]),
        SetRunState(LATER, StateName.SCHEDULED, "again", None, TASKS, EDGES),
        [
            RunStateSet("Scheduled", "Failed", "again"),
            RunRestarted("again", "", ("store",), (("load", -1),)),
            RunScheduled(LATER, 2, "again"),
        ],
    ),
    # Setting the state of a task run.
    (
        SUSPENDED,
        state_set("load", StateName.RESUME),
        [TaskRunResumed(slug="load", at=LATER, message="fine"), RunScheduled(LATER, 2, "fine")],
    ),
    (
        SUSPENDED,
        state_set("load", StateName.SUCCESS),
        [
            TaskRunStateSet(slug="load", at=LATER, message="fine", state="Success", before="Paused", ended_at=LATER),
            RunScheduled(LATER, 2, "Task run load was set to Success."),
        ],
    ),
    (
        (*RUNNING, TaskRunRetryScheduled(slug="load", map_index=1, at=NOON, due_at=LATER, run_count=1), RunScheduled(LATER, 2)),
        state_set("load", StateName.PENDING, "", 1),
        [
            TaskRunStateSet(slug="load", map_index=1, at=LATER, message="Set to Pending.", state="Pending", before="Retrying"),
            RunScheduled(LATER, 3, "Task run load[1] was set to Pending."),
        ],
    ),
    (
        WAITING,
        state_set("load", StateName.SKIPPED),
        [TaskRunStateSet(slug="load", at=LATER, message="fine", state="Skipped", before="Pending", ended_at=LATER)],
    ),
    (
        (*FAILED, PAUSED),
        state_set("load", StateName.SUCCESS),
        [TaskRunStateSet(slug="load", at=LATER, message="fine", state="Success", before="Paused", ended_at=LATER)],
    ),
    (
        (*RUNNING, TaskRunSucceeded(slug="load", map_index=0, at=NOON, result=KEPT), FAILED[-1]),
        state_set("load", StateName.FAILED, "fine", 0),
        [TaskRunStateSet(slug="load", map_index=0, at=LATER, message="fine", state="Failed", before="Success", ended_at=NOON)],
    ),
    ((*RUNNING, TaskRunSucceeded(slug="load", at=NOON, result=KEPT), FAILED[-1]), state_set("load", StateName.SUCCESS), []),
    (
        (*RUNNING, TaskRunSucceeded(slug="load", at=NOON), FAILED[-1]),
        SetTaskRunState(LATER, "load", -1, StateName.SUCCESS, "fine", TASKS, KEPT),
        [TaskRunStateSet(slug="load", at=LATER, message="fine", state="Success", before="Success", ended_at=NOON, result=KEPT)],
    ),
    # Artifacts.
    ((*RUNNING, CHILD), CreateArtifact(NOON, "load", 1, "x", "link", LINK), [msgspec.structs.replace(MADE, map_index=1)]),
    (
        (*RUNNING, MADE),
        UpdateArtifact(LATER, "x", {"link": "/x"}),
        [TaskRunArtifactUpdated(slug="load", map_index=2, at=LATER, artifact_id="x", data={"link": "/x"})],
    ),
    ((*RUNNING, MADE), DeleteArtifact(LATER, "x"), [TaskRunArtifactDeleted(slug="load", map_index=2, at=LATER, artifact_id="x")]),
]


@pytest.mark.parametrize(("history", "command", "events"), ATTEMPTS)
def test_what_an_attempt_asks_for_leads_to_these_events(
    history: Sequence[AnyEvent], command: RunCommand, events: Sequence[AnyEvent]
) -> None:
    assert list(RULES.decide(given(*history), command)) == list(events)


@pytest.mark.parametrize(("history", "command", "events"), USERS)
def test_what_a_user_asks_for_leads_to_these_events(history: Sequence[AnyEvent], command: RunCommand, events: Sequence[AnyEvent]) -> None:
    assert list(RULES.decide(given(*history), command)) == list(events)


def lost(times: int, *limits: AnyEvent) -> list[AnyEvent]:
    """A run that has lost so many attempts, and is at the next."""
    events: list[AnyEvent] = [*WAITING, *limits]
    for attempt in range(1, times + 1):
        events += [RunSubmitted(attempt, "agent-1"), RunStarted(attempt, NOON), RunAttemptLost(attempt, "gone")]
    return [*events, RunSubmitted(times + 1, "agent-1"), RunStarted(times + 1, NOON)]


@pytest.mark.parametrize(
    ("before", "limits", "of_command", "limit"),
    [(2, (), None, 3), (1, (RunAttemptsLimited(2),), None, 2), (3, (RunAttemptsLimited(2),), 4, 4), (0, (), 1, 1)],
)
def test_a_run_fails_with_the_last_attempt_that_may_be_lost_and_not_before(
    before: int, limits: tuple[AnyEvent, ...], of_command: int | None, limit: int
) -> None:
    attempt = before + 1
    command = MarkAttemptLost(attempt, "exit code 9", LATER, of_command)
    message = f"Attempt {attempt} was lost (exit code 9); no more than {limit} attempts are made."

    assert RULES.decide(given(*lost(before, *limits)), command) == [
        RunAttemptLost(attempt, "exit code 9"),
        RunFailed(at=LATER, attempt=attempt, message=message),
    ]
    if before:
        one_less = MarkAttemptLost(before, "exit code 9", LATER, of_command)
        assert RULES.decide(given(*lost(before - 1, *limits)), one_less) == [RunAttemptLost(before, "exit code 9")]


def test_an_attempt_that_is_handed_back_never_fails_its_run() -> None:
    handed_back = MarkAttemptLost(3, "the agent stops", LATER, released=True)

    assert RULES.decide(given(*lost(2)), handed_back) == [RunAttemptLost(3, "the agent stops", released=True)]


@pytest.mark.parametrize(
    ("due", "scheduled"), [(LATER - timedelta(seconds=1), False), (LATER, False), (LATER + timedelta(seconds=1), True)]
)
def test_resuming_a_run_brings_its_start_forward_and_leaves_one_that_is_due_already(due: object, scheduled: bool) -> None:
    history = (*RUNNING, PAUSED, msgspec.structs.replace(RunScheduled(LATER, 2), due_at=due))
    resumed = TaskRunResumed(slug="load", at=LATER, message="fine")

    events = RULES.decide(given(*history), ResumeTaskRuns(LATER, (), "fine"))

    assert events == [resumed, *([RunScheduled(LATER, 3, "fine")] if scheduled else [])]


@pytest.mark.parametrize("name", ["timed_out", "Timed-Out", "TIMEDOUT", "TimedOut", "-t_imedout"])
def test_the_name_of_a_state_may_be_written_as_people_write_it(name: str) -> None:
    assert set_state.task_run_state(name) is StateName.TIMED_OUT


@pytest.mark.parametrize("name", ["success", "S-u_ccess", "SUCCESS"])
def test_the_name_of_a_state_of_a_run_may_be_written_as_people_write_it(name: str) -> None:
    assert set_state.run_state(name) is StateName.SUCCESS


def test_a_name_is_kept_as_it_was_written() -> None:
    created = msgspec.structs.replace(CREATED, name="Grüße, Welt")

    assert RULES.decide(given(), CreateRun(created, NOON))[0] == created
