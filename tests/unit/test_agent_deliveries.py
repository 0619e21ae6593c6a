"""What an agent does with a wake-up, for everything that can be so of its run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from headwater.agents.deliveries import EARLY, Action, Ask, Claim, Drop, Keep, LookAgain, LoseOwn, Rearm, action_for, told_time
from headwater.core.commands import (
    CancelRun,
    ClaimRun,
    CreateRun,
    FailUnstartedRun,
    FinishRun,
    LoseAttempt,
    RescheduleRun,
    RestartRun,
    RunCommand,
    StartRun,
)
from headwater.core.commit import new_commit
from headwater.core.events import StorageReference
from headwater.core.rules.run import RULES, Run

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ME, OTHER = "agent-1", "agent-2"


def run_after(*commands: RunCommand, due: datetime = NOW) -> Run:
    created = CreateRun(
        run_id="r",
        flow_id="f",
        flow_group_id="g",
        project_id="p",
        project_name="tutorial",
        flow_name="hello-flow",
        version=1,
        name="brave-otter",
        queue_id="q",
        storage=StorageReference("Local"),
        start_time=due,
    )
    run = RULES.initial
    for command in (created, *commands):
        run = RULES.fold(RULES.decide(run, command), run)
    return run


def action(run: Run | None, *, generation: int = 1, holds: frozenset[int] = frozenset()) -> Action:
    return action_for(run, generation, agent_id=ME, holds=holds, now=NOW)


CLAIMED_BY_OTHER = ClaimRun(1, OTHER)
CLAIMED_BY_ME = ClaimRun(1, ME)
LOST = LoseAttempt(1, "gone", NOW)


def test_a_run_that_is_due_and_nobodys_is_claimed() -> None:
    assert action(run_after()) == Claim()


def test_a_run_whose_attempt_was_lost_is_claimed_again_by_the_same_wake_up() -> None:
    assert action(run_after(CLAIMED_BY_OTHER, LOST)) == Claim()


def test_a_run_that_is_due_within_a_moment_is_claimed() -> None:
    assert action(run_after(due=NOW + EARLY)) == Claim()


def test_a_run_that_is_due_later_gets_its_timer_again() -> None:
    due = NOW + EARLY + timedelta(milliseconds=1)

    assert action(run_after(due=due)) == Rearm(due)


def test_a_wake_up_for_nothing_is_dropped() -> None:
    assert isinstance(action(None), Drop)
    assert isinstance(action(RULES.initial), Drop)


@pytest.mark.parametrize(
    "commands",
    [
        [CLAIMED_BY_OTHER, StartRun(1, NOW), FinishRun(1, NOW, failed=False, message="")],
        [CLAIMED_BY_ME, StartRun(1, NOW), FinishRun(1, NOW, failed=True, message="")],
        [FailUnstartedRun(NOW, "no storage")],
        [CancelRun(NOW)],
        [CLAIMED_BY_OTHER, LoseAttempt(1, "gone", NOW, attempts_max=1)],
    ],
    ids=["success", "failed", "unstarted", "cancelled", "too many attempts"],
)
def test_a_wake_up_of_a_run_that_has_ended_is_dropped(commands: list[RunCommand]) -> None:
    assert isinstance(action(run_after(*commands)), Drop)


def test_a_wake_up_of_a_run_that_was_restarted_claims_it() -> None:
    restarted = run_after(CLAIMED_BY_OTHER, FailUnstartedRun(NOW, "no storage", 1), RestartRun(NOW, (), ()))

    assert action(restarted, generation=2) == Claim()
    assert isinstance(action(restarted, generation=1), Drop)


def test_a_wake_up_of_before_a_rescheduling_is_dropped() -> None:
    assert isinstance(action(run_after(RescheduleRun(NOW))), Drop)
    assert action(run_after(RescheduleRun(NOW)), generation=2) == Claim()


def test_a_wake_up_newer_than_what_was_read_is_looked_at_again() -> None:
    assert action(run_after(), generation=2) == LookAgain()
    assert action(run_after(CLAIMED_BY_OTHER), generation=2) == LookAgain()
    assert action(run_after(CancelRun(NOW)), generation=2) == LookAgain()  # it may have been restarted since


@pytest.mark.parametrize(
    "commands", [[], [StartRun(1, NOW)], [StartRun(1, NOW), CancelRun(NOW)]], ids=["submitted", "running", "cancelling"]
)
def test_the_holder_of_a_held_run_is_asked(commands: list[RunCommand]) -> None:
    assert action(run_after(CLAIMED_BY_OTHER, *commands)) == Ask(OTHER, 1)


def test_another_copy_of_the_item_of_our_own_run_is_kept() -> None:
    assert action(run_after(CLAIMED_BY_ME), holds=frozenset({1})) == Keep()


def test_a_run_we_are_just_claiming_is_kept() -> None:
    assert action(run_after(), holds=frozenset({1})) == Keep()


def test_a_run_that_the_log_calls_ours_though_we_do_not_hold_it_is_lost() -> None:
    assert action(run_after(CLAIMED_BY_ME)) == LoseOwn(1)
    assert action(run_after(CLAIMED_BY_ME, LOST, CLAIMED_BY_ME), holds=frozenset({1})) == LoseOwn(2)


def test_a_lost_attempt_of_ours_is_ended_before_the_run_is_claimed_again() -> None:
    assert action(run_after(CLAIMED_BY_ME, LOST), holds=frozenset({1})) == Keep()


def test_the_new_holder_is_asked_though_our_old_attempt_still_runs() -> None:
    assert action(run_after(CLAIMED_BY_ME, LOST, CLAIMED_BY_OTHER), holds=frozenset({1})) == Ask(OTHER, 2)


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

    now = told_time(own, offered_at, creation)

    assert action_for(run_after(due=created_at or NOW), 1, agent_id=ME, holds=frozenset(), now=now) == Claim()


def test_a_run_that_nobody_says_is_due_gets_its_timer() -> None:
    now = told_time(NOW, NOW, new_commit([], at=NOW, actor="cli:ana@host"))

    assert action_for(run_after(due=AHEAD), 1, agent_id=ME, holds=frozenset(), now=now) == Rearm(AHEAD)
