"""Parameters: defaults, copies and moments, as Prefect 1.4.1 has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from headwater import DateTimeParameter, Flow, Parameter, task
from headwater.sdk.language.errors import WrongParameters
from headwater.sdk.states.state import State


@task
def identity(x: Any) -> Any:
    return x


def test_a_parameter_that_is_required_asks_for_its_value_though_it_has_a_default(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        made = identity(Parameter("x", default=5, required=True))

    with pytest.raises(WrongParameters, match="requires 'x'"):
        flow.run()
    assert flow.run(x=1).result[made].result == 1


def test_a_copy_of_a_parameter_has_another_name_and_slug_and_the_same_default(run: Callable[..., State]) -> None:
    first = Parameter("first", default=[1], tags=["input"])

    second = first.copy("second")

    with Flow("f") as flow:
        made = identity([first, second])
    assert (second.name, second.slug, second.default, second.tags, second.required) == ("second", "second", [1], {"input"}, False)
    assert run(flow, {"second": 2}).result[made].result == [[1], 2]


def test_a_copy_of_a_parameter_needs_a_name() -> None:
    with pytest.raises(TypeError, match="name"):
        Parameter("x").copy()  # type: ignore[call-arg]


def test_a_parameter_takes_no_inputs() -> None:
    parameter = Parameter("x")

    with Flow("f"), pytest.raises(TypeError, match="unexpected keyword argument 'mapped'"):
        parameter(mapped=True)  # type: ignore[call-arg]


MOMENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize("default", ["2026-01-02T03:04:00+00:00", MOMENT])
def test_a_date_time_parameter_may_have_a_default(default: Any, run: Callable[..., State]) -> None:
    optional, asks = DateTimeParameter("optional", default=default, required=False), DateTimeParameter("asks", default=default)

    states = run(Flow("f", tasks=[optional])).result

    assert states[optional].result == MOMENT
    with pytest.raises(WrongParameters, match="requires 'asks'"):
        Flow("g", tasks=[asks]).run()
