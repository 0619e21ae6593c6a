"""Executors of a user's own, written as for Prefect: `submit` and `wait`; and classes derived from those of Headwater."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import cloudpickle
import pytest

from headwater import Flow, task, unmapped
from headwater.sdk.context.configuration import set_temporary_config
from headwater.sdk.executors import DaskExecutor, Executor, LocalDaskExecutor, LocalExecutor, ProcessExecutor, ThreadExecutor
from headwater.sdk.executors.dask import LocalDaskExecutor as AtItsOwnPath


class Inline(Executor):
    """The smallest there is."""

    def submit(self, fn: Callable[..., Any], *args: Any, extra_context: Any = None, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    def wait(self, futures: Any) -> Any:
        return futures


class InPool(Executor):
    """As the documentation shows one."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[Any] = []

    @contextmanager
    def start(self) -> Iterator[None]:
        with ThreadPoolExecutor(3) as self.pool:
            yield
        del self.pool

    def submit(self, fn: Callable[..., Any], *args: Any, extra_context: Any = None, **kwargs: Any) -> Future[Any]:
        self.names.append(extra_context)
        return self.pool.submit(fn, *args, **kwargs)

    def wait(self, futures: Any) -> Any:
        return {key: future.result() for key, future in futures.items()}


@task
def numbers() -> list[int]:
    return [1, 2, 3]


@task
def add(x: int, y: int) -> int:
    if x == y == 2:
        raise ValueError("two twos")
    return x + y


@pytest.mark.parametrize("make", [Inline, InPool])
def test_an_executor_of_a_user_runs_flows(make: Callable[[], Executor]) -> None:
    executor = make()
    with Flow("f", executor=executor) as flow:
        sums = add.map(numbers(), y=unmapped(1))
        failing = add(2, 2)

    state = flow.run()

    assert state.is_failed()
    assert state.result[sums].result == [2, 3, 4]
    assert isinstance(state.result[failing].result, ValueError)
    assert isinstance(cloudpickle.loads(cloudpickle.dumps(flow)).executor, make)  # type: ignore[arg-type]


def test_submit_gets_the_names_of_the_task() -> None:
    executor = InPool()
    with Flow("f", executor=executor) as flow:
        add.map(numbers(), y=unmapped(1))

    flow.run()

    told = [(each["task_name"], each["task_slug"], each["task_index"]) for each in executor.names]
    assert told == [("numbers", "numbers-1", None), *(("add", "add-1", index) for index in range(3))]


class WithoutWait(Executor):
    def submit(self, fn: Callable[..., Any], *args: Any, extra_context: Any = None, **kwargs: Any) -> Any:
        return fn(*args)


class GivesNothing(Inline):
    def wait(self, futures: Any) -> Any:
        return dict.fromkeys(futures)


class Breaks(Inline):
    def wait(self, futures: Any) -> Any:
        raise OSError("the cluster is gone")


@pytest.mark.parametrize(
    ("executor", "words"),
    [
        (Executor(), "has no method submit"),
        (WithoutWait(), "has no method wait"),
        (GivesNothing(), "gave no state"),
        (Breaks(), "the cluster is gone"),
    ],
)
def test_an_executor_that_cannot_execute_fails_the_task_with_a_sentence(executor: Executor, words: str) -> None:
    with Flow("f", executor=executor) as flow:
        made = numbers()

    state = flow.run()

    assert state.is_failed()
    assert words in f"{state.result[made].message} {state.result[made].result}"


class Mine(LocalDaskExecutor):
    started = False

    @contextmanager
    def start(self) -> Iterator[None]:
        Mine.started = True
        with super().start():
            yield


def test_the_local_dask_executor_is_a_class_to_derive_from() -> None:
    executor = Mine("threads", num_workers=2)
    with Flow("f", executor=executor) as flow:
        sums = add.map(numbers(), y=unmapped(1))

    state = flow.run()

    assert Mine.started
    assert state.result[sums].result == [2, 3, 4]
    assert isinstance(executor, LocalDaskExecutor)
    assert not isinstance(LocalExecutor(), LocalDaskExecutor)
    assert AtItsOwnPath is LocalDaskExecutor
    assert (executor.scheduler, executor.num_workers, executor.capacity) == ("threads", 2, 2)
    again = pickle.loads(pickle.dumps(executor))
    assert (type(again), again.scheduler, again.capacity) == (Mine, "threads", 2)


@pytest.mark.parametrize(
    "executor", [LocalExecutor(), ThreadExecutor(2), ProcessExecutor(1), LocalDaskExecutor(), LocalDaskExecutor("sync"), Inline(), InPool()]
)
def test_executors_submit_and_wait_for_functions(executor: Executor) -> None:
    with executor.start():
        futures = {"one": executor.submit(abs, -1), "two": executor.submit(pow, 2, exp=3)}
        assert executor.wait(futures) == {"one": 1, "two": 8}
        mapped = dict(enumerate(executor.map(divmod, [7, 8], [2, 3])))
        assert executor.wait(mapped) == {0: (3, 1), 1: (2, 2)}


def test_the_base_executor_does_nothing_and_can_be_pickled() -> None:
    executor = Executor()
    with executor.start():
        assert isinstance(cloudpickle.loads(cloudpickle.dumps(executor)), Executor)
    with pytest.raises(NotImplementedError):
        executor.submit(lambda: 1)
    with pytest.raises(NotImplementedError):
        executor.wait([1])


def test_the_configuration_names_the_dask_cluster_of_executors_that_choose_none() -> None:
    chosen = {"engine.executor.dask.address": "tcp://10.0.0.1:8786", "engine.executor.dask.cluster_class": "my.Cluster", "debug": True}
    with set_temporary_config(chosen):
        default, other, own = DaskExecutor(), DaskExecutor("tcp://10.0.0.2:8786"), DaskExecutor(adapt_kwargs={"maximum": 2}, debug=False)

    assert [each.address for each in (default, other, own)] == ["tcp://10.0.0.1:8786", "tcp://10.0.0.2:8786", None]
    assert [each.cluster_class for each in (default, other, own)] == [None, None, "my.Cluster"]
    assert (default.debug, own.debug, DaskExecutor().address, DaskExecutor().debug) == (True, False, None, False)


def test_arguments_of_the_dask_executor_stand_in_the_known_order() -> None:
    executor = DaskExecutor(None, "my.Cluster", {"n": 1}, {"maximum": 2}, {"timeout": 3}, True, "report.html", True, False)

    assert (executor.cluster_class, executor.cluster_kwargs, executor.adapt_kwargs) == ("my.Cluster", {"n": 1}, {"maximum": 2})
    assert (executor.client_kwargs, executor.debug, executor.performance_report_path) == ({"timeout": 3}, True, "report.html")
