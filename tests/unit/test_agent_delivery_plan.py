"""What an agent does with a wake-up, for everything that can be so of its run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from headwater.agents.agent.delivery_plan import (
    EARLY,
    AlreadyHeld,
    Claim,
    Discard,
    Plan,
    ProbeHolder,
    ReportOwnLost,
    Reschedule,
    RetryLater,
    plan_delivery,
    time_now,
)
from headwater.core.events import RunCreated, StorageReference, TaskRunPaused, TaskRunRetryScheduled, TaskRunStarted
from headwater.core.log.commit import new_commit
from headwater.core.runs.commands import (
    CancelRun,
    ClaimRun,
    CreateRun,
    FailUnstartedRun,
    FinishRun,
    MarkAttemptLost,
    RecordTaskRuns,
    RescheduleRun,
    RestartRun,
    RunCommand,
    StartRun,
    SuspendRun,
)
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ME, OTHER = "agent-1", "agent-2"


def run_after(*commands: RunCommand, due: datetime = NOW) -> Run:
    created = CreateRun(
        RunCreated(
            run_id="r",
            flow_id="f",
            flow_group_id="g",
            project_id="p",
            project_name="tutorial",
            flow_name="hello-flow",
            flow_version=1,
            name="brave-otter",
            queue_id="q",
            storage=StorageReference("Local"),
        ),
        due,
    )
    run = RULES.initial
    for command in (created, *commands):
        run = RULES.fold(RULES.decide(run, command), run)
    return run


def action(run: Run | None, *, generation: int = 1, holds: frozenset[int] = frozenset()) -> Plan:
    return plan_delivery(run, generation, agent_id=ME, holds=holds, now=NOW)


CLAIMED_BY_OTHER = ClaimRun(1, OTHER)
CLAIMED_BY_ME = ClaimRun(1, ME)
LOST = MarkAttemptLost(1, "gone", NOW)


def test_a_run_that_is_due_and_nobodys_is_claimed() -> None:
    assert action(run_after()) == Claim()


def test_a_run_whose_attempt_was_lost_is_claimed_again_by_the_same_wake_up() -> None:
    assert action(run_after(CLAIMED_BY_OTHER, LOST)) == Claim()


def test_a_run_that_is_due_within_a_moment_is_claimed() -> None:
    assert action(run_after(due=NOW + EARLY)) == Claim()


def test_a_run_that_is_due_later_gets_its_timer_again() -> None:
    due = NOW + EARLY + timedelta(milliseconds=1)

    assert action(run_after(due=due)) == Reschedule(due)


def test_a_wake_up_for_nothing_is_dropped() -> None:
    assert action(None) == Discard("there is no such run")
    assert action(RULES.initial) == Discard("there is no such run")


@pytest.mark.parametrize(
    ("commands", "state"),
    [
        ([CLAIMED_BY_OTHER, StartRun(1, NOW), FinishRun(1, NOW, failed=False, message="")], "Success"),
        ([CLAIMED_BY_ME, StartRun(1, NOW), FinishRun(1, NOW, failed=True, message="")], "Failed"),
        ([FailUnstartedRun(NOW, "no storage")], "Failed"),
        ([CancelRun(NOW)], "Cancelled"),
        ([CLAIMED_BY_OTHER, MarkAttemptLost(1, "gone", NOW, attempts_max=1)], "Failed"),
    ],
    ids=["success", "failed", "unstarted", "cancelled", "too many attempts"],
)
def test_a_wake_up_of_a_run_that_has_ended_is_dropped(commands: list[RunCommand], state: str) -> None:
    assert action(run_after(*commands)) == Discard(f"the run is {state}")


def test_a_wake_up_of_a_run_that_waits_for_people_is_dropped() -> None:
    paused = RecordTaskRuns(1, (TaskRunPaused(slug="load-1", at=NOW),))

    suspended = run_after(CLAIMED_BY_OTHER, StartRun(1, NOW), paused, SuspendRun(1, NOW, None))

    assert action(suspended) == Discard("the run is Paused")


def test_a_wake_up_of_a_run_that_was_restarted_claims_it() -> None:
    restarted = run_after(CLAIMED_BY_OTHER, FailUnstartedRun(NOW, "no storage", 1), RestartRun(NOW, (), ()))

    assert action(restarted, generation=2) == Claim()
    assert isinstance(action(restarted, generation=1), Discard)


def test_a_wake_up_of_before_a_rescheduling_is_dropped() -> None:
    assert action(run_after(RescheduleRun(NOW))) == Discard("the run was rescheduled (schedule 2, this was 1)")
    assert action(run_after(RescheduleRun(NOW)), generation=2) == Claim()


def test_a_wake_up_newer_than_what_was_read_is_looked_at_again() -> None:
    assert action(run_after(), generation=2) == RetryLater()
    assert action(run_after(CLAIMED_BY_OTHER), generation=2) == RetryLater()
    assert action(run_after(CancelRun(NOW)), generation=2) == RetryLater()  # it may have been restarted since


@pytest.mark.parametrize(
    "commands", [[], [StartRun(1, NOW)], [StartRun(1, NOW), CancelRun(NOW)]], ids=["submitted", "running", "cancelling"]
)
def test_the_holder_of_a_held_run_is_asked(commands: list[RunCommand]) -> None:
    assert action(run_after(CLAIMED_BY_OTHER, *commands)) == ProbeHolder(OTHER, 1)


def test_another_copy_of_the_item_of_our_own_run_is_kept() -> None:
    assert action(run_after(CLAIMED_BY_ME), holds=frozenset({1})) == AlreadyHeld()


def test_a_run_we_are_just_claiming_is_kept() -> None:
    assert action(run_after(), holds=frozenset({1})) == AlreadyHeld()


def test_a_run_that_the_log_calls_ours_though_we_do_not_hold_it_is_lost() -> None:
    assert action(run_after(CLAIMED_BY_ME)) == ReportOwnLost(1)
    assert action(run_after(CLAIMED_BY_ME, LOST, CLAIMED_BY_ME), holds=frozenset({1})) == ReportOwnLost(2)


def test_a_lost_attempt_of_this_agent_is_ended_before_the_run_is_claimed_again() -> None:
    assert action(run_after(CLAIMED_BY_ME, LOST), holds=frozenset({1})) == AlreadyHeld()


def test_the_new_holder_is_asked_though_our_old_attempt_still_runs() -> None:
    assert action(run_after(CLAIMED_BY_ME, LOST, CLAIMED_BY_OTHER), holds=frozenset({1})) == ProbeHolder(OTHER, 2)


BEHIND, AHEAD = NOW - timedelta(minutes=5), NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("own", "offered_at", "created_at"),
    [
        (NOW, NOW, NOW),
        (BEHIND, NOW, NOW),  # the agent's clock is behind
        (NOW, BEHIND, NOW),  # the log's
        (AHEAD, NOW, NOW),
        (BEHIND, BEHIND, NOW),  # the creator's is ahead of both, or these are behind
        (BEHIND, NOW, None),  # a timer fired, by the log's clock
    ],
)
def test_a_run_that_is_offered_is_due_whichever_clock_is_behind(own: datetime, offered_at: datetime, created_at: datetime | None) -> None:
    creation = None if created_at is None else new_commit([], at=created_at, actor="cli:ana@host")

    now = time_now(own, offered_at, creation)

    assert plan_delivery(run_after(due=created_at or NOW), 1, agent_id=ME, holds=frozenset(), now=now) == Claim()


def test_a_run_that_is_not_due_yet_gets_its_timer() -> None:
    now = time_now(NOW, NOW, new_commit([], at=NOW, actor="cli:ana@host"))

    assert plan_delivery(run_after(due=AHEAD), 1, agent_id=ME, holds=frozenset(), now=now) == Reschedule(AHEAD)


LONG_AGO = NOW - timedelta(hours=1)
DUE = LONG_AGO + timedelta(minutes=20)


@pytest.mark.parametrize(
    "wait",
    [TaskRunRetryScheduled(slug="load-1", at=LONG_AGO, due_at=DUE, run_count=1), TaskRunPaused(slug="load-1", at=LONG_AGO, due_at=DUE)],
    ids=["a retry", "the end of a pause"],
)
def test_a_run_that_waits_for_a_task_by_our_own_slow_clock_is_not_claimed_to_be_left_again_at_once(
    wait: TaskRunRetryScheduled | TaskRunPaused,
) -> None:
    behind = timedelta(hours=1)
    own, due = LONG_AGO, DUE
    run = run_after(
        CLAIMED_BY_ME,
        StartRun(1, own),
        RecordTaskRuns(1, (TaskRunStarted(slug="load-1", at=own), wait)),
        SuspendRun(1, own, due, "waits"),
    )

    def decided(own: datetime, now: datetime) -> Plan:
        return plan_delivery(run, run.generation, agent_id=ME, holds=frozenset(), now=now, own=own)

    assert decided(own, NOW) == Reschedule(due + behind)
    assert decided(due, due + behind) == Claim()
    assert decided(NOW, NOW) == Claim()  # on another machine


def test_a_run_whose_attempt_crashed_is_claimed_whatever_our_clock_says() -> None:
    run = run_after(CLAIMED_BY_ME, MarkAttemptLost(1, "it died", NOW, retry_at=NOW))

    found = plan_delivery(run, run.generation, agent_id=ME, holds=frozenset(), now=NOW, own=NOW - timedelta(hours=1))

    assert found == Claim()
