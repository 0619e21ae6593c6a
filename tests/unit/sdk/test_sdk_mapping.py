"""Mapped tasks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import headwater
from headwater import Flow, flatten, mapped, task, unmapped
from headwater.sdk.executors import ThreadExecutor
from headwater.sdk.language.triggers import all_finished
from headwater.sdk.states.signals import SKIP
from headwater.sdk.states.state import Failed, Mapped, Skipped, State, Success, TriggerFailed


@task
def numbers(count: int) -> list[int]:
    return list(range(count))


@task
def add(x: int, y: int) -> int:
    return x + y


@task
def divide_ten_by(x: int) -> float:
    return 10 / x


def len_of(xs: list[Any]) -> int:
    return len(xs)


@task
def total(xs: list[Any]) -> int:
    return sum(xs)


def test_a_mapped_task_runs_once_for_each_element(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        sums = add.map(numbers(3), unmapped(10))
        summed = total(sums)

    state = run(flow)

    parent = state.result[sums]
    assert isinstance(parent, Mapped)
    assert (parent.n_map_states, parent.result) == (3, [10, 11, 12])
    assert all(type(child) is Success for child in parent.map_states)
    assert state.result[summed].result == 33


def test_mapping_over_a_mapped_task_pairs_the_children(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        once = add.map(numbers(3), unmapped(1))
        twice = add.map(once, once)

    assert run(flow).result[twice].result == [2, 4, 6]


def test_the_shortest_input_decides_how_many_children_there_are(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        sums = add.map(numbers(5), [10, 20])

    assert run(flow).result[sums].result == [10, 21]


def test_nothing_to_map_over_is_a_success_without_children(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        sums = add.map(numbers(0), unmapped(1))
        summed = total(sums)

    state = run(flow)

    assert state.is_successful()
    assert (state.result[sums].result, state.result[summed].result) == ([], 0)


def test_one_failed_child_fails_what_takes_them_all_and_its_own_followers(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        quotients = divide_ten_by.map([1, 0, 2])
        followers = add.map(quotients, unmapped(1))
        summed = total(quotients)
        counted = task(len_of, name="count", trigger=all_finished)(quotients)

    state = run(flow)

    assert state.is_failed()
    assert [type(child) for child in state.result[quotients].map_states] == [Success, Failed, Success]
    assert [type(child) for child in state.result[followers].map_states] == [Success, TriggerFailed, Success]
    assert type(state.result[summed]) is TriggerFailed
    assert state.result[counted].result == 3


def test_children_are_tried_again_each_for_itself(run: Callable[..., State], clock: Any) -> None:
    @task(max_retries=1, retry_delay=60)
    def flaky(x: int) -> int:
        if x == 1 and headwater.context.task_run_count == 1:
            raise ConnectionError
        return x

    with Flow("f") as flow:
        results = flaky.map(numbers(3))
        summed = total(results)

    assert run(flow).result[summed].result == 3
    assert clock.waits == [60]


def test_a_skipped_child_skips_its_followers(run: Callable[..., State]) -> None:
    @task
    def odd(x: int) -> int:
        if x % 2 == 0:
            raise SKIP("even")
        return x

    with Flow("f") as flow:
        odds = odd.map(numbers(3))
        followers = add.map(odds, unmapped(1))

    assert [type(child) for child in run(flow).result[followers].map_states] == [Skipped, Success, Skipped]


def test_flatten_takes_the_elements_of_the_elements(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        lists = numbers.map([1, 2, 3])
        sums = add.map(flatten(lists), unmapped(100))
        summed = total(flatten(lists))

    state = run(flow)

    assert state.result[sums].result == [100, 100, 101, 100, 101, 102]
    assert state.result[summed].result == 4


def test_single_arguments_can_be_mapped(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        sums = add(mapped([1, 2]), 5)

    assert run(flow).result[sums].result == [6, 7]


def test_what_has_no_elements_cannot_be_mapped_over(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        one = task(lambda: 1, name="one")()
        sums = add.map(one, unmapped(1))

    state = run(flow).result[sums]

    assert type(state) is Failed
    assert "'one': a value of type int has no elements" in str(state.message)


def test_a_failed_list_fails_the_parent_without_children(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        broken = task(lambda: 1 / 0, name="broken")()
        sums = add.map(broken, unmapped(1))

    assert type(run(flow).result[sums]) is Failed


def test_a_mapped_task_waits_for_tasks_that_only_come_before_it(run: Callable[..., State]) -> None:
    order: list[Any] = []

    @task
    def note(x: Any) -> None:
        order.append(x)

    with Flow("f") as flow:
        first = note("first")
        note.map([1, 2], upstream_tasks=[unmapped(first)])

    assert run(flow).is_successful()
    assert order == ["first", 1, 2]


def test_children_know_their_index_and_their_names(run: Callable[..., State]) -> None:
    @task(task_run_name="{task_name} of {x}")
    def know(x: str) -> tuple[Any, ...]:
        context = headwater.context
        return context.map_index, context.task_full_name, context.task_run_name, context.task_slug

    with Flow("f") as flow:
        known = know.map(["a", "b"])

    assert run(flow).result[known].result == [
        (0, "know[0]", "know of a", "know-1"),
        (1, "know[1]", "know of b", "know-1"),
    ]


def test_ten_thousand_children_keep_their_order_in_threads(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        sums = add.map(numbers(10_000), unmapped(1))

    assert run(flow, executor=ThreadExecutor(4)).result[sums].result == list(range(1, 10_001))


def test_a_task_is_not_mapped_over_what_has_no_end(run: Callable[..., State]) -> None:
    with Flow("endless") as flow:
        mapped = task(lambda x: x, name="mapped").map(task(itertools.count, name="source")())

    state = run(flow).result[mapped]

    assert type(state) is Failed
    assert "it has more than 1,000,000 elements" in str(state.message)
