"""Loops that another process takes up: wherever the first one was lost, the result is that of an undisturbed run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import headwater
from headwater import Flow, task
from headwater.agents.run_process.state_recorder import StateRecorder
from headwater.core.events import TaskRunEvent, TaskRunLooped
from headwater.core.runs.task_run import TaskRun, TaskRunKey, evolve
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.results import InlineResult, LocalResult, Result
from headwater.sdk.states.signals import LOOP
from headwater.sdk.states.state import State

ROUNDS = 6


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    return tmp_path


class Loop:
    """A flow whose task adds 10 in each of six rounds, and fails once, in the second."""

    def __init__(self, result: Result | None) -> None:
        self.rounds: list[int] = []
        self.failed = False

        @task(max_retries=1, retry_delay=0)
        def add() -> int:
            count, sum_so_far = headwater.context.get("task_loop_count", 1), headwater.context.get("task_loop_result", 0)
            self.rounds.append(count)
            if count == 2 and not self.failed:
                self.failed = True
                raise ValueError("once")
            if count <= ROUNDS:
                raise LOOP(result=sum_so_far + 10)
            return int(sum_so_far)

        self.task = add
        self.flow = Flow("loop", tasks=[add], result=result)

    def attempt(self, number: int, before: dict[TaskRunKey, TaskRun]) -> tuple[State, list[TaskRunEvent]]:
        self.rounds.clear()
        events: list[TaskRunEvent] = []
        context = {"running_with_backend": True, "checkpointing": True, "flow_run_id": "r-1", "attempt": number}
        state = FlowRunner(self.flow, recorder=StateRecorder(events.append, before)).run(context=context)
        return state.result[self.task], events


def folded(events: list[TaskRunEvent]) -> dict[TaskRunKey, TaskRun]:
    known: dict[TaskRunKey, TaskRun] = {}
    for event in events:
        key = (event.slug, event.map_index)
        known[key] = evolve(known.get(key, TaskRun()), event)
    return known


@pytest.mark.parametrize("result", [None, LocalResult(), InlineResult(), LocalResult(location="one-place-for-all")])
def test_a_loop_goes_on_in_another_process_wherever_the_first_was_lost(result: Result | None) -> None:
    loop = Loop(result)
    first, events = loop.attempt(1, {})
    assert first.result == 10 * ROUNDS

    for lost_after in range(len(events)):
        ended_rounds = sum(isinstance(event, TaskRunLooped) for event in events[:lost_after])

        state, _ = loop.attempt(2 + lost_after, folded(events[:lost_after]))

        assert state.result == 10 * ROUNDS
        assert loop.rounds == list(range(ended_rounds + 1, ROUNDS + 2))


def test_a_loop_whose_rounds_were_not_kept_begins_again(home: Path) -> None:
    loop = Loop(None)
    _, events = loop.attempt(1, {})
    before = folded(events[: len(events) // 2])
    for file in (home / "results").rglob("values-*"):
        file.unlink()

    state, _ = loop.attempt(2, before)

    assert state.result == 10 * ROUNDS
    assert loop.rounds == list(range(1, ROUNDS + 2))


def test_the_retries_of_a_round_go_on_counting_in_another_process() -> None:
    runs: list[Any] = []

    @task(max_retries=1, retry_delay=0)
    def always_fail() -> None:
        runs.append(headwater.context.get("task_loop_count"))
        if len(runs) == 1:
            raise LOOP(result=1)
        raise ValueError("always")

    context = {"running_with_backend": True, "checkpointing": True, "flow_run_id": "r-1"}
    flow = Flow("loop", tasks=[always_fail])
    events: list[TaskRunEvent] = []
    FlowRunner(flow, recorder=StateRecorder(events.append, {})).run(context=context)
    assert runs == [None, 2, 2]
    until_the_retry = next(number for number, event in enumerate(events, 1) if type(event).__name__ == "TaskRunRetryScheduled")

    state = FlowRunner(flow, recorder=StateRecorder(events.append, folded(events[:until_the_retry]))).run(context=context)

    assert state.is_failed()
    assert runs == [None, 2, 2, 2]
