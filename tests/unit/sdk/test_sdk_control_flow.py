"""Branches and joins: `case`, `switch`, `ifelse`, `merge`, `FilterTask`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater import Flow, Parameter, case, ifelse, merge, switch, task
from headwater.core.errors import InvalidArgument
from headwater.sdk.language.errors import InvalidFlow, NoActiveFlow
from headwater.sdk.language.filter import FilterTask
from headwater.sdk.states.state import Failed, Skipped, State, Success


@task
def identity(x: Any) -> Any:
    return x


@task
def add_one(x: int) -> int:
    return x + 1


@task
def say(word: str) -> str:
    return word


@task
def is_even(x: int) -> bool:
    return x % 2 == 0


@task
def total(xs: list[Any]) -> Any:
    return sum(xs)


def raise_after(_: Any) -> None:
    raise ZeroDivisionError


def in_brackets(x: int) -> str:
    return f"({x})"


def test_only_the_branch_that_matches_runs(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        kind = identity(Parameter("kind", default="csv"))
        with case(kind, "csv"):
            csv = say("csv!")
            after_csv = identity(csv)
        with case(kind, "json"):
            json = say("json!")
            after_json = identity(json)

    states = run(flow, {"kind": "json"}).result

    assert (type(states[csv]), type(states[after_csv])) == (Skipped, Skipped)
    assert (states[json].result, states[after_json].result) == ("json!", "json!")


def test_a_merge_takes_the_branch_that_ran_and_runs_on(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        kind = Parameter("kind")
        with case(kind, "a"):
            first = say("first")
        with case(kind, "b"):
            second = say("second")
        joined = merge(first, second)
        last = identity(joined)

    for letter, word in (("a", "first"), ("b", "second")):
        assert run(flow, {"kind": letter}).result[last].result == word
    nothing = run(flow, {"kind": "c"})
    assert nothing.is_successful()
    assert isinstance(nothing.result[joined], Skipped)


def test_a_merge_fails_with_the_branch_that_failed(run: Callable[..., State]) -> None:
    @task
    def fail() -> None:
        raise ValueError("no")

    with Flow("f") as flow:
        kind = Parameter("kind")
        with case(kind, "a"):
            first = fail()
        with case(kind, "b"):
            second = say("second")
        joined = merge(first, second)

    assert run(flow, {"kind": "a"}).result[joined].is_failed()


def test_constants_and_parameters_of_a_branch_are_not_part_of_it(run: Callable[..., State]) -> None:
    with Flow("f") as flow, case(identity(False), True):
        rows = add_one.map([1, 2])
        given = Parameter("given", default=1)
        inside = add_one(given)

    states = run(flow).result

    assert (type(states[rows]), type(states[inside]), type(states[given])) == (Skipped, Skipped, Success)


def test_branches_nest(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        outer, inner = Parameter("outer"), Parameter("inner")
        with case(outer, True):
            before = say("before")
            with case(inner, True):
                innermost = say("innermost")

    def kinds(outer: bool, inner: bool) -> tuple[type[State], type[State]]:
        states = run(flow, {"outer": outer, "inner": inner}).result
        return type(states[before]), type(states[innermost])

    assert kinds(True, True) == (Success, Success)
    assert kinds(True, False) == (Success, Skipped)
    assert kinds(False, True) == (Skipped, Skipped)


def test_a_block_that_raised_connects_nothing() -> None:
    with Flow("f") as flow, pytest.raises(ZeroDivisionError), case(identity(1), 1):
        raise_after(inside := say("x"))

    assert flow.upstream_tasks(inside) == set()


def test_the_value_of_a_case_must_be_known_when_the_flow_is_written() -> None:
    with Flow("f"), pytest.raises(InvalidArgument, match="is a task"):
        case(identity(1), identity(2))
    with pytest.raises(NoActiveFlow), case(identity, 2):
        identity(1)


@pytest.mark.parametrize(
    ("merged", "expected"),
    [
        (lambda taken, left: merge(left, 7), 7),
        (lambda taken, left: merge(7, left), 7),
        (lambda taken, left: merge(taken, 7), "taken"),
        (lambda taken, left: merge(7, taken), 7),
        (lambda taken, left: merge(None, left, taken), "taken"),
        (lambda taken, left: merge(*[None] * 10, taken, 7), "taken"),
        (lambda taken, left: merge(left, left), None),
    ],
)
def test_a_merge_takes_values_in_the_order_in_which_they_are_given(
    merged: Callable[[Any, Any], Any], expected: Any, run: Callable[..., State]
) -> None:
    with Flow("f") as flow:
        with case(identity(1), 1):
            taken = say("taken")
        with case(identity(1), 2):
            left = say("left")
        made = merged(taken, left)

    state = run(flow).result[made]

    assert (type(state), state.result) == (Success if expected is not None else Skipped, expected)


def test_a_case_without_an_open_flow_is_in_the_flow_of_its_first_task(run: Callable[..., State]) -> None:
    flow = Flow("f")
    kind = identity.copy().bind("csv", flow=flow)
    with case(kind, "csv"):
        csv = say.copy().bind("csv!", flow=flow)
    with case(kind, "json"):
        json = say.copy().bind("json!", flow=flow)
    first = merge(csv, json, flow=flow)

    states = run(flow).result

    assert (type(states[csv]), type(states[json]), states[first].result) == (Success, Skipped, "csv!")


def test_a_task_can_be_added_to_a_case_by_name() -> None:
    flow = Flow("f")
    with case(identity, 1) as branch:
        branch.add_task(flow.add_task(add_one), flow)

    assert [(edge.upstream_task.name, edge.downstream_task) for edge in flow.edges_to(add_one)] == [('CompareValue: "1"', add_one)]


def test_a_block_of_one_flow_refuses_tasks_of_another() -> None:
    with Flow("first"), pytest.raises(InvalidFlow, match="multiple flows cannot share a block"), case(identity(1), 1):
        Flow("second", tasks=[identity(2)])


def test_a_switch_runs_the_task_of_the_value(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        tasks = {"a": say("A"), "b": say("B"), "c": say("C")}
        switch(Parameter("letter"), tasks)
        joined = merge(*tasks.values())

    state = run(flow, {"letter": "b"})

    assert [type(state.result[each]).__name__ for each in tasks.values()] == ["Skipped", "Success", "Skipped"]
    assert state.result[joined].result == "B"
    with Flow("empty"), pytest.raises(InvalidArgument, match="at least one case"):
        switch(identity(1), {})


def test_ifelse_decides_by_truth_and_takes_one_branch_alone(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        count = Parameter("count")
        some, none = say("some"), say("none")
        ifelse(count, some, none)
        alone = say("alone")
        ifelse(count, alone, None)

    def names(count: int) -> list[str]:
        states = run(flow, {"count": count}).result
        return [type(states[each]).__name__ for each in (some, none, alone)]

    assert names(3) == ["Success", "Skipped", "Success"]
    assert names(0) == ["Skipped", "Success", "Skipped"]


def test_a_filter_leaves_out_failures_and_nones(run: Callable[..., State], capsys: pytest.CaptureFixture[str]) -> None:
    @task
    def divide_ten_by(x: int) -> float | None:
        return 10 / x if x < 3 else None

    with Flow("f") as flow:
        kept = FilterTask()(divide_ten_by.map([0, 1, 2, 3]))
        small = FilterTask(filter_func=lambda x: x < 7, log_func=lambda left: f"left: {left}")(kept)
    flow.set_reference_tasks([small])

    state = run(flow)

    assert (state.result[kept].result, state.result[small].result) == ([10.0, 5.0], [5.0])
    assert "left: [5.0]" in capsys.readouterr().out
    assert state.is_successful()


def test_a_mapped_switch_decides_each_child(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        numbers = identity([1, 2])
        even, odd = add_one.map(numbers), identity.map(numbers)
        ifelse(is_even.map(numbers), even, odd, mapped=True)
        joined = merge(even, odd, mapped=True)

    states = run(flow).result

    assert states[joined].result == [1, 3]
    assert [type(child) for child in states[even].map_states] == [Skipped, Success]


def test_a_failed_condition_fails_the_branch(run: Callable[..., State]) -> None:
    with Flow("f") as flow, case(add_one("no number"), 1):
        inside = say("x")

    state = run(flow)

    assert isinstance(state, Failed)
    assert state.result[inside].is_failed()
