"""Mapped tasks in a row: each element goes its whole way as soon as it can."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import Flow, case, flatten, merge, task, unmapped
from headwater.sdk.context.context import context
from headwater.sdk.executors import ThreadExecutor
from headwater.sdk.states.signals import LOOP, SKIP
from headwater.sdk.states.state import Failed, Mapped, Skipped, State, Success, TriggerFailed

order: list[str] = []


@task
def first(x: Any) -> Any:
    order.append(f"first {x}")
    return x


@task
def second(x: Any) -> Any:
    order.append(f"second {x}")
    return x


@task
def third(x: Any, y: Any = None) -> Any:
    order.append(f"third {x}")
    return x if y is None else (x, y)


@task
def ten_by(x: int) -> float:
    return 10 / x


def test_an_element_goes_its_way_before_the_next_one_starts(run: Callable[..., State]) -> None:
    order.clear()
    with Flow("f") as flow:
        result = third.map(second.map(first.map([1, 2])))

    assert run(flow).result[result].result == [1, 2]
    assert order == ["first 1", "second 1", "third 1", "first 2", "second 2", "third 2"]


def test_an_element_does_not_wait_for_the_others_elsewhere() -> None:
    passed = threading.Event()

    @task
    def hold_the_first(x: int) -> int:
        # The first is done only after the second has gone its whole way.
        return x or x + (0 if passed.wait(30) else 100)

    @task
    def tell(x: int) -> int:
        if x:
            passed.set()
        return x

    with Flow("f") as flow:
        result = tell.map(hold_the_first.map([0, 1]))

    assert flow.run(executor=ThreadExecutor(2)).result[result].result == [0, 1]


def test_failures_skips_and_loops_concern_their_own_element_alone(run: Callable[..., State]) -> None:
    @task
    def skip_two(x: float) -> float:
        if x == 5:
            raise SKIP("five")
        if x == 10 and not context.get("task_loop_count"):
            raise LOOP(result=1)
        return x

    with Flow("f") as flow:
        divided = ten_by.map([0, 1, 2])
        seen = skip_two.map(divided)
        result = third.map(seen, unmapped("y"))

    state = run(flow)

    def kinds(of: Any) -> list[type[State]]:
        return [type(child) for child in state.result[of].map_states]

    assert kinds(divided) == [Failed, Success, Success]
    assert kinds(seen) == [TriggerFailed, Success, Skipped]
    assert kinds(result) == [TriggerFailed, Success, Skipped]
    assert isinstance(state.result[result], Mapped)
    assert state.is_failed()


def test_what_takes_them_all_waits_for_all(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        ones = first.map([1, 2, 3])
        twos = second.map(ones)
        together = third(ones, twos)
        flat = first.map(flatten(second.map([[1], [2, 3]])))
        pairs = third.map(ones, y=twos)

    states = run(flow).result

    assert states[together].result == ([1, 2, 3], [1, 2, 3])
    assert (states[flat].result, states[pairs].result) == ([1, 2, 3], [(1, 1), (2, 2), (3, 3)])


def test_shorter_inputs_leave_elements_without_followers(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        result = third.map(first.map([1, 2, 3]), y=second.map([10]))
        nothing = second.map(first.map([]))

    states = run(flow).result

    assert (states[result].result, states[nothing].result) == ([(1, 10)], [])


def test_a_row_that_is_not_taken_is_skipped_whole(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        with case(first(1), 2):
            row = third.map(second.map(first.map([1, 2])))
        joined = merge(row, first("other"))

    states = run(flow).result

    assert isinstance(states[row], Skipped)
    assert states[joined].result == "other"


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(min_value=0, max_value=4), min_size=1, max_size=3),
    links=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=6),
    in_threads=st.booleans(),
)
def test_rows_of_any_shape_give_what_they_give_task_by_task(
    lengths: list[int], links: list[tuple[int, int, bool]], in_threads: bool
) -> None:
    @task
    def pair(x: Any, y: Any) -> Any:
        return (x, y)

    with Flow("f") as flow:
        made: list[Any] = [first.map([f"{number}.{index}" for index in range(length)]) for number, length in enumerate(lengths)]
        expected: list[list[Any]] = [[f"{number}.{index}" for index in range(length)] for number, length in enumerate(lengths)]
        for one, other, whole in links:
            a, b = one % len(made), other % len(made)
            made.append(pair.map(made[a], unmapped(made[b]) if whole else made[b]))
            values = expected[b]
            expected.append([(x, values) for x in expected[a]] if whole else list(zip(expected[a], values, strict=False)))

    state = flow.run(executor=ThreadExecutor(3) if in_threads else None)

    assert [state.result[each].result for each in made] == expected
