"""What a Dask cluster loses: workers in the middle of a task, and the last one of them."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator
from pathlib import Path

import dask
import pytest
from distributed import LocalCluster, wait

from headwater import Flow, task
from headwater.sdk.executors import DaskExecutor
from headwater.sdk.executors.dask_calls import OUTCOME_BYTES_MAX
from headwater.sdk.states.state import State


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "executions"


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    # By default a LocalCluster gives a worker up for good that is not there again after 15 seconds, which a busy machine does not manage.
    patient = dask.config.set({"distributed.deploy.lost-worker-timeout": "10 minutes"})
    with (
        patient,
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
        ) as started,
    ):
        yield started


@pytest.mark.parametrize("retries", [0, 2])
def test_a_task_whose_worker_dies_is_executed_as_often_as_its_retries_say(trace: Path, cluster: LocalCluster, retries: int) -> None:
    @task(max_retries=retries, retry_delay=0 if retries else None)
    def die(trace: Path) -> None:
        with trace.open("a") as file:
            file.write("x")
        os._exit(3)

    @task
    def innocent() -> int:
        return 1

    with Flow("dying", executor=DaskExecutor(cluster.scheduler_address)) as flow:
        died = die(trace)
        other = innocent()
    states = flow.run().result

    assert trace.read_text() == "x" * (1 + retries)
    assert states[died].is_failed()
    assert "a task is not executed again by Dask itself" in states[died].message
    assert states[other].result == 1


class TakesOutcomesLate(DaskExecutor):
    """Takes no outcome before all calls have ended: workers have died by then that executed some of them."""

    def next_outcome(self, seconds_max: float | None) -> tuple[Hashable, State] | None:
        with self._client.as_current():
            wait(list(self._futures.values()))  # type: ignore[no-untyped-call]
        return super().next_outcome(seconds_max)


def test_what_came_of_a_task_outlives_the_worker_that_executed_it(trace: Path, cluster: LocalCluster) -> None:
    @task
    def innocent(trace: Path) -> str:
        with trace.open("a") as file:
            file.write("x")
        return "kept"

    @task
    def die() -> None:
        os._exit(3)

    # The cluster's only thread executes them in this order.
    with Flow("dying later", executor=TakesOutcomesLate(cluster.scheduler_address)) as flow:
        others = [innocent(trace) for _ in range(3)]
        died = die()
    states = flow.run().result

    assert states[died].is_failed()
    assert [states[other].result for other in others] == ["kept"] * 3
    assert trace.read_text() == "xxx"


def test_a_result_comes_back_that_is_too_large_for_the_scheduler_to_keep(cluster: LocalCluster) -> None:
    with Flow("large", executor=DaskExecutor(cluster.scheduler_address)) as flow:
        made = task(lambda: b"x" * (OUTCOME_BYTES_MAX + 1), name="make")()

    assert flow.run().result[made].result == b"x" * (OUTCOME_BYTES_MAX + 1)


def test_results_come_back_from_a_cluster_that_counts_no_calls() -> None:
    executor = DaskExecutor(cluster_kwargs={"n_workers": 1, "scheduler_kwargs": {"blocked_handlers": ["run_function"]}})
    with Flow("uncounted", executor=executor) as flow:
        made = task(lambda: 7, name="make")()

    assert flow.run().result[made].result == 7


def test_tasks_fail_with_a_sentence_where_no_worker_is_left() -> None:
    executor = DaskExecutor(cluster_kwargs={"n_workers": 0}, no_workers_timeout=0.1)
    states = Flow("waiting", tasks=[task(lambda: 1, name=f"task {number}") for number in range(50)], executor=executor).run().result

    assert {state.message for state in states.values()} == {"The Dask cluster has had no worker for 0.1 s, so the task cannot be executed."}
