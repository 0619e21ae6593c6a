"""Warnings about what is legal Python and means something else: tasks that are never used, and tasks asked whether they are true."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from headwater import Flow, Parameter, Task, apply_map, case, merge, resource_manager, task
from headwater.sdk.language.constants import Constant


@task
def one(x: Any = 1) -> Any:
    return x


class Load(Task):
    def run(self) -> int:
        return 1


UNUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a task of a class": (Load, "<Task: Load>"),
    "a parameter": (lambda: Parameter("x"), "<Parameter: x>"),
    "a function": (lambda: task(lambda: 1, name="made inside"), "<Task: made inside>"),
    "a copy": (one.copy, "<Task: one>"),
    "a copy of an unused one": (lambda: Load().copy(name="copied"), "<Task: copied>"),
    "one of two": (lambda: (Load(name="called")(), Load(name="not called")), "<Task: not called>"),
}


@pytest.mark.parametrize("kind", UNUSED)
def test_a_task_that_is_made_in_a_flow_and_not_used_is_reported_with_its_line(kind: str) -> None:
    make, name = UNUSED[kind]

    with pytest.warns(UserWarning, match="made in the block of flow 'f' and not added to the flow") as warned, Flow("f"):
        make()

    (warning,) = warned
    assert f"{name} ({__file__}:" in str(warning.message)
    assert str(warning.message).count(" (") == 1, "no other task is named"
    assert warning.filename == __file__


def test_all_unused_tasks_of_a_block_are_reported_at_once_at_the_line_of_the_first() -> None:
    def make_seven() -> int:
        made = [Load(name=f"load {number}") for number in range(7)]
        return len(made)

    with pytest.warns(UserWarning, match=", 2 more") as warned, Flow("f"):
        make_seven()

    (warning,) = warned
    assert warning.lineno == inspect.getsourcelines(make_seven)[1] + 1


def used_in_every_way(flow: Flow) -> None:
    called, first, added, constant = Load(), Load(), Load(), Constant(1)
    called()
    first.set_downstream(one([constant, Load()]))
    flow.add_task(added)
    model = Load().copy(name="model")
    model(), model.copy()()
    model_of_a_part = Load()
    apply_map(lambda _: model_of_a_part(), [1])
    Parameter("x") | one(Parameter("y") + 1)
    with case(one(Parameter("z", default=1))[0], 1):
        merge(one(), one.copy(name="late").bind(2))
    with resource_manager(type("Held", (), {"cleanup": lambda _, __: None}))():
        apply_map(one, [1])


def test_tasks_that_are_used_in_any_way_are_no_mistake() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Flow("f") as flow:
            used_in_every_way(flow)
        Load()


def test_a_block_that_ends_in_an_error_tells_the_error_only() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ZeroDivisionError), Flow("f"):
            raise ZeroDivisionError(Load())


def test_a_block_in_a_block_tells_of_its_own_tasks() -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with Flow("outer"):
            Load(name="outside")
            with Flow("inner"):
                Load(name="inside")

    assert [(each, each in str(warning.message)) for each, warning in zip(["inside", "outside"], warned, strict=True)] == [
        ("inside", True),
        ("outside", True),
    ]


TRUE: dict[str, Callable[[Any], Any]] = {
    "if": lambda x: 1 if x else 2,
    "not": lambda x: not x,
    "and": lambda x: x and 1,
    "or": lambda x: x or 1,
    "bool in a call": lambda x: (bool(x),),
    "any": lambda x: any([x]),
    "a comparison": lambda x: max(x, 1),
    "a chain of comparisons": lambda x: 0 < x < 5,
    "is_equal": lambda x: "equal" if x.is_equal(1) else "different",
    "filter": lambda x: list(filter(None, [x])),
}


@pytest.mark.parametrize("kind", TRUE)
def test_asking_a_task_whether_it_is_true_warns_with_the_line(kind: str) -> None:
    ask = TRUE[kind]

    with Flow("f"), pytest.warns(UserWarning, match="counts as true here, whatever its result will be") as warned:
        ask(one())

    assert {warning.filename for warning in warned} == {__file__}
    assert {warning.lineno for warning in warned} == {inspect.getsourcelines(ask)[1]}


def test_a_task_can_be_looked_for_and_compared_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Flow("f"):
            made = one()

            assert made in [one(), made]
            assert made is not None
            assert made != one()
        assert made, "outside of a block nothing is meant by it but the task"
