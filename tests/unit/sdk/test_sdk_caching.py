"""Results that serve again: `cache_for` with its validators and keys, and `target`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headwater import Flow, Parameter, task
from headwater.sdk.context.context import context
from headwater.sdk.engine.caching import ProcessCaches, caches_of_this_process
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.language import cache_validators
from headwater.sdk.language.cache_validators import all_inputs, all_parameters, duration_only, never_use
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.input_hashes import hash_of_input
from headwater.sdk.results import LocalResult, Result
from headwater.sdk.states.signals import LOOP
from headwater.sdk.states.state import Cached, Mapped, State, Success

HOUR = timedelta(hours=1)
calls: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    calls.clear()
    caches_of_this_process.clear()
    yield
    caches_of_this_process.clear()


def double(x: Any) -> Any:
    calls.append(x)
    return x * 2


def flow_of(**settings: Any) -> tuple[Flow, Any]:
    with Flow("f") as flow:
        doubled = task(double, cache_for=HOUR, **settings)(Parameter("x"))
        Parameter("y", default=0)()
    return flow, doubled


def test_a_result_serves_the_next_run_within_its_time() -> None:
    flow, doubled = flow_of()

    first, second = flow.run(x=1), flow.run(x=1)

    assert [type(state.result[doubled]) for state in (first, second)] == [Cached, Cached]
    assert (first.result[doubled].result, second.result[doubled].result, calls) == (2, 2, [1])
    assert first.result[doubled].message == "Task run succeeded."
    assert second.result[doubled].message.startswith("Valid cached state found")
    assert second.result[doubled].cached_result_expiration == first.result[doubled].cached_result_expiration


def test_a_result_whose_time_is_over_is_made_again() -> None:
    flow, doubled = flow_of()
    flow.run(x=1)
    (entry,) = caches_of_this_process.states(f"f:{flow.slugs[doubled]}")
    entry.cached_result_expiration = datetime.now(UTC) - timedelta(seconds=1)

    flow.run(x=1)

    assert calls == [1, 1]


@pytest.mark.parametrize(
    ("validator", "runs", "expected"),
    [
        (None, [(1, 0), (2, 0)], [1]),
        (duration_only, [(1, 0), (2, 0)], [1]),
        (never_use, [(1, 0), (1, 0)], [1, 1]),
        (all_inputs, [(1, 0), (2, 0), (1, 5), (2, 5)], [1, 2]),
        (all_parameters, [(1, 0), (1, 0), (1, 5), (2, 5)], [1, 1, 2]),
        (cache_validators.partial_inputs_only(["x"]), [(1, 0), (2, 0), (1, 9)], [1, 2]),
        (cache_validators.partial_inputs_only([]), [(1, 0), (2, 0)], [1]),
        (cache_validators.partial_parameters_only(["y"]), [(1, 0), (2, 0), (2, 5)], [1, 2]),
        (lambda state, inputs, parameters: inputs["x"] < 5 and parameters["y"] == 0, [(1, 0), (4, 0), (6, 0)], [1, 6]),
    ],
)
def test_the_validator_says_whether_it_serves(validator: Any, runs: list[tuple[int, int]], expected: list[int]) -> None:
    flow, _ = flow_of(cache_validator=validator)

    for x, y in runs:
        assert flow.run(x=x, y=y).is_successful()

    assert calls == expected


def test_tasks_with_one_key_share_across_flows_and_others_do_not() -> None:
    def flow_called(name: str, key: str | None) -> Flow:
        with Flow(name) as flow:
            task(double, cache_for=HOUR, cache_key=key)(7)
        return flow

    for name, key in (("a", None), ("b", None), ("c", "shared"), ("d", "shared")):
        flow_called(name, key).run()

    assert calls == [7, 7, 7]


def test_children_of_a_mapped_task_are_distinguished() -> None:
    for validator in (duration_only, all_inputs):
        calls.clear()
        with Flow(f"f-{validator.__name__}") as flow:
            doubled = task(double, cache_for=HOUR, cache_validator=validator).map([1, 2, 3])

        flow.run()
        again = flow.run().result[doubled]

        assert isinstance(again, Mapped)
        assert (again.result, calls) == ([2, 4, 6], [1, 2, 3])
        assert all(type(child) is Cached for child in again.map_states)


def test_failures_and_loops_are_not_remembered_until_they_end_well() -> None:
    @task(cache_for=HOUR)
    def third_time() -> int:
        count = int(context.get("task_loop_result") or 0) + 1
        calls.append(count)
        if count < 3:
            raise LOOP(result=count)
        return count

    @task(cache_for=HOUR)
    def failing() -> None:
        calls.append("failed")
        raise ValueError

    flow = Flow("f", tasks=[third_time, failing])
    flow.run()
    flow.run()

    assert [call for call in calls if call != "failed"] == [1, 2, 3]
    assert calls.count("failed") == 2


def test_caches_given_to_the_runner_are_asked_and_told() -> None:
    flow, doubled = flow_of()
    caches = ProcessCaches()
    key = f"f:{flow.slugs[doubled]}"

    FlowRunner(flow, caches=caches).run({"x": 4, "y": 0})
    (entry,) = caches.states(key)

    assert entry.cached_inputs == {"x": Result(4)}
    assert entry.hashed_inputs == {"x": hash_of_input(4)}
    assert (entry.cached_parameters, list(caches_of_this_process.states(key))) == ({"x": 4, "y": 0}, [])


def test_a_result_that_cannot_be_read_any_more_is_made_again(tmp_path: Path) -> None:
    flow, doubled = flow_of(result=LocalResult(tmp_path))
    gone = Cached("gone", LocalResult(tmp_path, location="not/there"))
    caches_of_this_process.remember(f"f:{flow.slugs[doubled]}", gone)

    assert flow.run(x=3).result[doubled].result == 6
    assert calls == [3]


def test_what_is_at_the_target_serves_whatever_its_age(tmp_path: Path) -> None:
    with Flow("f") as flow:
        doubled = task(double, target="{flow_name}/{x}-{parameters[day]}.pickle", result=LocalResult(tmp_path))(Parameter("x"))
        Parameter("day", default="mon")()

    def state(**values: Any) -> State:
        found: State = flow.run(**values).result[doubled]
        return found

    first, second, other_day = state(x=1), state(x=1), state(x=1, day="tue")

    assert [type(each) for each in (first, second, other_day)] == [Success, Cached, Success]
    assert (second.result, calls) == (2, [1, 1])
    assert (tmp_path / "f" / "1-mon.pickle").exists()
    (tmp_path / "f" / "1-mon.pickle").unlink()
    assert type(state(x=1)) is Success


def test_a_target_may_be_a_function_and_needs_no_result_of_its_own(home: Path) -> None:
    with Flow("f") as flow:
        doubled = task(double, target=lambda **known: f"{known['task_slug']}/{known['map_index']}/{{x}}").map([1, 2])

    flow.run()

    assert flow.run().result[doubled].result == [2, 4]
    assert calls == [1, 2]
    assert (home / "results" / flow.slugs[doubled] / "1" / "{x}").exists()


def test_a_target_that_cannot_be_made_fails_the_task_with_the_reason() -> None:
    with Flow("f") as flow:
        doubled = task(double, target="{nonsense}")(1)

    state = flow.run().result[doubled]

    assert state.is_failed()
    assert "nonsense" in state.message


def test_equal_values_have_equal_hashes_and_others_have_not() -> None:
    values = [1, 1.0, True, "1", None, [1], (1,), {"a": 1}, {1: "a"}, {"1": "a"}, b"1", {"a": (1,)}]

    assert len({hash_of_input(value) for value in values}) == len(values)
    assert hash_of_input({"a": 1, "b": 2}) == hash_of_input({"b": 2, "a": 1})


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(InvalidTask, match="cache_validator takes a function"):
        task(double, cache_for=HOUR, cache_validator="all_inputs")
    with pytest.raises(InvalidTask, match="nothing would ever be there"):
        task(double, target="x", checkpoint=False)
    with pytest.raises(InvalidTask, match="cache_for of 0"):
        task(double, cache_for=0)
    with pytest.warns(UserWarning, match="no cache_for"):
        task(double, cache_validator=all_inputs)


def test_the_metadata_say_how_a_task_is_cached() -> None:
    with Flow("f") as flow:
        task(double, cache_for=60, cache_key="k")(1)
        task(double, target="{today}")(1)

    settings = [each["settings"] for each in flow.serialize()["tasks"]]

    assert settings[0]["cache_for_seconds"] == 60
    assert (settings[0]["cache_validator"], settings[0]["cache_key"]) == ("duration_only", "k")
    assert settings[1]["target"] == "{today}"
