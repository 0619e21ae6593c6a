"""What `flow.run()` and `FlowRunner.run()` take beside parameters: states to begin with, and which tasks to return."""
# mypy: disable-error-code="attr-defined"

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import headwater
from headwater import Flow, Parameter, resource_manager, task
from headwater.core.errors import InvalidArgument
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.language.cache_validators import duration_only
from headwater.sdk.language.errors import InvalidFlow, WrongParameters
from headwater.sdk.states.state import (
    Cached,
    Failed,
    Mapped,
    Paused,
    Pending,
    Resume,
    Retrying,
    Running,
    Scheduled,
    Skipped,
    State,
    Submitted,
    Success,
    TriggerFailed,
)

PAST = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture
def chain() -> tuple[Flow, Any, Any]:
    """A flow of two tasks: the second returns what the first did, which is "made"."""
    with Flow("chain") as flow:
        first = task(lambda: "made", name="first")()
        second = task(lambda x: x, name="second")(first)
    return flow, first, second


@pytest.mark.parametrize("known", [Success(result="known"), Submitted(state=Success(result="known"))])
def test_what_is_over_is_not_run_again(chain: tuple[Flow, Any, Any], known: State) -> None:
    flow, first, second = chain

    assert flow.run(task_states={first: known}).result[second].result == "known"


@pytest.mark.parametrize(
    "state",
    [
        Pending("p"),
        Scheduled(start_time=PAST),
        Retrying(start_time=PAST, run_count=3),
        Resume(),
        Submitted(state=Pending()),
        Cached(result="old"),
    ],
)
def test_what_is_not_over_is_run(chain: tuple[Flow, Any, Any], state: State) -> None:
    flow, first, second = chain

    assert flow.run(task_states={first: state}).result[second].result == "made"


@pytest.mark.parametrize(("known", "ended"), [(Skipped(), Skipped), (Failed(), TriggerFailed)])
def test_known_states_decide_what_follows(chain: tuple[Flow, Any, Any], known: State, ended: type[State]) -> None:
    flow, first, second = chain

    assert type(flow.run(task_states={first: known}).result[second]) is ended


def test_a_known_state_is_waited_for(run: Callable[..., State], clock: Any, chain: tuple[Flow, Any, Any]) -> None:
    flow, first, second = chain
    later = Scheduled(start_time=clock.now() + timedelta(hours=1))

    state = FlowRunner(flow, clock=clock).run(task_states={first: later})

    assert state.result[second].result == "made"
    assert sum(clock.waits) == 3600


def test_what_waits_for_a_person_is_left(chain: tuple[Flow, Any, Any]) -> None:
    flow, first, _ = chain

    state = flow.run(task_states={first: Paused()})

    assert (type(state), type(state.result[first])) == (Running, Paused)


@pytest.mark.parametrize(("expires", "value"), [(None, "old"), (datetime(2999, 1, 1, tzinfo=UTC), "old"), (PAST, "made")])
def test_a_known_cached_result_serves_if_its_validator_says_so(expires: datetime | None, value: str) -> None:
    cached = task(lambda: "made", name="cached", cache_for=timedelta(hours=1), cache_validator=duration_only)
    known = Cached(result="old", cached_result_expiration=expires)

    assert Flow("f", tasks=[cached]).run(task_states={cached: known}).result[cached].result == value


@pytest.mark.parametrize(
    ("known", "results"),
    [
        (Mapped(map_states=[Success(result=7), Success(result=8), Success(result=9)]), [7, 8, 9]),
        (Mapped(map_states=[Success(result=7), Pending(), Retrying(start_time=PAST, run_count=2)]), [7, 4, 6]),
        (Mapped(n_map_states=3), [2, 4, 6]),
        (Mapped(n_map_states=2), [2, 4]),
        (Mapped(map_states=[Success(result=7)]), [7]),
    ],
)
def test_of_a_mapped_task_the_children_that_are_not_over_are_run(known: State, results: list[int]) -> None:
    with Flow("f") as flow:
        doubled = task(lambda x: 2 * x, name="double").map([1, 2, 3])
        listed = task(lambda xs: xs, name="listed")(doubled)

    result = flow.run(task_states={doubled: known}).result

    assert result[doubled].result == result[listed].result == results


