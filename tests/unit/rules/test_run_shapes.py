"""What any program may ask of a run: whether it exists, whether it waits, when it is due; and what a lost attempt leaves of its tasks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from headwater.core.errors import NotFound
from headwater.core.events import (
    AnyEvent,
    Failure,
    RunAttemptLost,
    RunCancelRequested,
    RunCreated,
    RunPaused,
    RunRestarted,
    RunScheduled,
    RunStarted,
    RunSubmitted,
    RunSucceeded,
    StorageReference,
    TaskRunFailed,
    TaskRunMapped,
    TaskRunPaused,
    TaskRunRetryScheduled,
    TaskRunStarted,
)
from headwater.core.runs import run_head
from headwater.core.runs.rules import RULES, Run
from headwater.core.runs.run_head import RunHead
from headwater.core.runs.task_runs import INTERRUPTED_MESSAGE, RESTARTED_MESSAGE
from headwater.core.states import StateName

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
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
WAITING = (CREATED, RunScheduled(NOON, generation=1))
RUNNING = (*WAITING, RunSubmitted(1, "agent-1", "mill"), RunStarted(1, NOON))
FAILED = Failure("ValueError", "no")


def given(*events: AnyEvent) -> Run:
    return RULES.fold(events)


def test_what_was_never_created_says_so_to_every_caller() -> None:
    with pytest.raises(NotFound) as refused:
        _ = RULES.initial.created
    assert (refused.value.kind, refused.value.name) == ("run", "")

    assert not RULES.initial.exists
    assert given(CREATED).created is CREATED


@pytest.mark.parametrize(
    ("history", "waits", "due_at"),
    [
        pytest.param(WAITING, True, NOON, id="scheduled"),
        pytest.param(RUNNING, False, NOON, id="running"),
        pytest.param((*RUNNING, RunAttemptLost(1)), True, NOON, id="lost"),
        pytest.param((*RUNNING, RunScheduled(LATER, 2)), True, LATER, id="parked until later"),
        pytest.param((*RUNNING, RunPaused(1, NOON)), False, None, id="parked until somebody resumes it"),
        pytest.param((*RUNNING, RunPaused(1, NOON), RunScheduled(LATER, 2)), True, LATER, id="resumed"),
        pytest.param((*RUNNING, RunSucceeded(1, NOON)), False, NOON, id="ended"),
    ],
)
def test_a_run_waits_for_an_agent_only_while_it_is_scheduled(history: tuple[AnyEvent, ...], waits: bool, due_at: datetime | None) -> None:
    assert (given(*history).waits, given(*history).due_at) == (waits, due_at)


def test_a_head_is_its_run_without_task_runs() -> None:
    history = (
        *RUNNING,
        TaskRunStarted(slug="a", at=NOON),
        RunCancelRequested("enough"),
        RunAttemptLost(1, "gone"),
        RunRestarted(tasks=("a",)),
        RunScheduled(LATER, 2),
    )
    head = RunHead()
    for event in history:
        head = run_head.evolve(head, event)

    assert type(head) is RunHead
    assert head == given(*history).head


def test_what_an_attempt_left_waiting_for_a_retry_is_due_no_more_when_the_attempt_is_lost() -> None:
    retry = TaskRunRetryScheduled(slug="a", at=NOON, due_at=LATER, run_count=1, failure=FAILED)
    paused = TaskRunPaused(slug="b", at=NOON, due_at=LATER)
    run = given(*RUNNING, TaskRunStarted(slug="a", at=NOON), retry, paused, RunAttemptLost(1))

    interrupted = run.task_runs["a", -1]
    assert (interrupted.state, interrupted.message, interrupted.due_at) == (StateName.PENDING, INTERRUPTED_MESSAGE, None)
    assert (interrupted.failure, interrupted.run_count) == (FAILED, 1)
    assert (run.task_runs["b", -1].state, run.task_runs["b", -1].due_at) == (StateName.PAUSED, LATER)


def test_what_a_restart_sends_back_has_neither_result_nor_failure() -> None:
    failed = TaskRunFailed(slug="a", at=NOON, failure=FAILED)
    mapped = TaskRunMapped(slug="b", at=NOON, child_count=3)
    run = given(*RUNNING, failed, mapped, RunSucceeded(1, NOON), RunRestarted(tasks=("a",)))

    back = run.task_runs["a", -1]
    assert (back.state, back.message, back.failure, back.ended_at) == (StateName.PENDING, RESTARTED_MESSAGE, None, None)
    assert (run.task_runs["b", -1].state, run.task_runs["b", -1].child_count) == (StateName.MAPPED, 3)
