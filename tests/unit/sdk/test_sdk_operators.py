"""Operators between tasks: as in Prefect 1.4.1, `|` is an order, and the others add tasks."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from headwater import Flow, Parameter, Task, task
from headwater.core.text import escaped
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.operator_tasks import GetAttr, GetItem
from headwater.sdk.states.state import Failed, State


@task
def identity(x: Any) -> Any:
    return x


@task
def one() -> int:
    return 1


@task
def two() -> int:
    return 2


def edges_of(flow: Flow) -> set[tuple[str, str, str | None]]:
    return {(edge.upstream_task.name, edge.downstream_task.name, edge.key) for edge in flow.edges}


def test_a_bar_lets_the_second_task_run_after_the_first_and_adds_no_task() -> None:
    with Flow("f") as flow:
        first, second = one(), two()

        given = first | second

    assert given is second
    assert edges_of(flow) == {("one", "two", None)}
    assert flow.tasks == {first, second}


def test_bars_read_from_left_to_right() -> None:
    with Flow("f") as flow:
        one() | two() | identity(3)

    assert edges_of(flow) == {("one", "two", None), ("two", "identity", None)}


def test_a_list_before_a_bar_comes_before_the_task_and_one_after_it_behind() -> None:
    with Flow("f") as flow:
        last = two()
        given = [one(), identity(1)] | last
        listed: list[Task] = [identity(2)]
        after = last | listed

    assert (given, after) == (last, listed)
    assert {("List", "two", None), ("two", "List", None)} <= edges_of(flow)


def test_a_value_can_stand_on_either_side_of_a_bar() -> None:
    with Flow("f"):
        task_after = one()

        assert (5 | task_after) is task_after
        assert (one() | 5) == 5


OPERATIONS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "&": (lambda x: x & 7, 7),
    "& of what counts as false": (lambda x: (x - 2) & 7, 0),
    "& from the right": (lambda x: 0 & x, 0),
    "or_": (lambda x: x.or_(7), 2),
    "or_ of what counts as false": (lambda x: (x - 2).or_("default"), "default"),
    "not_": (lambda x: x.not_(), False),
    "is_equal": (lambda x: x.is_equal(2), True),
    "is_not_equal": (lambda x: x.is_not_equal(2), False),
    ">": (lambda x: x > 1, True),
    "> from the right": (lambda x: 3 > x, True),  # noqa: SIM300 - which side is what is tested
    ">=": (lambda x: x >= 2, True),
    "<": (lambda x: x < 2, False),
    "<=": (lambda x: x <= 2, True),
    "+": (lambda x: x + 1, 3),
    "+ from the right": (lambda x: [1] + identity([x]), [1, 2]),  # noqa: RUF005 - the operator is what is tested
    "-": (lambda x: 5 - x, 3),
    "*": (lambda x: "a" * x, "aa"),
    "/": (lambda x: 1 / x, 0.5),
    "//": (lambda x: 7 // x, 3),
    "%": (lambda x: 7 % x, 1),
    "**": (lambda x: 3**x, 9),
    "[]": (lambda x: identity("abc")[x], "c"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operator_adds_a_task_with_its_result(operation: str, run: Callable[..., State]) -> None:
    apply, expected = OPERATIONS[operation]
    with Flow("f") as flow:
        made = apply(two())

    result = run(flow).result[made].result

    assert (result, type(result)) == (expected, type(expected))


def test_equality_is_that_of_the_tasks_themselves() -> None:
    with Flow("f") as flow:
        first, second = one(), one()
        number: Any = 1

        assert [first == second, first != second, first == number, first in [second, first]] == [False, True, False, True]
    assert flow.tasks == {first, second}


@pytest.mark.parametrize("apply", [lambda x: ~x, lambda x: -x, lambda x: x ^ 1, lambda x: x << 1, lambda x: x @ x])
def test_other_operators_are_refused_by_python(apply: Callable[[Any], Any]) -> None:
    with Flow("f"), pytest.raises(TypeError, match="operand type"):
        apply(one())


def test_an_item_is_named_after_the_task_and_the_key() -> None:
    with Flow("f") as flow:
        rows, key = identity({"a": 1}), one()
        names = [rows[each].name for each in (0, "a", key, "\udcff")]

    assert names == ["identity[0]", "identity['a']", "identity[one]", f"identity[{escaped(repr(chr(0xDCFF)))}]"]
    assert flow.slugs[flow.get_tasks(name="identity[0]")[0]] == "identity[0]-1"


def test_the_name_of_an_item_is_one_that_can_be_stored_however_long_its_key_is() -> None:
    with Flow("f"):
        assert len(identity({})["x" * 2000].name) == 500


NESTED = SimpleNamespace(a=SimpleNamespace(b=5))


@pytest.mark.parametrize(
    ("get", "expected"),
    [
        (lambda: GetAttr()(identity(NESTED), "a.b"), 5),
        (lambda: GetAttr()(NESTED, identity("a")), NESTED.a),
        (lambda: GetAttr(default="none")(identity(NESTED), "c"), "none"),
        (lambda: GetAttr()(identity(NESTED), "a.c", default=None), None),
        (lambda: GetItem()(identity({"a": 1}), "a"), 1),
        (lambda: GetItem(default=0)({"a": 1}, "b"), 0),
        (lambda: GetItem(default=0)({"a": 1}, "b", default=None), None),
    ],
)
def test_a_part_of_a_result_is_taken_or_its_default(get: Callable[[], Task], expected: Any, run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        made = get()

    assert run(flow).result[made].result == expected


@pytest.mark.parametrize(("get", "error"), [(lambda: GetAttr()(NESTED, "c"), AttributeError), (lambda: GetItem()({}, "b"), KeyError)])
def test_a_part_that_is_missing_without_a_default_fails(get: Callable[[], Task], error: type, run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        made = get()

    state = run(flow).result[made]

    assert (type(state), type(state.result)) == (Failed, error)


def test_dependencies_can_be_written_in_a_chain() -> None:
    with Flow("f") as flow:
        a, b, c, d = (Task(name=name) for name in "abcd")

        assert a.set_downstream(b).set_downstream(c) is a
        assert d.set_upstream(b).set_upstream(c, key=None) is d
        assert a.set_dependencies(upstream_tasks=[Parameter("p")]) is a

    assert {(before, after) for before, after, _ in edges_of(flow)} == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("p", "a")}


def test_what_is_set_downstream_is_a_task() -> None:
    with Flow("f"), pytest.raises(InvalidTask, match="set_downstream takes a task"):
        one().set_downstream([two()])  # type: ignore[arg-type]
