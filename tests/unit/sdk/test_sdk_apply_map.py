"""`apply_map`: the values are those that Prefect 1.4.1 gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import Flow, Parameter, Task, apply_map, case, flatten, mapped, merge, resource_manager, switch, task, unmapped
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.language.errors import InvalidFlow, WrongArguments
from headwater.sdk.states.state import Mapped, Skipped, State


@task
def identity(x: Any) -> Any:
    return x


@task
def inc(x: int) -> int:
    return x + 1


@task
def add(x: int, y: int) -> int:
    return x + y


@task
def pair(x: Any, y: Any) -> tuple[Any, Any]:
    return x, y


@task
def one() -> int:
    return 1


@task
def is_even(x: int) -> bool:
    return x % 2 == 0


class Held:
    def __init__(self, value: int) -> None:
        self.value = value

    def setup(self) -> int:
        return self.value

    def cleanup(self, _: int) -> None:
        pass


hold = resource_manager(Held)


def values(made: Any, state: State) -> Any:
    """Return the results in the places of the tasks."""
    if isinstance(made, tuple | list):
        return type(made)(values(each, state) for each in made)
    if isinstance(made, dict):
        return {key: values(each, state) for key, each in made.items()}
    return state.result[made].result if isinstance(made, Task) else made


def twice_again() -> Any:
    both = apply_map(lambda x: (inc(x), inc(inc(x))), [1, 2, 3])
    return apply_map(lambda two: add(two[0], two[1]), both)


def nested_again() -> Any:
    nested = apply_map(lambda x: (inc(x), [inc(inc(x))]), [1, 2, 3])
    return apply_map(lambda two: add(two[0], two[1][0]), nested)


def named_again() -> Any:
    named = apply_map(lambda x: {"a": inc(x), "b": inc(inc(x))}, [1, 2, 3])
    return apply_map(lambda each: add(each["a"], each["b"]), named)


def by_name_again() -> Any:
    return apply_map(add, **apply_map(lambda x: {"x": inc(x), "y": inc(inc(x))}, [1, 2, 3]))


def inputs_in_a_case() -> Any:
    def part(condition: Task, a: Task, b: Task) -> Task:
        with case(condition, True):
            first = a + 1
        with case(condition, False):
            second = b + 1
        return merge(first, second)

    return apply_map(part, identity([True, False, True]), identity([1, 2, 3]), identity([4, 5, 6]))


def unmapped_input_in_a_case() -> Any:
    def part(condition: Task, a: Task) -> Task:
        with case(condition, True):
            more = inc(a)
        return merge(more, a)

    return apply_map(part, [True, False, True], unmapped(one()))


def outer_task_in_a_case() -> Any:
    tens = inc.map([10, 20, 30])

    def part(condition: Task) -> Task:
        with case(condition, True):
            more = inc(tens)
        return merge(more, tens)

    return apply_map(part, [True, False, True])


def a_switch() -> Any:
    def part(x: Task) -> Task:
        small, large = inc(x), add(x, 10)
        switch(is_even(x), {True: small, False: large})
        return merge(small, large)

    return apply_map(part, [1, 2, 3])


def a_resource_for_each() -> Any:
    def part(x: Task) -> Task:
        with hold(x) as held:
            return add(held, x)

    return apply_map(part, [1, 2, 3])


def a_resource_for_all() -> Any:
    with hold(5) as held:
        return apply_map(lambda x: add(x, held), [1, 2, 3])


def a_parameter_from_outside() -> Any:
    offset = Parameter("offset", default=10)
    return apply_map(lambda x: add(x, offset), [1, 2, 3])


def a_mapped_task_from_outside() -> Any:
    tens = inc.map([9, 19, 29])
    return apply_map(lambda x: add(x, tens), [1, 2, 3])


def a_list_from_outside() -> Any:
    tens = identity([10, 20, 30])
    return apply_map(lambda x: add(x, tens), [1, 2, 3])


KINDS: dict[str, tuple[Callable[[], Any], Any]] = {
    "over the tuple that apply_map returned": (twice_again, [5, 7, 9]),
    "over nested collections that apply_map returned": (nested_again, [5, 7, 9]),
    "over the dict that apply_map returned": (named_again, [5, 7, 9]),
    "over the dict that apply_map returned, by name": (by_name_again, [5, 7, 9]),
    "over a list of two tasks": (lambda: apply_map(identity, [identity([1, 2]), identity([3, 4])]), [[1, 3], [2, 4]]),
    "inputs in a case": (inputs_in_a_case, [2, 6, 4]),
    "an unmapped input in a case": (unmapped_input_in_a_case, [2, 1, 2]),
    "a task from outside in a case": (outer_task_in_a_case, [12, 21, 32]),
    "one unmapped task": (lambda: apply_map(inc, unmapped(one())), 2),
    "one unmapped value": (lambda: apply_map(inc, unmapped(1)), 2),
    "an unmapped list, whose parts are mapped over": (lambda: apply_map(lambda xs: inc(identity(xs)), unmapped([1, 2])), [2, 3]),
    "an unmapped collection of tasks": (lambda: apply_map(pair, [7, 8], unmapped((one(), 2))), [(7, (1, 2)), (8, (1, 2))]),
    "lists of 3 and of 27 elements": (lambda: apply_map(lambda x, y: (inc(x), inc(y)), [1, 2, 3], range(27)), ([2, 3, 4], [1, 2, 3])),
    "tasks of 3 elements and of 1": (lambda: apply_map(lambda x, y: (inc(x), inc(y)), identity([1, 2, 3]), identity([1])), ([2], [2])),
    "a task without inputs": (lambda: apply_map(lambda _: one(), [1, 2, 3]), [1, 1, 1]),
    "a row of tasks without inputs": (lambda: apply_map(lambda _: inc(one()), identity([1, 2])), [2, 2]),
    "no elements": (lambda: apply_map(lambda x: (inc(x), one()), identity([])), ([], [])),
    "the input itself": (lambda: apply_map(lambda x: x, [1, 2]), [1, 2]),
    "an operator with an unmapped value": (
        lambda: apply_map(lambda x, y: (x + y, y.is_equal(10)), [1, 2], unmapped(10)),
        ([11, 12], [True, True]),
    ),
    "the same input twice": (lambda: apply_map(add, *[identity([1, 2])] * 2), [2, 4]),
    "flattened": (lambda: apply_map(inc, flatten([[1], [2, 3]])), [2, 3, 4]),
    "flattened beside another": (lambda: apply_map(add, flatten(identity([[1], [2, 3]])), [10, 20, 30]), [11, 22, 33]),
    "a text": (lambda: apply_map(lambda x: add(x, "!"), "ab"), ["a!", "b!"]),
    "constants, lists and dicts returned": (
        lambda: apply_map(lambda x: {"a": (inc(x), [x]), "n": 5}, [1, 2]),
        {"a": ([2, 3], [[1, 2]]), "n": 5},
    ),
    "tasks that only come before": (lambda: apply_map(lambda x: inc(x, upstream_tasks=[one()]), [1, 2]), [2, 3]),
    "a list made of elements": (lambda: apply_map(lambda x: identity([x, inc(x), 7]), [1, 2]), [[1, 2, 7], [2, 3, 7]]),
    "a switch": (a_switch, [11, 3, 13]),
    "a resource for each element": (a_resource_for_each, [2, 4, 6]),
    "a resource for all elements": (a_resource_for_all, [6, 7, 8]),
    "a parameter mapped over": (lambda: apply_map(inc, Parameter("xs", default=[1, 2])), [2, 3]),
    "a parameter made inside": (lambda: apply_map(lambda x: add(x, Parameter("p", default=10)), [1, 2]), [11, 12]),
    "a parameter from outside": (a_parameter_from_outside, [11, 12, 13]),
    "a mapped task from outside": (a_mapped_task_from_outside, [11, 22, 33]),
    "a list from outside": (a_list_from_outside, [11, 22, 33]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_apply_map_gives_what_the_function_gives_for_each_element(kind: str, run: Callable[..., State]) -> None:
    build, expected = KINDS[kind]
    with Flow("f") as flow:
        made = build()

    state = run(flow)

    assert (values(made, state), state.is_successful()) == (expected, True)


def test_a_function_gets_the_flow_that_apply_map_is_given(run: Callable[..., State]) -> None:
    flow = Flow("f")

    def part(x: Task, flow: Flow) -> Task:
        even = is_even.copy().bind(x, flow=flow)
        with case(even, True):
            more = add.copy().bind(x, 1, flow=flow)
        return merge(more, x, flow=flow)

    made = apply_map(part, range(4), flow=flow)
    from_task = apply_map(
        lambda x, flow: inc.copy().bind(x, flow=flow), identity.copy(name="not in the flow yet").bind([1], flow=flow), flow=flow
    )

    states = run(flow).result

    assert (states[made].result, states[from_task].result) == ([1, 1, 3, 3], [2])


@pytest.mark.parametrize("runs", [True, False])
def test_a_case_around_apply_map_decides_all_of_it(runs: bool, run: Callable[..., State]) -> None:
    with Flow("f") as flow, case(Parameter("runs"), True):
        first, second = apply_map(lambda x, a: (add(x, 1), add(x, a)), range(3), unmapped(inc(1)))
        both = add.map(first, second)

    states = run(flow, {"runs": runs}).result

    if runs:
        assert [states[each].result for each in (first, second, both)] == [[1, 2, 3], [2, 3, 4], [3, 5, 7]]
    else:
        assert [type(states[each]) for each in (first, second, both)] == [Skipped] * 3


def test_every_first_task_waits_for_all_inputs_and_later_ones_only_for_those() -> None:
    with Flow("f") as flow:
        numbers, whole = identity([1, 2]), one()

        def part(x: Task, y: Task, z: Task) -> tuple[Task, Task]:
            first = inc(x)
            return first, add(first, z)

        first, second = apply_map(part, numbers, unmapped(whole), unmapped(3))

    assert {(edge.upstream_task, edge.key, edge.mapped) for edge in flow.edges_to(first)} == {(numbers, "x", True), (whole, None, False)}
    assert {(edge.upstream_task, edge.key, edge.mapped) for edge in flow.edges_to(second)} == {(first, "x", True)}
    assert flow.constants[second] == {"y": 3}


def in_two_ways(numbers: Task) -> Any:
    return apply_map(add, numbers, unmapped(numbers))


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a map inside": (lambda: apply_map(inc.map, [[1]]), InvalidFlow, "maps task 'inc' itself; maps in maps are not possible"),
    "mapped inside": (lambda: apply_map(lambda x: inc(mapped(x)), [[1]]), InvalidFlow, "maps task 'inc' itself"),
    "flatten inside": (lambda: apply_map(lambda x: inc(flatten(x)), [[1]]), InvalidFlow, "maps task 'inc' itself"),
    "apply_map inside": (lambda: apply_map(lambda x: apply_map(inc, x), [[1]]), InvalidFlow, "maps task 'inc' itself"),
    "a number": (lambda: apply_map(inc, 5), TypeError, "cannot be mapped over 5: a value of type int has no elements"),
    "a number by name": (lambda: apply_map(inc, x=5), WrongArguments, "cannot be mapped over 5"),
    "a number in map": (lambda: inc.map(x=5), WrongArguments, "Task 'inc' cannot be mapped over 5"),
    "one task in two ways": (lambda: in_two_ways(identity([1])), InvalidFlow, "twice, mapped and unmapped"),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_apply_map_refuses_what_cannot_be_mapped_where_it_is_written(mistake: str) -> None:
    build, kind, sentence = REFUSED[mistake]

    with Flow("f"), pytest.raises(kind, match=sentence):
        build()


def test_the_line_that_maps_inside_is_the_one_that_is_refused() -> None:
    def part(x: Task, flow: Flow) -> None:
        flow.set_dependencies(inc, keyword_tasks={"x": x}, mapped=True)

    with pytest.raises(InvalidFlow, match="maps task 'inc' itself") as refused:
        apply_map(part, range(3), flow=Flow("f"))

    assert "part" in [entry.name for entry in refused.traceback]


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["inc", "add", "plus 3", "if even"]), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6
)
LISTS = st.lists(
    st.tuples(st.sampled_from(["value", "task", "unmapped"]), st.lists(st.integers(-3, 3), max_size=4)), min_size=1, max_size=3
)


def built(steps: list[Step], inputs: list[Any]) -> list[Any]:
    made = list(inputs)
    for step, first, second in steps:
        x, y = made[first % len(made)], made[second % len(made)]
        if step == "if even":
            with case(is_even(x), True):
                more = inc(y)
            made.append(merge(more, identity(y)))
        else:
            made.append(inc(x) if step == "inc" else add(x, y) if step == "add" else x + 3)
    return made[len(inputs) :]


def reckoned(steps: list[Step], inputs: list[int]) -> list[int]:
    made = list(inputs)
    for step, first, second in steps:
        x, y = made[first % len(made)], made[second % len(made)]
        made.append({"inc": x + 1, "add": x + y, "plus 3": x + 3, "if even": y + 1 if x % 2 == 0 else y}[step])
    return made[len(inputs) :]


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, lists=LISTS)
def test_a_random_part_gives_what_reckoning_each_element_gives(steps: list[Step], lists: list[tuple[str, list[int]]]) -> None:
    # given a part whose inputs are lists, tasks that give lists, and numbers for all; one at least is mapped over
    others = [(kind, len(given) if kind == "unmapped" else given) for kind, given in lists]
    inputs: list[tuple[str, Any]] = [("task", [1, 2, 3]), *others]
    length = min(len(given) for kind, given in inputs if kind != "unmapped")

    # when it is built and run
    with Flow("f") as flow:
        written: dict[str, Callable[[Any], Any]] = {"value": lambda given: given, "task": identity, "unmapped": unmapped}
        made = apply_map(lambda *elements: built(steps, list(elements)), *(written[kind](given) for kind, given in inputs))
    state = FlowRunner(flow).run()

    # then each task has a child for each element, up to the end of the shortest input
    rows = [reckoned(steps, [given if kind == "unmapped" else given[index] for kind, given in inputs]) for index in range(length)]
    for number, each in enumerate(made):
        assert isinstance(state.result[each], Mapped)
        assert state.result[each].result == [row[number] for row in rows]
