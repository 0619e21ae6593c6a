"""Changes of state in the engine, as events in the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from harness.hostile import NOT_UTF8, Hostile, HostileError, Quitting

from headwater.agents.run_process.state_recorder import StateRecorder, event_of
from headwater.core.events import (
    ResultReference,
    TaskRunEvent,
    TaskRunFailed,
    TaskRunNamed,
    TaskRunPaused,
    TaskRunRetryScheduled,
    TaskRunSucceeded,
    event_type,
)
from headwater.core.log.codec import decode, encode
from headwater.core.log.commit import new_commit
from headwater.core.operations.cancellation import CHILD_RUN_RESULT
from headwater.core.runs.task_run import TaskRun
from headwater.core.states import StateName
from headwater.core.values.limits import NAME_CHARACTERS_MAX, is_instant
from headwater.sdk.results import ChildRunResult, InlineResult, LocalResult
from headwater.sdk.results.serializers import CompressedSerializer, PickleSerializer
from headwater.sdk.states import state as states
from headwater.sdk.states.state import Failed, Paused, State, Success

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


ENDS = (datetime.min, datetime.max)  # noqa: DTZ901 - zones follow


class Recalled(states.Success):
    """A kind of state of the user's own."""


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (states.Running(), "task_run.started"),
        (states.Success(), "task_run.succeeded"),
        (Recalled(), "task_run.succeeded"),
        (states.Cached(), "task_run.cached"),
        (states.Mapped(n_map_states=3), "task_run.mapped"),
        (states.Skipped(), "task_run.skipped"),
        (states.Failed(), "task_run.failed"),
        (states.TimedOut(), "task_run.timed_out"),
        (states.TriggerFailed(), "task_run.trigger_failed"),
        (states.ValidationFailed(), "task_run.validation_failed"),
        (states.Retrying(start_time=LATER), "task_run.retry_scheduled"),
        (states.Looped(loop_count=2), "task_run.looped"),
        (states.Paused(start_time=LATER), "task_run.paused"),
        (states.Resume(), "task_run.resumed"),
        (states.Cancelled(), "task_run.cancelled"),
    ],
)
def test_every_state_that_people_must_know_of_has_its_event(state: State, name: str) -> None:
    event = event_of("load-1", 4, state, 2, at=NOW)

    assert event is not None
    assert (event_type(event), event.slug, event.map_index, event.at) == (name, "load-1", 4, NOW)


@pytest.mark.parametrize("state", [states.Pending(), states.Scheduled()])
def test_a_task_that_merely_waits_has_none(state: State) -> None:
    assert event_of("load-1", -1, state, 1, at=NOW) is None


def test_a_retry_tells_when_which_and_why() -> None:
    event = event_of("load-1", -1, states.Retrying(start_time=LATER, result=ValueError("not yet")), 2, at=NOW)

    assert isinstance(event, TaskRunRetryScheduled)
    assert (event.due_at, event.run_count) == (LATER, 2)
    assert event.failure is not None
    assert event.failure.message == "not yet"


def test_values_never_enter_the_log_only_where_they_are_kept(tmp_path: Path) -> None:
    kept = LocalResult(dir=tmp_path).at("there", "the value")
    inline = InlineResult().write({"rows": 3})

    def result_of(state: State) -> ResultReference | None:
        event = event_of("load-1", -1, state, 1, at=NOW)
        assert isinstance(event, TaskRunSucceeded)
        return event.result

    assert result_of(states.Success(result="the value")) is None
    assert result_of(states.Success(result=kept)) == ResultReference("LocalResult", "there")
    assert result_of(states.Success(result=inline)) == ResultReference("InlineResult", value={"rows": 3})


class Attempt:
    """A recorder with what it recorded."""

    def __init__(self, before: dict[tuple[str, int], TaskRun] | None = None, *, needed: tuple[str, ...] = ()) -> None:
        self.events: list[TaskRunEvent] = []
        self.recorder = StateRecorder(self.events.append, before or {}, needed=needed, clock=lambda: NOW)

    def change(self, *new: State, slug: str = "load-1") -> list[str]:
        for state in new:
            self.recorder.task_run_changed(slug, -1, states.Pending(), state, 1)
        return [event_type(event) for event in self.events]


def test_changes_are_recorded_in_order() -> None:
    assert Attempt().change(states.Running(), states.Success()) == ["task_run.started", "task_run.succeeded"]


def test_a_task_that_had_ended_before_is_not_recorded_again() -> None:
    attempt = Attempt({("load-1", -1): TaskRun(StateName.SUCCESS)}, needed=("load-1",))

    assert attempt.recorder.already_finished("load-1", -1) is None
    assert attempt.change(states.Running(), states.Success()) == []


