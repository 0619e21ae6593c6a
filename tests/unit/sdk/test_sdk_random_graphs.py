"""Random graphs: the engine's result is that of plain evaluation in topological order."""

from __future__ import annotations

import logging
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import Flow, task
from headwater.sdk.context.logging import get_logger
from headwater.sdk.engine.rules import flow_outcome
from headwater.sdk.executors import LocalExecutor, ThreadExecutor
from headwater.sdk.language.errors import InvalidFlow
from headwater.sdk.states.signals import SKIP
from headwater.sdk.states.state import Failed, Skipped, State, Success, TriggerFailed


@pytest.fixture(autouse=True)
def quiet() -> Any:
    logger = get_logger()
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


@st.composite
def graphs(draw: st.DrawFn) -> dict[int, list[int]]:
    """Return, for each task by number, those before it: always of a lower number, so that there is no cycle."""
    size = draw(st.integers(1, 12))
    return {number: draw(st.lists(st.integers(0, number - 1), unique=True)) if number else [] for number in range(size)}


BEHAVIOURS = ("succeeds", "fails", "skips")


@task
def work(number: int, behaviour: str, before: list[int]) -> int:
    if behaviour == "fails":
        raise ValueError(number)
    if behaviour == "skips":
        raise SKIP(str(number))
    return number + sum(before)


def built(graph: dict[int, list[int]], behaviours: dict[int, str], order: list[int]) -> tuple[Flow, dict[int, Any]]:
    flow = Flow("random")
    tasks = {number: work.copy() for number in graph}
    for number in order:
        flow.add_task(tasks[number])
    for number in order:
        before = [tasks[each] for each in graph[number]]
        flow.set_dependencies(tasks[number], keyword_tasks={"number": number, "behaviour": behaviours[number], "before": before})
    return flow, tasks


def expected(graph: dict[int, list[int]], behaviours: dict[int, str]) -> dict[int, tuple[type[State], Any]]:
    """Evaluate the graph plainly, by the words of the rules."""
    ends: dict[int, tuple[type[State], Any]] = {}
    for number in TopologicalSorter(graph).static_order():
        before = [ends[each] for each in graph[number]]
        kinds = [kind for kind, _ in before]
        if Skipped in kinds and not any(issubclass(kind, Failed) for kind in kinds):
            ends[number] = (Skipped, None)
        elif any(issubclass(kind, Failed) for kind in kinds):
            # The list of inputs is a task of its own: it is skipped where one before it was, before its trigger is asked.
            ends[number] = (Skipped, None) if Skipped in kinds else (TriggerFailed, None)
        elif behaviours[number] == "fails":
            ends[number] = (Failed, None)
        elif behaviours[number] == "skips":
            ends[number] = (Skipped, None)
        else:
            ends[number] = (Success, number + sum(value for _, value in before))
    return ends


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_run_ends_as_plain_evaluation_does(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    behaviours = {number: data.draw(st.sampled_from(BEHAVIOURS)) for number in graph}
    flow, tasks = built(graph, behaviours, data.draw(st.permutations(list(graph))))
    wanted = expected(graph, behaviours)

    for executor in (LocalExecutor(), ThreadExecutor(3)):
        state = flow.run(executor=executor)

        for number, each in tasks.items():
            kind, value = wanted[number]
            assert type(state.result[each]) is kind
            assert kind is not Success or state.result[each].result == value
        last = [wanted[number][0]() for number, each in tasks.items() if each in flow.terminal_tasks()]
        assert type(state) is type(flow_outcome(last, last))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_sorting_finds_an_order_or_a_real_cycle(arrows: list[tuple[int, int]]) -> None:
    flow = Flow("random")
    tasks = {number: work.copy(name=f"t{number}") for number in range(8)}
    arrows = [(before, after) for before, after in arrows if before != after]
    for before, after in arrows:
        flow.add_edge(tasks[before], tasks[after])

    try:
        order = flow.sorted_tasks()
    except InvalidFlow as error:
        named = str(error).partition("circle: ")[2].rstrip(".").split(" → ")
        circle = [int(slug[1:].partition("-")[0]) for slug in named]
        assert circle[0] == circle[-1]
        assert all(step in arrows for step in pairwise(circle))
    else:
        assert all(order.index(tasks[before]) < order.index(tasks[after]) for before, after in arrows)
