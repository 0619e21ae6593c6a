"""Edges as their tasks are annotated, and flows as sets of tasks and edges, as Prefect 1.4.1 has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater import Flow, Task, flatten, mapped, task, unmapped
from headwater.sdk.language.edge import Edge
from headwater.sdk.states.state import State


@task
def identity(x: Any) -> Any:
    return x


@task
def one() -> int:
    return 1


# Edges


EDGES: dict[str, tuple[Callable[[Task, Task], Edge], tuple[bool, bool]]] = {
    "mapped": (lambda a, b: Edge(mapped(a), b), (True, False)),
    "unmapped": (lambda a, b: Edge(unmapped(a), b, mapped=True), (False, False)),
    "flatten": (lambda a, b: Edge(flatten(a), b, mapped=True), (True, True)),
    "flatten of mapped": (lambda a, b: Edge(flatten(mapped(a)), b), (True, True)),
    "in a flow": (lambda a, b: Flow("f").add_edge(mapped(a), b, key="x"), (True, False)),
}


@pytest.mark.parametrize("kind", EDGES)
def test_an_edge_is_as_its_task_is_annotated(kind: str) -> None:
    make, expected = EDGES[kind]
    first, second = one.copy(), identity.copy()

    edge = make(first, second)

    assert (edge.upstream_task, edge.downstream_task) == (first, second)
    assert (edge.mapped, edge.flattened) == expected


def test_an_edge_of_a_value_feeds_it_as_a_constant(run: Callable[..., State]) -> None:
    flow = Flow("f")
    first, second = identity.copy(), identity.copy()

    flow.add_edge(5, first, key="x")
    flow.add_edge([first, 7], second, key="x")

    assert flow.constants[first] == {"x": 5}
    assert run(flow).result[second].result == [5, 7]


# Flows


def test_flows_with_the_same_name_tasks_edges_and_reference_tasks_are_equal() -> None:
    first, second = Task(), Task()
    flow, other = Flow("f", tasks=[first, second]), Flow("f", tasks=[second, first])

    assert flow == other == flow.copy()
    assert hash(flow) == hash(other)
    assert flow != Flow("g", tasks=[first, second])
    other.set_reference_tasks([first])
    assert flow != other
    flow.set_reference_tasks([first])
    assert flow == other
    flow.add_edge(first, second)
    assert flow != other
    assert flow != "f"


def test_a_flow_goes_through_its_tasks_in_an_order_in_which_they_can_run() -> None:
    last, first = Task("last"), Task("first")
    flow = Flow("f", tasks=[last, first])
    edge = flow.add_edge(first, last)

    assert list(flow) == [first, last] == list(flow.sorted_tasks(root_tasks=[]))
    assert flow.all_upstream_edges() == {last: {edge}, first: set()}
    assert flow.all_downstream_edges() == {last: set(), first: {edge}}
    with pytest.raises(ValueError, match="not in the flow"):
        flow.sorted_tasks([Task()])


def test_the_tasks_of_a_flow_are_a_set_that_follows_it() -> None:
    first, second, third = Task("first"), Task("second"), Task("third")
    flow = Flow("f", tasks=[first])
    tasks, before = flow.tasks, flow.tasks.copy()

    flow.add_task(second)

    assert tasks == {first, second}
    assert {first, second} == tasks
    assert (before, len(tasks)) == ({first}, 2)
    assert tasks.union([third]) == tasks | {third} == {first, second, third}
    assert tasks.difference(before) == tasks - before == {second}
    assert tasks.intersection({first, third}) == tasks & {first, third} == {first}
    assert tasks.symmetric_difference({first, third}) == tasks ^ {first, third} == {second, third}
    assert tasks.issuperset(before)
    assert tasks.issubset({first, second, third})
    assert not tasks.isdisjoint(before)
    assert list(tasks) == [first, second]
    assert repr(Flow("g", tasks=[first]).tasks) == "{<Task: first>}"


def test_what_is_removed_from_the_sets_of_a_flow_leaves_the_flow() -> None:
    first, second, third = Task("first"), Task("second"), Task("third")
    flow = Flow("f", tasks=[first, second, third])
    to_second = flow.add_edge(first, second)
    flow.add_edge(second, third)

    flow.edges.remove(to_second)
    flow.tasks.remove(third)
    flow.tasks.discard(third)

    assert flow.tasks == {first, second} == set(flow.slugs)
    assert not flow.edges
    with pytest.raises(KeyError):
        flow.tasks.remove(third)
    assert {flow.tasks.pop(), flow.tasks.pop()} == {first, second}
    with pytest.raises(KeyError):
        flow.tasks.pop()
    assert flow.run().is_successful()


def test_merged_reference_tasks_are_those_of_both_flows() -> None:
    with Flow("f") as flow:
        mine = one()
    with Flow("g") as other:
        theirs = one()
        identity(theirs)
    other.set_reference_tasks([theirs])

    flow.update(other, merge_reference_tasks=True)

    assert {mine, theirs} <= flow.reference_tasks()
