"""What a Dask cluster loses: workers in the middle of a task, and the last one of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from headwater import Flow, task
from headwater.executors import DaskExecutor


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "executions"


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as started:
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


def test_tasks_fail_with_a_sentence_where_no_worker_is_left() -> None:
    executor = DaskExecutor(cluster_kwargs={"n_workers": 0}, no_workers_timeout=0.1)
    states = Flow("waiting", tasks=[task(lambda: 1, name=f"task {number}") for number in range(50)], executor=executor).run().result

    assert {state.message for state in states.values()} == {"The Dask cluster has had no worker for 0.1 s, so the task cannot be executed."}
