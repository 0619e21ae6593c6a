"""What `validate` finds, and what parameters accept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater import Flow, Parameter, Task, task
from headwater.core.calendar import Schedule
from headwater.core.calendar.clocks import CronClock
from headwater.sdk.language.edge import Edge
from headwater.sdk.language.errors import InvalidFlow, InvalidTask, WrongParameters
from headwater.sdk.language.parameter import DateTimeParameter
from headwater.sdk.states.state import State


@task
def needs(x: int, y: int = 0) -> int:
    return x + y


def test_a_cycle_is_found_and_its_tasks_are_named() -> None:
    flow = Flow("f")
    a, b, c, d = (Task(name=name) for name in "abcd")
    flow.chain(d, a, b, c, a)

    with pytest.raises(InvalidFlow, match="circle: a-1 → b-1 → c-1 → a-1") as error:
        flow.validate()

    assert len(error.value.problems) == 1


def test_a_task_cannot_wait_for_itself() -> None:
    flow = Flow("f")
    a = Task(name="a")

    with pytest.raises(InvalidFlow, match="upstream of itself"):
        flow.add_edge(a, a)


def test_an_edge_to_a_task_that_is_not_in_the_flow_is_found() -> None:
    flow = Flow("f")
    a, b = Task(name="a"), Task(name="b")
    edge = flow.add_edge(a, b)
    del flow._tasks[b]

    assert edge == Edge(a, b)
    with pytest.raises(InvalidFlow, match="task 'b', which is not in the flow"):
        flow.validate()


def test_every_wrong_or_missing_argument_is_reported_at_once() -> None:
    flow = Flow("f")
    a, b = Task(name="a"), needs.copy()
    flow.add_edge(a, b, key="z")
    flow.add_task(needs)

    with pytest.raises(InvalidFlow) as error:
        flow.validate()

    assert [problem.partition(", which")[0] for problem in error.value.problems] == [
        "Task 'needs-1' is fed 'z'",
        "Task 'needs-1' lacks 'x'",
        "Task 'needs-2' lacks 'x'",
    ]


def test_a_task_that_takes_any_argument_may_be_fed_any() -> None:
    flow = Flow("f")
    flow.add_edge(Task(name="a"), task(lambda **rows: rows, name="b"), key="z")

    flow.validate()


def test_two_tasks_of_one_slug_are_refused() -> None:
    flow = Flow("f", tasks=[Task(slug="s")])

    with pytest.raises(InvalidFlow, match="'s' already"):
        flow.add_task(Task(slug="s"))

    other = Task(name="other")
    flow.add_task(other)
    flow.slugs[other] = "s"
    with pytest.raises(InvalidFlow, match="2 tasks have the slug 's'"):
        flow.validate()


def test_a_schedule_must_give_all_required_parameters() -> None:
    clock = CronClock("@daily", parameter_defaults={"a": 1})
    with Flow("f", schedule=Schedule([clock])) as flow:
        needs(Parameter("a"), Parameter("b"))

    with pytest.raises(InvalidFlow, match="required parameters 'b'"):
        flow.validate()

    clock.parameter_defaults["b"] = 2
    flow.validate()


def test_reference_tasks_must_be_in_the_flow() -> None:
    with pytest.raises(InvalidFlow, match="'needs' is not in the flow"):
        Flow("f").set_reference_tasks([needs])


def test_a_valid_flow_is_valid_and_a_change_is_looked_at_again() -> None:
    with Flow("f") as flow:
        needs(1)
    flow.validate()

    flow.add_task(needs)

    with pytest.raises(InvalidFlow):
        flow.validate()


@pytest.mark.parametrize("default", [None, 0, "", False, [], {"a": [1]}])
def test_a_parameter_with_any_default_is_not_required(default: Any, run: Callable[..., State]) -> None:
    parameter = Parameter("p", default=default)
    flow = Flow("f", tasks=[parameter])

    assert not parameter.required
    assert flow.run().result[parameter].result == default


def test_parameters_that_cannot_work_are_refused() -> None:
    with pytest.raises(InvalidTask, match="not JSON"):
        Parameter("p", default={1, 2})
    with pytest.raises(InvalidTask, match="needs a name"):
        Parameter("")


def test_a_parameter_may_be_optional_without_a_default() -> None:
    parameter = Parameter("p", required=False)

    assert Flow("f", tasks=[parameter]).run().result[parameter].result is None


def test_unknown_missing_and_repeated_parameters_are_reported() -> None:
    flow = Flow("f", tasks=[Parameter("needed"), Parameter("other", default=1)])

    with pytest.raises(WrongParameters, match="no parameter 'ned'; it has 'needed', 'other'"):
        flow.run(ned=1)
    with pytest.raises(WrongParameters, match="requires 'needed'"):
        flow.run()
    with pytest.raises(WrongParameters, match="'needed' twice"):
        flow.run(parameters={"needed": 1}, needed=2)
    with pytest.raises(ValueError, match="it has none"):
        Flow("g").run(x=1)


def test_parameters_may_be_given_by_name_or_as_a_dict() -> None:
    parameter = Parameter("p")
    flow = Flow("f", tasks=[parameter])

    assert flow.run(p=[1]).result[parameter].result == [1]
    assert flow.run(parameters={"p": None}).result[parameter].result is None


def test_a_moment_is_read_from_text() -> None:
    parameter = DateTimeParameter("when")
    flow = Flow("f", tasks=[parameter])

    assert flow.run(when="2026-11-21T12:00:00+00:00").result[parameter].result.year == 2026
    assert flow.run(when="noon").is_failed()
