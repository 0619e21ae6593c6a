"""What states offer beside their kind: tags and counts, nested states, loading what is kept elsewhere. As in Prefect 1.4.1."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import cloudpickle
import pytest

from headwater import Flow, context, task
from headwater.sdk.results import Result
from headwater.sdk.states.signals import FAIL, SKIP
from headwater.sdk.states.state import (
    Cached,
    Failed,
    Finished,
    Looped,
    Mapped,
    Pending,
    Queued,
    Retrying,
    Running,
    Scheduled,
    Skipped,
    State,
    Submitted,
    Success,
    TriggerFailed,
)

KINDS = [kind for kind in State.children(include_self=True) if kind.__module__ == State.__module__]  # other tests make kinds of their own


class Kept(Result):
    """Reads the words `value at <location>`."""

    def read(self, location: str) -> Result:
        return Kept(f"value at {location}", location)

    def write(self, value_: Any, **kwargs: Any) -> Result:
        return self


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_begins_without_anything(kind: type[State]) -> None:
    state = kind()

    assert (state.message, state.result, state.context, state.cached_inputs) == (None, None, {}, {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_that_is_made_inside_a_task_has_its_tags(kind: type[State]) -> None:
    with context(task_tags={"b"}):
        assert kind().context["tags"] == ["b"]
        assert kind(context={"tags": ["own"]}).context["tags"] == ["own"]
    assert "tags" not in kind().context


def test_the_states_of_tasks_have_their_tags() -> None:
    def skip() -> None:
        raise SKIP

    with Flow("f") as flow:
        tagged = task(lambda: 1, name="tagged", tags=["a", "b"])()
        bare = task(lambda: 1, name="bare")()
        failed = task(lambda: 1 / 0, name="failed", tags=["c"])()
        skipped = task(skip, name="skipped", tags=["d"])()
        after = task(lambda x: x, name="after", tags=["e"])(failed)
        mapped = task(lambda x: x, name="mapped", tags=["f"]).map([1])

    result = flow.run().result

    tags = {each.name: sorted(result[each].context["tags"]) for each in (tagged, bare, failed, skipped, after, mapped)}
    assert tags == {"tagged": ["a", "b"], "bare": [], "failed": ["c"], "skipped": ["d"], "after": ["e"], "mapped": ["f"]}
    assert result[mapped].map_states[0].context == {"tags": ["f"]}


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_scheduled_inside_a_task_counts_its_runs(kind: type[State]) -> None:
    with context(task_run_count=9):
        state = kind()

    assert state.context.get("task_run_count") == (9 if issubclass(kind, Scheduled) else None)


def test_counts_are_those_of_the_task_around() -> None:
    assert (Retrying().run_count, Looped().loop_count) == (1, 1)
    with context(task_run_count=5, task_loop_count=6):
        assert (Retrying().run_count, Looped().loop_count) == (5, 6)
        assert (Retrying(run_count=2).run_count, Looped(loop_count=3).loop_count) == (2, 3)


def test_equal_states_have_equal_results_and_inputs_whatever_is_said_about_them() -> None:
    assert Success("a", result=1, context={"x": 1}) == Success("b", result=Result(1, location="kept"))
    assert Pending(cached_inputs={"x": Result(1)}) == Pending(cached_inputs={"x": Result(1)})
    assert Pending(cached_inputs={"x": Result(1)}) != Pending(cached_inputs={"x": Result(2)})
    assert Success(result=1) != Success(result=2)
    assert Success() != Cached()


def test_states_around_states_do_not_nest() -> None:
    inner = Pending()
    around: Any = Submitted(state=Queued(state=inner))

    assert around.state is inner
    around.state = Queued(state=Submitted(state=inner))
    assert around.state is inner


def test_kinds_above_and_below_can_be_listed_by_name() -> None:
    assert TriggerFailed.children(include_self=True, names_only=True) == ["TriggerFailed"]
    assert TriggerFailed.parents(names_only=True) == ["Failed", "Finished", "State"]
    assert TriggerFailed.parents(include_self=True) == [TriggerFailed, Failed, Finished, State]
    assert State.parents() == []


def test_what_a_state_says_of_itself_is_said_of_kinds_derived_from_it() -> None:
    class Late(Failed):
        """A kind of the user's own."""

    assert (Late().is_failed(), Late().is_finished(), Late().is_successful()) == (True, True, False)
    assert (Queued().is_scheduled(), Queued().is_pending(), Queued().is_meta_state()) == (True, False, True)
    assert (Running().is_running(), Skipped().is_successful(), Skipped().is_skipped()) == (True, True, True)


@pytest.mark.parametrize(
    ("known", "how", "value"),
    [
        (Result(location="a"), Kept(), "value at a"),
        (Kept(location="a"), None, "value at a"),
        (Result(42), Kept(), 42),
        (Result(), Kept(), None),
    ],
)
def test_a_result_is_loaded_where_it_is_not_there(known: Result, how: Result | None, value: Any) -> None:
    assert Success(result=known).load_result(how).result == value


def test_loading_a_mapped_state_loads_its_children() -> None:
    mapped: Any = Mapped(map_states=[Success(result=Kept(location="a")), None, Success(result=5)])  # type: ignore[list-item]

    assert mapped.load_result().result == ["value at a", None, 5]


@pytest.mark.parametrize(
    ("known", "readers", "value"),
    [
        (Result(), {"x": Kept(location="a")}, "value at a"),
        (Result(location="b"), {"x": Kept(location="a")}, "value at b"),
        (Kept(location="b"), None, "value at b"),
        (Result(42), {"x": Kept(location="a")}, 42),
        (Result(), {"x": Kept()}, None),
    ],
)
def test_inputs_are_loaded_where_they_are_not_there(known: Result, readers: Any, value: Any) -> None:
    state = Success(cached_inputs={"x": known}).load_cached_results(readers)

    assert state.cached_inputs["x"].value == value


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda state: pickle.loads(pickle.dumps(state))])
def test_copies_of_a_state_have_all_of_it(again: Any) -> None:
    with context(task_tags=frozenset({"b"})):
        state = Success("done", result=[1], context={"x": 1}, cached_inputs={"y": Result(2)})

    twin = again(state)

    assert (twin.message, twin.result, twin.context, twin.cached_inputs) == ("done", [1], {"x": 1, "tags": ["b"]}, {"y": Result(2)})


class Unpicklable(Exception):
    def __init__(self) -> None:
        super().__init__("held")
        self.lock = threading.Lock()


class HostileToPickling(Exception):
    def __reduce__(self) -> Any:
        raise RuntimeError("not me")


@pytest.mark.parametrize("error", [Unpicklable(), HostileToPickling("held")])
def test_a_state_is_pickled_with_the_words_of_an_exception_that_cannot_be(error: Exception) -> None:
    failed = Failed("It failed.", result=error, context={"a": 1})

    again = pickle.loads(cloudpickle.dumps(failed))

    assert (type(again), again.message, again.context, again.result) == (Failed, "It failed.", {"a": 1}, repr(error))
    assert failed.result is error


@pytest.mark.parametrize("error", [ValueError("x"), FAIL("no")])
def test_a_state_is_pickled_with_its_exception(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(Retrying("again", result=error, run_count=2)))

    assert (type(again.result), again.run_count) == (type(error), 2)
