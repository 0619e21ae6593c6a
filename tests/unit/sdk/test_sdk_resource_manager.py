"""Resources: set up before those that use them, cleaned up after them."""
# mypy: disable-error-code="attr-defined, arg-type"

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from headwater import Flow, Parameter, case, resource_manager, task
from headwater.sdk.language.errors import InvalidFlow, InvalidTask
from headwater.sdk.states.signals import SKIP
from headwater.sdk.states.state import Cancelled, Failed, Skipped, State, Success, TriggerFailed

happened: list[str] = []


@pytest.fixture(autouse=True)
def nothing_happened() -> Iterator[None]:
    happened.clear()
    yield
    happened.clear()


@resource_manager
class Pool:
    def __init__(self, size: int, trouble: str = "") -> None:
        self.size, self.trouble = size, trouble
        if trouble == "init":
            raise ValueError("no pool")

    def setup(self) -> str:
        if self.trouble == "setup":
            raise ValueError("no connection")
        if self.trouble == "skip":
            raise SKIP("not today")
        happened.append("setup")
        return f"pool of {self.size}"

    def cleanup(self, pool: str) -> None:
        happened.append(f"cleanup of {pool}")


@task
def use(pool: str) -> str:
    happened.append(f"use {pool}")
    return pool


@task
def work() -> str:
    happened.append("work")
    return "done"


def flow_with_a_pool(trouble: str = "") -> Flow:
    with Flow("f") as flow, Pool(3, trouble=trouble) as pool:
        use(pool)
        work()
    return flow


def by_name(flow: Flow, state: State) -> dict[str, State]:
    return {task.name: state.result[task] for task in flow.tasks}


def test_it_is_set_up_first_and_cleaned_up_last(run: Callable[..., State]) -> None:
    flow = flow_with_a_pool()

    state = run(flow)

    assert state.is_successful()
    assert (happened[0], happened[-1]) == ("setup", "cleanup of pool of 3")
    assert set(happened[1:-1]) == {"use pool of 3", "work"}
    assert {task.name for task in flow.reference_tasks()} == {"use", "work"}


def test_it_is_cleaned_up_though_a_task_failed_and_the_run_fails(run: Callable[..., State]) -> None:
    with Flow("f") as flow, Pool(1) as pool:
        after = use(fail(pool))

    state = run(flow)

    assert state.is_failed()
    assert isinstance(state.result[after], TriggerFailed)
    assert happened == ["setup", "cleanup of pool of 1"]


@task
def fail(pool: str) -> None:
    raise ValueError(pool)


@task
def report() -> None:
    happened.append("report")