def test_what_cannot_have_happened_is_not_recorded_and_ends_nothing() -> None:
    attempt = Attempt()

    assert attempt.change(states.Running(), states.Running(), states.Success(), states.Failed()) == [
        "task_run.started",
        "task_run.succeeded",
    ]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (StateName.SUCCESS, states.Success),
        (StateName.CACHED, states.Success),
        (StateName.MAPPED, None),
        (StateName.SKIPPED, states.Skipped),
        (StateName.FAILED, states.Failed),
        (StateName.TRIGGER_FAILED, states.TriggerFailed),
        (StateName.PENDING, None),
        (StateName.RETRYING, None),
        (StateName.CANCELLED, None),
    ],
)
def test_what_need_not_run_again_is_given_as_it_ended(state: StateName, expected: type[State] | None) -> None:
    found = Attempt({("load-1", -1): TaskRun(state, message="so it was")}).recorder.already_finished("load-1", -1)

    assert (None if found is None else type(found)) == expected
    assert found is None or found.message == "so it was"


def test_a_kept_value_is_read_again_by_the_next_attempt(tmp_path: Path) -> None:
    location = LocalResult(dir=tmp_path).write(41, flow_name="f", flow_run_id="r", task_slug="load-1").location
    before = {("load-1", -1): TaskRun(StateName.SUCCESS, result=ResultReference("LocalResult", location))}

    found = Attempt(before, needed=("load-1",)).recorder.already_finished("load-1", -1)

    assert found is not None
    assert found.load_result(LocalResult(dir=tmp_path)).result == 41


def test_a_failure_carries_its_exception_and_a_message_of_bounded_length() -> None:
    event = event_of("load-1", -1, states.Failed("x" * 50_000, result=ValueError("no")), 1, at=NOW)

    assert isinstance(event, TaskRunFailed)
    assert event.failure is not None
    assert event.failure.type == "ValueError"
    assert len(event.message) < 11_000


def test_what_a_task_says_of_a_run_that_it_created_is_what_cancels_look_for() -> None:
    kept = ChildRunResult().write("a run's id")
    event = event_of("create-1", -1, Success(result=kept), 1, at=NOW)
    assert isinstance(event, TaskRunSucceeded)
    assert event.result == ResultReference(type=CHILD_RUN_RESULT, value="a run's id")


@pytest.mark.parametrize("moment", [time.replace(tzinfo=timezone(timedelta(hours=hours))) for time in ENDS for hours in (-23, 0, 23)])
def test_times_that_users_give_are_brought_within_what_everyone_can_hold(moment: datetime) -> None:
    event = event_of("wait-1", -1, Paused(start_time=moment), 1, at=NOW)
    assert isinstance(event, TaskRunPaused)
    assert event.due_at is not None
    assert is_instant(event.due_at)


@pytest.mark.parametrize("message", [Hostile, Quitting, lambda: 5, lambda: NOT_UTF8 * 10_000, lambda: None])
def test_whatever_a_state_s_message_is_the_change_is_recorded(message: Callable[[], Any]) -> None:
    event = event_of("odd-1", -1, Failed(message(), result=HostileError()), 1, at=NOW)
    assert_readable(event)


class OddResult(LocalResult):
    def reference(self) -> dict[str, Any]:
        raise RuntimeError("no idea where")


@pytest.mark.parametrize(
    "result",
    [
        OddResult(location="somewhere"),
        InlineResult(2**70),
        InlineResult({1: NOT_UTF8}),
        LocalResult(location="x", serializer=CompressedSerializer(PickleSerializer(), format="zlib")),
    ],
    ids=lambda it: type(it).__name__,
)
def test_whatever_a_result_is_the_success_is_recorded(result: Any) -> None:
    event = event_of("odd-1", -1, Success(result=result), 1, at=NOW)
    assert_readable(event)


@pytest.mark.parametrize("name", ["x" * 5_000, NOT_UTF8 * 100, "short"])
def test_a_task_run_s_name_is_not_longer_than_names_may_be(name: str) -> None:
    recorded: list[TaskRunEvent] = []
    StateRecorder(recorded.append, {}).task_run_named("load-1", -1, name)

    (event,) = recorded
    assert isinstance(event, TaskRunNamed)
    assert len(event.name) <= NAME_CHARACTERS_MAX
    assert_readable(event)


def assert_readable(event: Any) -> None:
    """The log gives back what was recorded."""
    assert event is not None
    assert decode(encode(new_commit([event], at=NOW, actor="test"))).events == (event,)
