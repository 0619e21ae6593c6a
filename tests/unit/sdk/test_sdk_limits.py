"""Settings that not everything can hold which reads a flow are refused where they are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from harness.hostile import NOT_UTF8

from headwater import Flow, Parameter, task
from headwater.core.calendar import Schedule
from headwater.core.calendar.clocks import IntervalClock
from headwater.core.errors import HeadwaterError
from headwater.sdk.client.flow_metadata import check_settings
from headwater.sdk.language.errors import InvalidFlow, InvalidTask
from headwater.sdk.language.task_settings import RETRIES_MAX, SECONDS_MAX
from headwater.sdk.run_configs import LocalRun

DAY = timedelta(days=1)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"inside": value}
    return value


@task
def load() -> None:
    pass


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"max_retries": RETRIES_MAX + 1, "retry_delay": 0}, "Task 'load': max_retries is at most 2,147,483,647"),
        ({"max_retries": 2**200, "retry_delay": 0}, "max_retries is at most"),
        ({"max_retries": -1, "retry_delay": 0}, "must be a whole number of at least 0"),
        ({"max_retries": 1, "retry_delay": timedelta.max}, "retry_delay is at most 2,147,483,647 seconds"),
        ({"max_retries": 1, "retry_delay": 1e300}, "retry_delay is at most"),
        ({"max_retries": 1, "retry_delay": float("inf")}, "retry_delay is at most"),
        ({"max_retries": 1, "retry_delay": float("nan")}, "retry_delay is at most"),
        ({"max_retries": 1, "retry_delay": -(10**400)}, "retry_delay is at most"),
        ({"max_retries": 1, "retry_delay": timedelta.min}, "cannot be negative"),
        ({"timeout": 10**30}, "timeout is at most"),
        ({"timeout": float("nan")}, "timeout is at most"),
        ({"cache_for": timedelta.max}, "cache_for is at most"),
        ({"name": NOT_UTF8}, "must be text in UTF-8"),
        ({"name": "x" * 501}, "has 501 characters"),
        ({"tags": [NOT_UTF8]}, "must be text in UTF-8"),
    ],
)
def test_a_task_s_setting_that_is_out_of_limits_is_refused_in_a_sentence(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidTask) as made:
        task(lambda: None, **{"name": "load", **settings})
    with pytest.raises(InvalidTask) as changed:
        load.copy(**settings)

    assert sentence in str(made.value)
    assert sentence in str(changed.value)


def test_settings_at_the_limits_are_good() -> None:
    made = task(lambda: None, name="x" * 500, max_retries=RETRIES_MAX, retry_delay=SECONDS_MAX, timeout=SECONDS_MAX)
    check_settings(Flow("f", tasks=[made]))


@pytest.mark.parametrize("default", [nested(200), 2**64, float("nan"), {1: 1}, NOT_UTF8, object()], ids=lambda it: type(it).__name__)
def test_a_default_that_cannot_be_stored_is_refused(default: Any) -> None:
    with pytest.raises(InvalidTask, match=r"Parameter 'day': the default .* is not JSON: "):
        Parameter("day", default=default)


def changed_default() -> Flow:
    default: list[Any] = []
    parameter = Parameter("day", default=default)
    default.append(2**70)
    return Flow("f", tasks=[parameter])


FLOWS: dict[str, tuple[Callable[[], Flow], str]] = {
    "default": (changed_default, "the default of parameter 'day'"),
    "environment": (lambda: Flow("f", run_config=LocalRun(env={"NAME": NOT_UTF8})), "the run config"),
    "schedule": (lambda: Flow("f", schedule=Schedule([IntervalClock(DAY, parameter_defaults={"x": nested(300)})])), "the schedule"),
    "cache key": (lambda: Flow("f", tasks=[task(lambda: 1, name="t", cache_for=DAY, cache_key=NOT_UTF8)]), "cache_key of task 't-1'"),
    "target": (lambda: Flow("f", tasks=[task(lambda: 1, name="t", target=NOT_UTF8)]), "target of task 't-1'"),
    "task run name": (lambda: Flow("f", tasks=[task(lambda: 1, name="t", task_run_name=NOT_UTF8)]), "task_run_name of task 't-1'"),
    "outputs": (lambda: Flow("f", tasks=[task(lambda: 1, name="t", nout=2**70)]), "nout of task 't-1'"),
}


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_is_not_registered_with_what_cannot_be_stored(name: str) -> None:
    build, what = FLOWS[name]
    with pytest.raises(InvalidFlow) as refused:
        check_settings(build())

    assert str(refused.value).startswith(f"Flow 'f' cannot be registered: {what} cannot be stored: ")


@pytest.mark.parametrize("name", [NOT_UTF8, "x" * 300, "line\nbreak"])
def test_flows_labels_and_tasks_have_names_that_can_be_stored(name: str) -> None:
    with pytest.raises(HeadwaterError):
        Flow(name)
    with pytest.raises(HeadwaterError):
        LocalRun(labels=[name])
