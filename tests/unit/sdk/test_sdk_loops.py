"""Tasks that loop: what a round is given, and what its failures and retries mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import headwater
from headwater import Flow, task
from headwater.sdk.states.signals import LOOP
from headwater.sdk.states.state import Failed, State, Success

context = headwater.context


def adding(step: Callable[[Any], int], *, rounds: int, fails_in: tuple[int, ...] = ()) -> Any:
    """A task that adds `step` of its argument in each round, and fails once in each of the rounds `fails_in`."""
    failed: set[tuple[Any, int]] = set()

    @task(max_retries=1, retry_delay=0)
    def add(x: Any = 0) -> int:
        count = context.get("task_loop_count", 1)
        if count in fails_in and (x, count) not in failed:
            failed.add((x, count))
            raise ValueError(count)
        result = int(context.get("task_loop_result", x))
        if count <= rounds:
            raise LOOP(result=result + step(x))
        return result

    return add


@pytest.mark.parametrize("fails_in", [(), (1,), (2,), (2, 3), (1, 10, 21)])
def test_a_loop_counts_and_adds_on_over_retries(run: Callable[..., State], fails_in: tuple[int, ...]) -> None:
    add = adding(lambda _: 10, rounds=20, fails_in=fails_in)

    state = run(Flow("f", tasks=[add])).result[add]

    assert (type(state), state.result) == (Success, 200)


def test_the_children_of_a_mapped_task_loop_each_by_themselves(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        sums = adding(lambda x: 2 * x, rounds=3, fails_in=(2,)).map([1, 2])

    assert [child.result for child in run(flow).result[sums].map_states] == [7, 14]


def test_a_round_that_always_fails_ends_the_loop_after_its_retries(run: Callable[..., State]) -> None:
    runs: list[tuple[Any, int]] = []

    @task(max_retries=1, retry_delay=0)
    def fail() -> None:
        runs.append((context.get("task_loop_count"), context.task_run_count))
        if len(runs) == 1:
            raise LOOP(result=1)
        raise ValueError("always")

    state = run(Flow("f", tasks=[fail]))

    assert type(state.result[fail]) is Failed
    assert runs == [(None, 1), (2, 1), (2, 2)]


def test_each_round_has_retries_of_its_own(run: Callable[..., State]) -> None:
    add = adding(lambda _: 1, rounds=3, fails_in=(1, 2, 3, 4))

    assert run(Flow("f", tasks=[add])).result[add].result == 3


@pytest.mark.parametrize(("signal", "given"), [(LOOP, "LOOP()"), (lambda: LOOP("more"), "LOOP('more')"), (lambda: LOOP(result=None), None)])
def test_a_round_without_a_result_hands_on_the_words_of_its_signal(run: Callable[..., State], signal: Any, given: Any) -> None:
    @task
    def loop() -> Any:
        if context.get("task_loop_count", 1) == 1:
            raise signal()
        return context.task_loop_result

    assert run(Flow("f", tasks=[loop])).result[loop].result == given


def test_handlers_are_called_when_a_round_begins_as_when_a_task_does(run: Callable[..., State]) -> None:
    told: list[tuple[str, str, str | None]] = []

    def handler(_: Any, old: State, new: State) -> None:
        told.append((type(old).__name__, type(new).__name__, new.message))

    @task(state_handlers=[handler])
    def loop() -> None:
        if context.get("task_loop_count", 1) == 1:
            raise LOOP(result=1)

    run(Flow("f", tasks=[loop]))

    assert told == [
        ("Pending", "Running", "Starting task run."),
        ("Running", "Looped", "Task is looping (1)"),
        ("Pending", "Running", "Starting task run."),
        ("Running", "Success", "Task run succeeded."),
    ]


def test_a_flow_that_a_looping_task_runs_is_not_in_the_loop(run: Callable[..., State]) -> None:
    inner = task(lambda: context.get("task_loop_count"), name="inner")

    @task
    def outer() -> Any:
        if context.get("task_loop_count", 1) == 1:
            raise LOOP(result=1)
        return Flow("inner", tasks=[inner]).run().result[inner].result

    assert run(Flow("outer", tasks=[outer])).result[outer].result is None
