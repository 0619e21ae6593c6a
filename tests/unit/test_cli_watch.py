from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from headwater.cli.watch import words_of
from headwater.core.events import (
    AnyEvent,
    RunAttemptLost,
    RunCancelled,
    RunCancelRequested,
    RunFailed,
    RunRenamed,
    RunScheduled,
    RunStarted,
    RunSubmitted,
    RunSucceeded,
    TaskRunStarted,
)
from headwater.core.runs.rules import RULES

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def told(*events: AnyEvent) -> list[str | None]:
    """What is shown of these events, one after the other."""
    run, words = RULES.initial, []
    for event in events:
        before, run = run, RULES.evolve(run, event)
        words.append(words_of(event, before, run))
    return words


@pytest.fixture(autouse=True)
def _no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def test_a_run_is_shown_by_the_states_it_enters_and_the_agent_that_takes_it() -> None:
    assert told(RunScheduled(AT, 1), RunSubmitted(1, "a-1", "vm"), RunStarted(1, AT), RunSucceeded(1, AT)) == [
        "Entered state <Scheduled>: Flow run scheduled.",
        "Entered state <Submitted>: Submitted for execution to agent 'vm', attempt 1.",
        "Entered state <Running>: Running flow.",
        "Entered state <Success>: All reference tasks succeeded.",
    ]


def test_a_failure_and_a_lost_attempt_are_shown_with_their_reasons() -> None:
    lost, failed = told(RunAttemptLost(1, "the agent is gone"), RunFailed(at=AT, attempt=2, message="Some reference tasks failed."))

    assert lost == "Attempt 1 was lost (the agent is gone); the run waits for the next one."
    assert failed == "Entered state <Failed>: Some reference tasks failed."


def test_cancelling_is_shown_in_both_of_its_steps() -> None:
    *_, asked, ended = told(RunSubmitted(1, "a-1"), RunCancelRequested("wrong data"), RunCancelled(AT))

    assert asked == "Entered state <Cancelling>: wrong data"
    assert ended == "Entered state <Cancelled>: Cancelled."


def test_a_run_that_is_due_later_is_shown_with_its_time() -> None:
    (words,) = told(RunScheduled(datetime.now(UTC) + timedelta(days=1), 1))

    assert re.fullmatch(r"Entered state <Scheduled>: Flow run scheduled\. It is due at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.", str(words))


def test_task_runs_are_left_to_their_log_lines_and_a_new_name_is_shown() -> None:
    assert told(TaskRunStarted(slug="a-1", at=AT)) == [None]
    assert told(RunRenamed("nightly")) == ["Renamed to 'nightly'."]
