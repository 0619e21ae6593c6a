"""What a run refuses: the sentence says why, and the hint what to do instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from harness.refusals import refusal
from harness.run_history import CLAIMED, FAILED, LATER, NOON, RUNNING, WAITING, given

from headwater.core import hints
from headwater.core.errors import CommandRejected, IllegalTransition, InvalidArgument, InvalidName, NotFound
from headwater.core.events import (
    AnyEvent,
    EdgeSpec,
    ResultReference,
    RunAttemptLost,
    RunCancelRequested,
    RunDeleted,
    RunPaused,
    RunScheduled,
    RunSubmitted,
    RunSucceeded,
    TaskRunFailed,
    TaskRunMapped,
    TaskRunPaused,
    TaskRunStarted,
    TaskRunStateSet,
    TaskRunSucceeded,
)
from headwater.core.hints import Hint, hint
from headwater.core.runs.artifact_commands import CreateArtifact, DeleteArtifact, UpdateArtifact
from headwater.core.runs.commands import (
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
CANCEL = RunCancelRequested("enough")
SUCCEEDED = (*RUNNING, RunSucceeded(1, NOON))
SUSPENDED = (*RUNNING, TaskRunPaused(slug="load", at=NOON), RunPaused(1, NOON))
STARTED = TaskRunStarted(slug="load", at=NOON)
LINK = {"link": "https://example.com"}
NOT_HELD = "Attempt 2 does not hold the run: it is Running, and its last attempt is 1."


def state_set(slug: str, state: StateName, index: int = -1, **more: Any) -> SetTaskRunState:
    return SetTaskRunState(LATER, slug, index, state, "manually", TASKS, **more)


HISTORIES: list[tuple[Sequence[AnyEvent], RunCommand, type[CommandRejected], str, Hint | str | None]] = [
    ((), ClaimRun(1, "a"), NotFound, "Run '' not found.", None),
    # What attempts and their watchers ask for.
    (RUNNING, ClaimRun(1, "a"), IllegalTransition, "The run is Running; it cannot be claimed.", None),
    ((*WAITING, CANCEL), ClaimRun(1, "a"), IllegalTransition, "The run is Scheduled; it cannot be claimed.", None),
    (WAITING, ClaimRun(2, "a"), IllegalTransition, "The wake-up is of generation 2; the run is at 1.", None),
    (RUNNING, StartRun(2, NOON), IllegalTransition, NOT_HELD, None),
    (
        (*RUNNING, RunAttemptLost(1)),
        StartRun(1, NOON),
        IllegalTransition,
        "Attempt 1 does not hold the run: it is Scheduled, and its last attempt is 1.",
        None,
    ),
    (RUNNING, SuspendRun(2, NOON, LATER), IllegalTransition, NOT_HELD, None),
    (CLAIMED, SuspendRun(1, NOON, LATER), IllegalTransition, "The run is Submitted; it cannot wait for a later time.", None),
    (RUNNING, SuspendRun(1, NOON, None), IllegalTransition, "No task run of the run waits to be resumed.", None),
    (
        (*RUNNING, TaskRunPaused(slug="load", at=NOON, due_at=LATER)),
        SuspendRun(1, NOON, None),
        IllegalTransition,
        "No task run of the run waits to be resumed.",
        None,
    ),
    (RUNNING, RecordTaskRuns(2, ()), IllegalTransition, NOT_HELD, None),
    (
        (*RUNNING, STARTED),
        RecordTaskRuns(1, (STARTED,)),
        IllegalTransition,
        "Task run 'load' (index -1) is Running; task_run.started cannot follow.",
        None,
    ),
    (CLAIMED, RecordTaskRuns(1, ()), IllegalTransition, "The run is Submitted; its tasks cannot change.", None),
    (RUNNING, FinishRun(2, NOON, failed=False, message=""), IllegalTransition, NOT_HELD, None),
    (
        SUCCEEDED,
        FinishRun(2, NOON, failed=False, message=""),
        IllegalTransition,
        "Attempt 2 does not hold the run: it is Success, and its last attempt is 1.",
        None,
    ),
    (
        CLAIMED,
        FinishRun(1, NOON, failed=False, message=""),
        IllegalTransition,
        "The run is Submitted; it cannot end before it is started.",
        None,
    ),
    (RUNNING, FailUnstartedRun(NOON, "no", attempt=2), IllegalTransition, NOT_HELD, None),
    (RUNNING, ConfirmCancelled(2, NOON), IllegalTransition, NOT_HELD, None),
    (RUNNING, ConfirmCancelled(1, NOON), IllegalTransition, "No cancellation of the run was requested.", None),
    # What users ask for.
    ((), CreateRun(WAITING[0], NOON, 0), InvalidArgument, "At least 1 attempt must be made, not 0.", None),
    (RUNNING, RescheduleRun(LATER), IllegalTransition, "The run is Running; only a run that waits can be rescheduled.", None),
    (
        (*WAITING, CANCEL),
        RescheduleRun(LATER),
        IllegalTransition,
        "The run is Scheduled; only a run that waits can be rescheduled.",
        None,
    ),
    (SUSPENDED, RescheduleRun(LATER), IllegalTransition, "The run is Paused; only a run that waits can be rescheduled.", None),
    (
        SUCCEEDED,
        ResumeTaskRuns(NOON),
        IllegalTransition,
        "The run is Success: nothing of it waits to be resumed.",
        hint("{} executes it once more.", hints.RestartRunAction("r")),
    ),
    ((*RUNNING, CANCEL), ResumeTaskRuns(NOON), IllegalTransition, "The run is being cancelled: nothing of it goes on.", None),
    (RUNNING, ResumeTaskRuns(NOON), IllegalTransition, "No task run of the run is paused: there is nothing to resume.", None),
    (
        (*SUSPENDED, TaskRunPaused(slug="load", map_index=0, at=NOON)),
        ResumeTaskRuns(NOON, (("store", 3),)),
        NotFound,
        "Task run 'store[3]' not found.",
        "Paused are: load, load[0].",
    ),
    (
        (*RUNNING, *(TaskRunPaused(slug="load", map_index=index, at=NOON) for index in range(6))),
        ResumeTaskRuns(NOON, (("store", -1),)),
        NotFound,
        "Task run 'store' not found.",
        "Paused are: load[0], load[1], load[2], load[3], load[4].",
    ),
    (RUNNING, ResumeTaskRuns(NOON, (("store", 0),)), NotFound, "Task run 'store[0]' not found.", "Paused are: none."),
    (
        (*RUNNING, STARTED),
        ResumeTaskRuns(NOON, (("load", -1),)),
        IllegalTransition,
        "Task run load is Running; only one that is Paused can be resumed.",
        None,
    ),
    (RUNNING, RestartRun(NOON, TASKS, EDGES), IllegalTransition, "The run is Running; only a run that has ended can be restarted.", None),
    (
        SUCCEEDED,
        RestartRun(NOON, TASKS, EDGES),
        IllegalTransition,
        "The run succeeded: nothing of it failed or was cancelled.",
        "--from TASK says where to begin again.",
    ),
    *(
        (
            (*RUNNING, how_it_ended, SUCCEEDED[-1]),
            RestartRun(NOON, TASKS, EDGES),
            IllegalTransition,
            "The run succeeded: nothing of it failed or was cancelled.",
            "--from TASK says where to begin again.",
        )
        for how_it_ended in (
            TaskRunFailed(slug="load", at=NOON),  # what its reference tasks did counted
            TaskRunStateSet(slug="load", at=NOON, state="Success", before="Failed"),
        )
    ),
    (
        SUCCEEDED,
        RestartRun(NOON, TASKS, EDGES, from_task="lod"),
        NotFound,
        "Task 'lod' not found.",
        "The flow's tasks are load, store.",
    ),
    (
        RUNNING,
        SetRunState(NOON, StateName.SUCCESS),
        IllegalTransition,
        "Attempt 1 executes the run, on agent 'mill': no state of it can be set meanwhile.",
        hint("Wait for its end, or cancel it first: {}.", hints.CancelRunAction("r")),
    ),
    (
        (*WAITING, RunSubmitted(1, "agent-1")),
        state_set("load", StateName.SUCCESS),
        IllegalTransition,
        "Attempt 1 executes the run, on agent 'agent-1': no state of it can be set meanwhile.",
        hint("Wait for its end, or cancel it first: {}.", hints.CancelRunAction("r")),
    ),
    (
        SUSPENDED,
        SetRunState(NOON, StateName.SCHEDULED),
        IllegalTransition,
        "The run is Paused: it goes on when its paused task runs do.",
        hint("Resume them: {}, or set their states.", hints.ResumeRunAction("r")),
    ),
    (
        FAILED,
        SetRunState(NOON, StateName.RUNNING),
        InvalidArgument,
        f"A run cannot be set to {StateName.RUNNING!r}.",
        "It can be set to Success, Failed, Cancelled, Scheduled.",
    ),
    (
        FAILED,
        state_set("load", StateName.RUNNING),
        InvalidArgument,
        f"A task run cannot be set to {StateName.RUNNING!r}.",
        "It can be set to Success, Skipped, Failed, TimedOut, Cancelled, Pending, Resume.",
    ),
    (FAILED, state_set("lod", StateName.SUCCESS), NotFound, "Task 'lod' not found.", "The flow's tasks are load, store."),
    (
        FAILED,
        state_set("load", StateName.SUCCESS, 0),
        NotFound,
        "Task run 'load[0]' not found.",
        "Only children that are recorded can be set: the run has to map the task first.",
    ),
    (
        FAILED,
        state_set("load", StateName.SKIPPED, result=ResultReference("InlineResult", value=1)),
        InvalidArgument,
        "A task run that is set to Skipped has no result.",
        "Give one with Success only.",
    ),
    (
        (*FAILED, TaskRunMapped(slug="load", at=NOON, child_count=2)),
        state_set("load", StateName.SUCCESS),
        IllegalTransition,
        "Task load became several task runs.",
        "Set the state of these: load[0] ...",
    ),
    (WAITING, DeleteRun(), IllegalTransition, "The run is Scheduled; only a run that has ended can be deleted.", "Cancel it first."),
    (
        RUNNING,
        CreateArtifact(NOON, "lod", -1, "x", "link", LINK, TASKS),
        NotFound,
        "Task run 'lod' not found.",
        "The run has the tasks load, store.",
    ),
    (
        RUNNING,
        CreateArtifact(NOON, "lod", -1, "x", "link", LINK),
        NotFound,
        "Task run 'lod' not found.",
        "The run has the tasks (none).",
    ),
    (RUNNING, UpdateArtifact(NOON, "x", LINK), NotFound, "Artifact 'x' not found.", None),
    (RUNNING, DeleteArtifact(NOON, "x"), NotFound, "Artifact 'x' not found.", None),
    *(
        ((*FAILED, RunDeleted()), command, IllegalTransition, "The run was deleted; nothing of it changes any more.", None)
        for command in (
            RestartRun(NOON, TASKS, EDGES),
            RenameRun("x"),
            SetRunState(NOON, StateName.SUCCESS),
            state_set("load", StateName.SUCCESS),
            CreateArtifact(NOON, "load", -1, "x", "link", LINK, TASKS),
            UpdateArtifact(NOON, "x", LINK),
            DeleteArtifact(NOON, "x"),
        )
    ),
]


@pytest.mark.parametrize(("history", "command", "kind", "sentence", "advice"), HISTORIES)
def test_a_refusal_says_why_and_what_to_do_instead(
    history: Sequence[AnyEvent], command: RunCommand, kind: type[CommandRejected], sentence: str, advice: Hint | str | None
) -> None:
    assert refusal(RULES, given(*history), command) == (kind, sentence, advice)


@pytest.mark.parametrize(("history", "command"), [((), CreateRun(WAITING[0], NOON)), (RUNNING, RenameRun(""))])
def test_a_run_needs_a_name_that_can_be_read(history: Sequence[AnyEvent], command: RunCommand) -> None:
    if isinstance(command, CreateRun):
        command = CreateRun(msgspec.structs.replace(command.created, name=""), NOON)
    with pytest.raises(InvalidName) as refused:
        RULES.decide(given(*history), command)
    assert str(refused.value) == "The name of a run cannot be empty."


def test_a_run_that_is_deleted_takes_what_changes_nothing() -> None:
    deleted = given(*FAILED, RunDeleted())

    for command in (
        DeleteRun(),
        MarkAttemptLost(1, "gone", NOON),
        FinishRun(1, NOON, failed=True, message=""),
        FailUnstartedRun(NOON, "no"),
        ConfirmCancelled(1, NOON),
    ):
        assert RULES.decide(deleted, command) == []


def test_tasks_that_ended_do_not_end_again_within_one_commit() -> None:
    with pytest.raises(IllegalTransition, match=r"is Success; task_run\.succeeded cannot follow"):
        RULES.decide(
            given(*RUNNING),
            RecordTaskRuns(1, (STARTED, TaskRunSucceeded(slug="load", at=NOON), TaskRunSucceeded(slug="load", at=NOON))),
        )


def test_a_run_that_waits_for_its_time_is_scheduled_and_nobodys() -> None:
    assert RULES.decide(given(*RUNNING, RunScheduled(LATER, 2)), ClaimRun(2, "a")) == [RunSubmitted(2, "a")]