def test_work_that_failed_fails_the_run_whatever_comes_after_the_cleanup(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        manager = Pool(1)
        with manager as pool:
            fail(pool)
        told = report(upstream_tasks=[manager.cleanup_task])
        report(upstream_tasks=[told])

    state = run(flow)

    assert happened == ["setup", "cleanup of pool of 1", "report", "report"]
    assert (type(state), state.result[told].is_successful()) == (Failed, True)
    assert sorted(flow.slugs[task] for task in flow.reference_tasks()) == ["fail-1", "report-2"]


def test_work_in_a_resource_within_another_fails_the_run_too(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        outer = Pool(1)
        with outer as pool, Pool(2) as inner:
            fail(inner, upstream_tasks=[pool])
        report(upstream_tasks=[outer.cleanup_task])

    assert run(flow).is_failed()


def test_one_resource_after_another_decides_with_its_work_too(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        first, second = Pool(1), Pool(2)
        with first as pool:
            failed = fail(pool)
        with second as pool:
            pool.set_upstream(first.cleanup_task)
            used = use(pool)

    assert run(flow).is_failed()
    assert flow.reference_tasks() == {failed, used}


@pytest.mark.parametrize("trouble", ["init", "setup", "skip"])
def test_what_was_not_set_up_is_not_cleaned_up(run: Callable[..., State], trouble: str) -> None:
    flow = flow_with_a_pool(trouble)

    state = run(flow)

    assert isinstance(by_name(flow, state)["Pool.cleanup"], Skipped)
    assert happened == []
    assert state.is_failed() == (trouble != "skip")


def test_tasks_that_feed_the_resource_stay_before_it(run: Callable[..., State]) -> None:
    @task
    def size() -> int:
        happened.append("size")
        return 7

    with Flow("f") as flow, Pool(size()) as pool:
        use(pool)

    run(flow)

    assert happened == ["size", "setup", "use pool of 7", "cleanup of pool of 7"]


def test_resources_nest_with_each_other_and_with_branches(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        wanted = Parameter("wanted")
        with case(wanted, True), Pool(1) as outer:
            first = use(outer)
            with Pool(2) as inner, case(first, "pool of 1"):
                use(inner)

    assert run(flow, {"wanted": True}).is_successful()
    assert happened[-3:] == ["use pool of 2", "cleanup of pool of 2", "cleanup of pool of 1"]
    assert sorted(happened[:-3]) == ["setup", "setup", "use pool of 1"]
    happened.clear()
    assert run(flow, {"wanted": False}).is_successful()
    assert happened == []


def test_the_three_tasks_can_be_given_settings(run: Callable[..., State]) -> None:
    @resource_manager(name="database", setup_task_kwargs={"tags": ["slow"]}, cleanup_task_kwargs={"name": "disconnect"})
    class Database:
        def setup(self) -> int:
            return 1

        def cleanup(self, connection: int) -> None:
            happened.append("disconnected")

    with Flow("f") as flow, Database() as connection:
        pass

    state = run(flow)

    assert {task.name for task in flow.tasks} == {"database", "database.setup", "disconnect"}
    assert connection.tags == {"slow"}
    assert isinstance(by_name(flow, state)["disconnect"], Success)
    assert happened == ["disconnected"]
    assert flow.reference_tasks() == {connection}


def test_a_class_that_cannot_manage_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(InvalidTask, match="has no cleanup"):

        @resource_manager
        class Half:
            def setup(self) -> None: ...

    with pytest.raises(InvalidTask, match=r"cleanup must be callable as cleanup\(self, resource\)"):

        @resource_manager
        class Wrong:
            def setup(self) -> None: ...
            def cleanup(self) -> None: ...


def test_an_interrupted_run_cleans_up_behind_what_was_set_up_and_nothing_else(run: Callable[..., State]) -> None:
    done: list[str] = []

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def setup(self) -> str:
            done.append(f"+{self.name}")
            return self.name

        def cleanup(self, resource: str) -> None:
            done.append(f"-{resource}")
            if resource == "inner":
                raise KeyboardInterrupt

    named: Any = resource_manager(Named)

    @task
    def interrupted(resource: str) -> None:
        raise KeyboardInterrupt

    with Flow("f") as flow:
        with named("outer"), named("inner") as inner:
            used = interrupted(inner)
        with named("later") as later:
            task(lambda x: x, name="use later")(later)
        later.set_upstream(used)

    state = run(flow)

    assert type(state) is Cancelled
    assert [each for each in done if "later" not in each] == ["+outer", "+inner", "-inner", "-outer"]
    assert "-later" not in done


@resource_manager
class Marker:
    def __init__(self, trouble: str = "") -> None:
        if trouble:
            raise ValueError("no marker")
        happened.append("init")

    def cleanup(self, nothing: None) -> None:
        happened.append(f"cleanup of {nothing}")


def test_a_resource_without_setup_is_made_and_cleaned_up(run: Callable[..., State]) -> None:
    with Flow("f") as flow, Marker() as marker:
        work()

    state = run(flow)

    assert marker is None
    assert (set(happened), happened[-1]) == ({"init", "work", "cleanup of None"}, "cleanup of None")
    assert state.is_successful()
    assert {(edge.upstream_task.name, edge.downstream_task.name) for edge in flow.edges} == {
        ("Marker", "Marker.cleanup"),
        ("work", "Marker.cleanup"),
    }


def test_a_resource_without_setup_that_was_not_made_is_not_cleaned_up(run: Callable[..., State]) -> None:
    with Flow("f") as flow, Marker("trouble"):
        work()

    states = by_name(flow, run(flow))

    assert (happened, type(states["Marker.cleanup"])) == (["work"], Skipped)


def test_a_resource_of_one_flow_refuses_tasks_of_another() -> None:
    with Flow("first"), pytest.raises(InvalidFlow, match="multiple flows cannot share a block"), Marker():
        work.copy().bind(flow=Flow("second"))
