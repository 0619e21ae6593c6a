"""Runs that wait for a later time: parked by their own attempt, or after a crash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from harness.scenario import ACTOR

from headwater.agents.agent.attempt_ends import crash_pause
from headwater.audit.verify import refusal
from headwater.core.errors import IllegalTransition
from headwater.core.events import (
    RunAttemptLost,
    RunCancelRequested,
    RunCreated,
    RunFailed,
    RunScheduled,
    StorageReference,
    TaskRunRetryScheduled,
    TaskRunStarted,
)
from headwater.core.runs.commands import ClaimRun, CreateRun, MarkAttemptLost, RecordTaskRuns, StartRun, SuspendRun
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run
from headwater.core.states import StateName

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=3)


def waiting_for_a_retry() -> Run:
    """A run at its first attempt, one task of which is to be tried again later."""
    create = CreateRun(
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
            parameters={},
        ),
        NOON,
    )
    failed = (TaskRunStarted(slug="a", at=NOON, run_count=1), TaskRunRetryScheduled(slug="a", at=NOON, due_at=LATER, run_count=1))
    run = RULES.initial
    for command in (create, ClaimRun(1, "agent-1"), StartRun(1, NOON), RecordTaskRuns(1, failed)):
        run = RULES.fold(RULES.decide(run, command), run)
    return run


def test_a_parked_run_waits_for_its_time_and_no_attempt_is_lost() -> None:
    run = waiting_for_a_retry()
    events = RULES.decide(run, SuspendRun(1, NOON, LATER, "waits"))
    parked = RULES.fold(events, run)

    assert events == [RunScheduled(LATER, generation=2, message="waits")]
    assert (parked.state, parked.held, parked.scheduled_for, parked.attempts_lost) == (StateName.SCHEDULED, False, LATER, 0)
    assert (parked.task_runs["a", -1].state, parked.task_runs["a", -1].due_at) == (StateName.RETRYING, LATER)
    assert RULES.decide(parked, ClaimRun(2, "agent-2"))[0].attempt == 2  # type: ignore[union-attr]
    assert refusal(run, ACTOR.commit(events)) is None, "the checker knows it"


def test_only_the_attempt_that_has_the_run_parks_it_and_not_while_it_is_cancelled() -> None:
    run = waiting_for_a_retry()
    cancelled = RULES.fold([RunCancelRequested()], run)

    for state, attempt in ((run, 2), (cancelled, 1)):
        with pytest.raises(IllegalTransition):
            RULES.decide(state, SuspendRun(attempt, NOON, LATER))


def test_after_a_crash_the_next_attempt_waits_unless_there_is_none() -> None:
    run = waiting_for_a_retry()
    crashed = RULES.decide(run, MarkAttemptLost(1, "it crashed", NOON, retry_at=LATER))
    last = RULES.decide(run, MarkAttemptLost(1, "it crashed", NOON, attempts_max=1, retry_at=LATER))

    assert crashed == [RunAttemptLost(1, "it crashed"), RunScheduled(LATER, generation=2, message="it crashed")]
    assert refusal(run, ACTOR.commit(crashed)) is None
    assert [type(event) for event in last] == [RunAttemptLost, RunFailed]


def test_pauses_after_crashes_grow_to_a_minute() -> None:
    assert [crash_pause(lost).total_seconds() for lost in (0, 1, 2, 3, 10, 100)] == [1, 2, 4, 8, 60, 60]
