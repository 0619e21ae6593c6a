"""How flows are built."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from headwater import Flow, Parameter, Task, mapped, tags, task, unmapped
from headwater.core.errors import InvalidName
from headwater.sdk.language.edge import Edge
from headwater.sdk.language.errors import InsideFlowBlock, InvalidFlow, InvalidTask, NoActiveFlow, WrongArguments


@task
def one() -> int:
    return 1


@task
def add(x: int, y: int = 0) -> int:
    return x + y


def test_calling_a_task_in_a_block_adds_a_copy_with_a_slug_of_its_own() -> None:
    with Flow("f") as flow:
        first, second = one(), one()

    assert [flow.slugs[each] for each in flow.tasks] == ["one-1", "one-2"]
    assert first is not second
    assert one not in flow


def test_the_imperative_way_adds_the_very_task() -> None:
    flow = Flow("hello-flow", tasks=[one])

    assert flow.slugs == {one: "one-1"}


def test_tags_are_part_of_the_slug_in_alphabetical_order() -> None:
    with Flow("f") as flow, tags("z", "a"):
        tagged = one()

    assert flow.slugs[tagged] == "one-a-z-1"
    assert one.tags == frozenset()


def test_passing_a_result_makes_an_edge_that_names_the_argument() -> None:
    with Flow("f") as flow:
        first = one()
        total = add(first, y=5)

    assert flow.edges == {Edge(first, total, "x")}
    assert flow.constants[total] == {"y": 5}


def test_upstream_tasks_make_edges_without_data() -> None:
    with Flow("f") as flow:
        first = one()
        last = one(upstream_tasks=[first])

    assert flow.edges == {Edge(first, last)}
    assert (flow.root_tasks(), flow.terminal_tasks()) == ({first}, {last})


def test_edges_can_be_set_task_by_task() -> None:
    flow = Flow("f")
    a, b, c, d = (Task(name=name) for name in "abcd")

    a.set_downstream(b, flow=flow)
    c.set_upstream(b, flow=flow)
    flow.set_dependencies(d, upstream_tasks=[c], downstream_tasks=[])

    assert flow.sorted_tasks() == (a, b, c, d)
    assert flow.upstream_tasks(d) == {c}
    assert flow.downstream_tasks(a) == {b}
    assert flow.sorted_tasks(root_tasks=[c]) == (c, d)


def test_a_chain_runs_one_after_the_other() -> None:
    flow = Flow("f")
    a, b, c = (Task(name=name) for name in "abc")

    flow.chain(c, a, b)

    assert flow.sorted_tasks() == (c, a, b)


def test_collections_of_tasks_become_tasks_and_plain_collections_stay_constants() -> None:
    with Flow("f") as flow:
        a, b = one(), one()
        add([a, {"b": b}], y=(1, 2))

    assert sorted(each.name for each in flow.tasks if each.name not in ("one", "add")) == ["Dict", "List", "List"]
    assert flow.constants[flow.get_tasks("add")[0]] == {"y": (1, 2)}


def test_mapped_and_unmapped_mark_the_edges() -> None:
    with Flow("f") as flow:
        a, b = one(), one()
        total = add.map(a, unmapped(b))
        other = add(mapped(a), b)

    assert {(edge.key, edge.mapped) for edge in flow.edges_to(total)} == {("x", True), ("y", False)}
    assert {(edge.key, edge.mapped) for edge in flow.edges_to(other)} == {("x", True), ("y", False)}


def test_a_task_outside_of_a_block_says_where_to_call_it() -> None:
    with pytest.raises(NoActiveFlow, match="call task 'one'") as refusal:
        one()

    assert "with Flow" in str(refusal.value.hint)
    assert isinstance(refusal.value, ValueError)


def test_a_task_called_with_wrong_arguments_says_what_it_takes() -> None:
    with Flow("f"), pytest.raises(WrongArguments, match=r"Task 'add': .*z.*\(x: 'int', y: 'int' = 0\)"):
        add(1, z=2)


def test_an_argument_cannot_be_fed_twice() -> None:
    with Flow("f") as flow:
        total = add(one())
        with pytest.raises(InvalidFlow, match="'x' of task 'add-1' is fed"):
            flow.add_edge(one(), total, key="x")


def test_a_flow_has_one_parameter_of_each_name() -> None:
    flow = Flow("f", tasks=[Parameter("p")])

    with pytest.raises(InvalidFlow, match="parameter 'p' already"):
        flow.add_task(Parameter("p"))


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 256])
def test_a_flow_needs_a_name(name: str) -> None:
    with pytest.raises(InvalidName):
        Flow(name)


@pytest.mark.parametrize("method", ["run", "register"])
def test_a_flow_can_neither_run_nor_be_registered_inside_its_block(method: str) -> None:
    with Flow("f") as flow, pytest.raises(InsideFlowBlock, match=f"flow.{method}"):
        getattr(flow, method)()


def test_blocks_nest_and_end_with_an_error_too() -> None:
    with Flow("outer") as outer:
        with Flow("inner") as inner, pytest.raises(ZeroDivisionError), Flow("broken"):
            raise ZeroDivisionError
        one()

    assert (len(outer.tasks), len(inner.tasks)) == (1, 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_retries": 1}, "no retry_delay"),
        ({"retry_delay": 1}, "no max_retries"),
        ({"max_retries": -1, "retry_delay": 1}, "at least 0"),
        ({"max_retries": True, "retry_delay": 1}, "whole number"),
        ({"max_retries": 1, "retry_delay": "1"}, "number of seconds"),
        ({"max_retries": 1, "retry_delay": timedelta(seconds=-1)}, "negative"),
        ({"timeout": 0}, "no time at all"),
        ({"tags": "nightly"}, "is one text"),
        ({"retry_on": ValueError}, "no max_retries"),
        ({"max_retries": 1, "retry_delay": 0, "retry_on": ["ValueError"]}, "exception classes"),
        ({"state_handlers": print}, "list of functions"),
        ({"name": " "}, "not empty"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidTask, match=words):
        task(**settings)(lambda: None)


@pytest.mark.parametrize("seconds", [2, 2.0, timedelta(seconds=2)])
def test_a_retry_delay_is_a_timedelta_or_seconds(seconds: Any) -> None:
    assert task(max_retries=1, retry_delay=seconds)(lambda: None).retry_delay == timedelta(seconds=2)


def test_run_cannot_take_arguments_without_names() -> None:
    with pytest.raises(InvalidTask, match=r"\*rows"):
        task(lambda *rows: rows)
    with pytest.raises(InvalidTask, match="upstream_tasks"):
        task(lambda upstream_tasks: upstream_tasks)


def test_a_task_cannot_be_iterated_over_unless_it_says_how_many_results_it_has() -> None:
    @task
    def pair() -> tuple[int, str]:
        return 1, "a"

    with Flow("f") as flow:
        first, second = task(lambda: (1, 2), nout=2, name="two")()
        number, text = pair()
        with pytest.raises(InvalidTask, match="cannot be unpacked"):
            list(one())

    assert {flow.constants[each]["key"] for each in (first, second, number, text)} == {0, 1}


def test_replacing_a_task_keeps_its_place() -> None:
    with Flow("f") as flow:
        first = one()
        total = add(first)
        last = one(upstream_tasks=[total])
    new = add.copy(name="sum")

    flow.replace(total, new)

    assert flow.sorted_tasks() == (first, new, last)
    assert flow.edges == {Edge(first, new, "x"), Edge(new, last)}


def test_a_copy_of_a_flow_has_a_graph_of_its_own() -> None:
    flow = Flow("f", tasks=[one])
    twin = flow.copy()

    twin.add_task(Task(name="more"))
    twin.add_edge(one, twin.get_tasks("more")[0])

    assert (len(flow.tasks), len(flow.edges), len(twin.tasks), len(twin.edges)) == (1, 0, 2, 1)


def test_updating_a_flow_brings_in_another_one() -> None:
    with Flow("a") as a:
        add(Parameter("p"), 1)
    with Flow("b") as b:
        add(Parameter("p"), 2)

    a.update(b, merge_parameters=True)

    assert sorted(a.slugs.values()) == ["add-1", "add-2", "p"]
    a.validate()


def test_a_merged_parameter_has_the_default_of_the_flow_that_came_in() -> None:
    with Flow("a", tasks=[]) as a:
        first = add(Parameter("p", default=1), 1)
    with Flow("b") as b:
        theirs = Parameter("p", default=2)
        second = add(theirs, 2)
    a.set_reference_tasks([first])

    a.update(b, merge_parameters=True, merge_reference_tasks=True)

    state = a.run()
    assert (state.result[first].result, state.result[second].result) == (3, 4)
    assert a.parameters() == {theirs}
    assert a.reference_tasks() == {first, second}


def test_tasks_can_be_found_by_name_slug_tags_and_type() -> None:
    with Flow("f") as flow:
        parameter = Parameter("p")
        with tags("t"):
            tagged = add(parameter)
        plain = add(1)

    assert flow.get_tasks("add") == [tagged, plain]
    assert flow.get_tasks(tags=["t"]) == [tagged]
    assert flow.get_tasks(slug="add-1") == [plain]
    assert flow.get_tasks(task_type=Parameter) == [parameter]