def test_children_are_run_again_where_only_their_number_is_left() -> None:
    with Flow("f") as flow:
        numbers = task(lambda: [1, 2, 3], name="numbers")()
        same = task(lambda x: x, name="same").map(numbers)

    for known in (Mapped(map_states=[Pending(), Pending(), Pending()]), Mapped(n_map_states=3)):
        result = flow.run(task_states={numbers: Success(), same: known}).result
        assert result[same].result == [None, None, None]


def test_resources_are_set_up_again_for_each_run() -> None:
    steps: list[str] = []

    @resource_manager
    class Resource:
        def setup(self) -> str:
            steps.append("setup")
            return "resource"

        def cleanup(self, _: str) -> None:
            steps.append("cleanup")

    with Flow("f") as flow, Resource() as resource:
        task(lambda x: x, name="use")(resource)

    flow.run(task_states=flow.run().result)

    assert steps == ["setup", "cleanup"] * 2


def test_a_run_goes_on_from_a_state_with_those_of_its_tasks(chain: tuple[Flow, Any, Any]) -> None:
    flow, first, second = chain

    for state in (Pending(result={first: Success(result=3)}), Running(result={first: Success(result=3)})):
        assert flow.run(state=state).result[second].result == 3
    assert flow.run(state=Pending(result={first: Success(result=3)}), task_states={first: Success(result=8)}).result[second].result == 8


@pytest.mark.parametrize("kind", [Success, Failed])
def test_a_run_that_is_over_is_not_run_again(chain: tuple[Flow, Any, Any], kind: type[State]) -> None:
    flow, first, second = chain

    state = flow.run(state=kind("over", result={first: Success(result=3)}))

    assert (type(state), state.message) == (kind, "over")
    assert state.result[first].result == 3
    assert (type(state.result[second]), state.result[second].message) == (Pending, "Task not run.")


def test_a_state_that_is_none_is_refused(chain: tuple[Flow, Any, Any]) -> None:
    with pytest.raises(InvalidArgument, match="state must be a state, such as Pending"):
        chain[0].run(state="Pending")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["state", "context", "flow_run_name", "task_states", "executor", "return_tasks"])
def test_a_parameter_has_its_name_before_an_argument_of_run(name: str) -> None:
    with Flow("f") as flow:
        given = task(lambda x: x, name="given")(Parameter(name))

    settings: dict[str, Any] = {name: "mine"}
    assert flow.run(**settings).result[given].result == "mine"


def test_run_returns_all_tasks_and_says_so_where_some_are_asked_for(chain: tuple[Flow, Any, Any]) -> None:
    with pytest.raises(WrongParameters, match="it takes no return_tasks"):
        chain[0].run(return_tasks=[chain[1]])


def test_a_runner_returns_the_tasks_that_are_asked_for(chain: tuple[Flow, Any, Any]) -> None:
    flow, first, second = chain

    assert set(FlowRunner(flow).run(return_tasks=[second]).result) == {second}
    assert set(FlowRunner(flow).run().result) == {first, second}
    with pytest.raises(InvalidFlow, match="is not in the flow"):
        FlowRunner(flow).run(return_tasks=[task(lambda: 1, name="other")])


def test_a_runner_of_the_users_runs_the_flow(chain: tuple[Flow, Any, Any]) -> None:
    class Named(FlowRunner):
        def run(self, *args: Any, **settings: Any) -> State:
            with headwater.context(runner="mine"):
                return super().run(*args, **settings)

    known = task(lambda: headwater.context.runner, name="known")

    assert Flow("f", tasks=[known]).run(runner_cls=Named).result[known].result == "mine"
