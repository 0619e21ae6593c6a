"""What flows for Prefect 1 look at or write now and then, with the values that Prefect 1.4.1 gives."""

from __future__ import annotations

import inspect
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headwater import Flow, Parameter, Task, case, context, resource_manager, task, unmapped
from headwater.sdk.context.configuration import set_temporary_config
from headwater.sdk.language import triggers
from headwater.sdk.language.cache_validators import all_inputs, all_parameters, partial_inputs_only, partial_parameters_only
from headwater.sdk.language.edge import Edge
from headwater.sdk.language.errors import InvalidFlow, WrongParameters
from headwater.sdk.results import LocalResult, Result
from headwater.sdk.states.signals import FAIL
from headwater.sdk.states.state import Cached, Paused, Resume, State


@task
def same(x: Any, other: Any = None) -> Any:
    return x


class Load(Task):
    def run(self, x: int, y: int = 2) -> int:
        return x + y


def test_the_values_that_are_mapped_over_are_not_written_where_results_of_tasks_are(tmp_path: Path) -> None:
    with Flow("mapped", result=LocalResult(dir=str(tmp_path), location="{map_index}-{x}-{other}.txt")) as flow:
        same.map([1, 42, None, "text"], unmapped(Parameter("book", default="b")))

    with set_temporary_config({"flows.checkpointing": True}):
        state = flow.run()

    assert state.is_successful()
    assert {file.name for file in tmp_path.iterdir()} == {"0-1-b.txt", "1-42-b.txt", "3-text-b.txt"}


def test_a_task_that_a_handler_resumes_goes_on_and_is_tried_again() -> None:
    runs = []

    def handler(_: Any, old: State, new: State) -> State | None:
        if isinstance(new, Paused):
            return Resume()
        if old.is_running():
            raise FAIL("no")
        return None

    @task(max_retries=2, retry_delay=timedelta(0), state_handlers=[handler], trigger=triggers.manual_only)
    def count() -> None:
        runs.append(1)

    state = Flow("resumed", tasks=[count]).run()

    assert state.is_failed()
    assert len(runs) == 3


def test_the_signature_of_a_task_is_that_of_its_call_and_the_one_of_its_class_is_not() -> None:
    assert [*inspect.signature(Load()).parameters] == ["x", "y", "mapped", "task_args", "upstream_tasks", "flow"]
    assert "x" not in inspect.signature(Load).parameters
    assert "name" in inspect.signature(Load).parameters


def test_a_target_is_the_location_of_the_result_that_a_task_has_and_the_given_one_is_left_alone(tmp_path: Path) -> None:
    result = LocalResult(dir=str(tmp_path))
    made = Task(target="{today}", result=result)

    with Flow("targets"):
        called = same(1, task_args={"target": "t", "result": result})

    assert made.result is not None
    assert called.result is not None
    assert (made.result.location, called.result.location, result.location) == ("{today}", "t", None)


def test_an_edge_serializes_to_its_tasks_slugs_and_its_kind() -> None:
    assert Edge(Task(slug="a"), Task(), key="x", mapped=True).serialize() == {
        "upstream_task": {"slug": "a"},
        "downstream_task": {"slug": None},
        "key": "x",
        "mapped": True,
        "flattened": False,
    }


def test_an_edge_that_feeds_an_argument_twice_is_refused_where_edges_are_validated() -> None:
    flow, before, after = Flow("twice"), Task(), same.copy()
    flow.add_edge(before, after, key="x")

    assert flow.add_edge(before, after, key="x", validate=False) in flow.edges
    with pytest.raises(InvalidFlow, match="'x' of task 'same' is fed"):
        flow.add_edge(before, after, key="x", validate=True)


@pytest.mark.parametrize(("given", "kind"), [({"parameters": {"y": 1}}, WrongParameters), ({"y": 1}, TypeError), ({"y": 1}, ValueError)])
def test_an_unknown_argument_of_a_run_is_a_type_error_and_an_unknown_parameter_is_not(given: Any, kind: type[Exception]) -> None:
    flow = Flow("f", tasks=[Parameter("x", default=1)])

    with pytest.raises(kind, match="has no parameter 'y'") as error:
        flow.run(**given)

    assert isinstance(error.value, TypeError) is ("y" in given)


@pytest.mark.parametrize("validator", [all_inputs, all_parameters, partial_inputs_only(["x"]), partial_parameters_only(["x"])])
def test_validators_that_are_given_no_inputs_and_no_parameters_do_not_agree(validator: Any) -> None:
    assert validator(Cached(cached_inputs={"x": Result(5)}, cached_parameters={"x": 5}), None, None) is False


def test_a_flow_that_was_pickled_without_a_handler_of_its_end_runs() -> None:
    flow = Flow("old", tasks=[Task()])
    del flow.__dict__["terminal_state_handler"]

    assert flow.run().is_successful()


def test_the_open_block_is_in_the_context() -> None:
    @resource_manager
    class Room:
        def setup(self) -> int:
            return 1

        def cleanup(self, room: int) -> None: ...

    with Flow("blocks"):
        branch: Any = case(same(1), 1)
        room: Any = Room()
        with branch, room as value:
            assert (context.get("case"), context.get("resource")) == (branch, room)
            same(value)
        assert (context.get("case"), context.get("resource")) == (None, None)


@pytest.mark.parametrize("kind", [RuntimeError, ValueError])
def test_running_a_flow_in_its_own_block_is_refused(kind: type[Exception]) -> None:
    with pytest.raises(kind, match="inside the `with Flow"), Flow("f") as flow:
        flow.run()
