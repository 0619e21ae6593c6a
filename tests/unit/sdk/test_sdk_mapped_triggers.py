"""Mapped tasks whose inputs failed, were skipped, or cannot be mapped over: how the parent ends, and how its children do.

The values are those of Prefect 1.4.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater import Flow, flatten, task, unmapped
from headwater.sdk.language import triggers
from headwater.sdk.language.edge import Edge
from headwater.sdk.states.signals import SKIP
from headwater.sdk.states.state import Mapped, State, Success

OUTCOMES = {"fail": ValueError("failed"), "skip": SKIP("skipped")}


@task
def give(value: Any) -> Any:
    if isinstance(value, str) and value in OUTCOMES:
        raise OUTCOMES[value]
    return value


def pair(x: Any = None, y: Any = None) -> Any:
    return x, y


def pairs(trigger: Any = triggers.all_successful, **settings: Any) -> Any:
    return task(pair, name="pair", trigger=trigger, **settings)


def ended(state: State) -> Any:
    """The kind of a state; of a mapped one those of its children."""
    return [type(child).__name__ for child in state.map_states] if isinstance(state, Mapped) else type(state).__name__


@pytest.mark.parametrize(
    ("trigger", "ends"),
    [
        (triggers.any_failed, ["TriggerFailed", "Success", "TriggerFailed"]),
        (triggers.all_failed, ["TriggerFailed", "Success", "TriggerFailed"]),
        (triggers.all_successful, ["Success", "TriggerFailed", "Success"]),
        (triggers.any_successful, ["Success", "TriggerFailed", "Success"]),
        (triggers.all_finished, ["Success", "Success", "Success"]),
        (triggers.not_all_skipped, ["Success", "TriggerFailed", "Success"]),
    ],
)
def test_each_child_asks_the_trigger_for_itself(run: Callable[..., State], trigger: Any, ends: list[str]) -> None:
    with Flow("f") as flow:
        alert = pairs(trigger).map(give.map([1, "fail", 3]))

    assert ended(run(flow).result[alert]) == ends


@pytest.mark.parametrize(
    ("inputs", "settings", "ends"),
    [
        (lambda: {"x": [1, 2], "y": unmapped(give("fail"))}, {}, ["TriggerFailed", "TriggerFailed"]),
        (lambda: {"x": [1, 2], "y": unmapped(give("fail"))}, {"trigger": triggers.all_finished}, ["Success", "Success"]),
        (lambda: {"x": [1, 2], "y": unmapped(give("skip"))}, {}, "Skipped"),
        (lambda: {"x": [1, 2], "y": unmapped(give("skip"))}, {"skip_on_upstream_skip": False}, ["Success", "Success"]),
        (lambda: {"x": give("fail")}, {}, "Failed"),
        (lambda: {"x": give("fail")}, {"trigger": triggers.all_finished}, "Failed"),
        (lambda: {"x": give("fail"), "y": give([4, 5])}, {}, ["TriggerFailed", "TriggerFailed"]),
        (lambda: {"x": give("skip")}, {}, "Skipped"),
        (lambda: {"x": give("skip")}, {"skip_on_upstream_skip": False}, "Failed"),
        (lambda: {"x": give("skip"), "y": give([4, 5])}, {"skip_on_upstream_skip": False}, "Failed"),
        (lambda: {"x": give(5)}, {}, "Failed"),
        (lambda: {"x": give(None), "y": give([4, 5])}, {}, "Failed"),
        (lambda: {"x": [], "y": give([4, 5])}, {}, []),
        (lambda: {"upstream_tasks": [give([1, 2, 3])]}, {}, ["Success", "Success", "Success"]),
        (lambda: {"upstream_tasks": [give([1, 2])], "x": [1, 2, 3]}, {}, ["Success", "Success"]),
        (lambda: {"upstream_tasks": [give(None)], "x": [1, 2, 3]}, {}, "Failed"),
        (lambda: {"upstream_tasks": [unmapped(give(None))], "x": [1, 2, 3]}, {}, ["Success", "Success", "Success"]),
        (lambda: {"upstream_tasks": [give("fail")], "x": [1, 2]}, {}, ["TriggerFailed", "TriggerFailed"]),
        (lambda: {"upstream_tasks": [give.map([1, "fail"])]}, {}, ["Success", "TriggerFailed"]),
    ],
)
def test_what_is_before_a_mapped_task_decides_its_children(
    run: Callable[..., State], inputs: Callable[[], dict[str, Any]], settings: dict[str, Any], ends: Any
) -> None:
    with Flow("f") as flow:
        mapped = pairs(**settings).map(**inputs())

    assert ended(run(flow).result[mapped]) == ends


def test_a_child_that_runs_all_the_same_is_given_nothing_of_the_failed_list(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        mapped = pairs(triggers.all_finished).map(give("fail"), give([4, 5]))

    assert [child.result for child in run(flow).result[mapped].map_states] == [(None, 4), (None, 5)]


@pytest.mark.parametrize(
    ("nested", "doubled"),
    [
        (lambda: give.map([[1], "skip", [3]]), [2, None, 6]),
        (lambda: give.map([1, 2, 3]), [2, 4, 6]),
        (lambda: give.map([[1, 2], 3, [], None]), [2, 4, 6, None]),
        (lambda: give.map(["ab", "c", ""]), ["aa", "bb", "cc"]),
        (lambda: give.map([(1, 2), {3}]), [2, 4, {3}]),
        (lambda: give([[1], [2, 3]]), [2, 4, 6]),
        (lambda: give([1, 2]), [2, 4]),
        (lambda: give([[1], 2]), [[1, 1], 4]),
        (lambda: [1, 2], [2, 4]),
    ],
)
def test_flatten_takes_apart_what_has_elements_and_passes_the_rest_on(
    run: Callable[..., State], nested: Callable[[], Any], doubled: list[Any]
) -> None:
    twice = task(lambda x: x if x is None or isinstance(x, set) else x * 2, name="twice")
    with Flow("f") as flow:
        mapped = twice.map(flatten(nested()))

    assert run(flow).result[mapped].result == doubled


@pytest.mark.parametrize(
    ("nested", "taken"),
    [
        (lambda: give.map([[1], [2, 3]]), [1, 2, 3]),
        (lambda: give.map([1, 2]), [1, 2]),
        (lambda: give.map([[1, 2], 3, [], None]), [1, 2, 3, None]),
        (lambda: give([[1], [2, 3]]), [1, 2, 3]),
        (lambda: give([1, 2]), [1, 2]),
        (lambda: give(5), 5),
        (lambda: give(None), None),
    ],
)
def test_flatten_does_so_for_a_task_that_is_not_mapped(run: Callable[..., State], nested: Callable[[], Any], taken: Any) -> None:
    same = task(lambda x: x, name="same")
    with Flow("f") as flow:
        whole = same(flatten(nested()))

    assert run(flow).result[whole].result == taken


def test_flatten_says_how_many_results_it_passes_on(run: Callable[..., State], caplog: pytest.LogCaptureFixture) -> None:
    with Flow("f") as flow:
        pairs().map(flatten(give.map([[1], 2, 3])))

    run(flow)

    assert "passes 2 of 3 results of task 'give' on as they are" in caplog.text


def test_a_trigger_of_the_users_is_given_the_mapped_state_and_its_children(run: Callable[..., State]) -> None:
    seen: list[tuple[str | None, str, int]] = []

    def trigger(upstream_states: dict[Edge, State]) -> bool:
        for edge, state in upstream_states.items():
            seen.append((edge.key, type(state).__name__, len(state.map_states) if isinstance(state, Mapped) else 0))
        return True

    with Flow("f") as flow:
        pairs(trigger)(give.map([1, 2, 3]), give(4))

    run(flow)

    assert sorted(seen) == [("x", "Mapped", 3), ("y", "Success", 0)]


@pytest.mark.parametrize("trigger", [triggers.all_successful, triggers.any_failed, triggers.some_successful(at_least=0.5)])
def test_a_task_that_takes_all_children_of_a_map_looks_at_each_a_few_times(
    run: Callable[..., State], trigger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    width, looks = 1_000, 0

    def counted(look: Callable[..., Any]) -> Callable[..., Any]:
        def count(*given: Any) -> Any:
            nonlocal looks
            looks += 1
            return look(*given)

        return count

    for owner, name in ((Success, "is_successful"), (State, "is_failed"), (Edge, "__eq__"), (Edge, "__hash__")):
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))

    def length(xs: list[int]) -> int:
        return len(xs)

    with Flow("f") as flow:
        task(length, name="total", trigger=trigger)(give.map(list(range(width))))
    run(flow)

    assert looks < 5 * width
