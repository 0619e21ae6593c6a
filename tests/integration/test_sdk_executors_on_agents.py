"""Runs of an agent whose tasks are executed elsewhere: in processes, and on a Dask cluster."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from harness.agent_harness import AgentHarness, agent_harness, hosted, running_agent
from harness.servers import NatsNode

from headwater.core.events import TaskRunFailed
from headwater.core.states import StateName
from headwater.sdk.context.context import context
from headwater.sdk.executors import DaskExecutor, Executor, ProcessExecutor, ThreadExecutor
from headwater.sdk.language.annotations import unmapped
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

pytestmark = [
    pytest.mark.usefixtures("home"),
    pytest.mark.filterwarnings("ignore"),  # of Dask's own event loops
]


@pytest.fixture
async def harness(module_nats_node: NatsNode) -> AsyncIterator[AgentHarness]:
    async with hosted(agent_harness(module_nats_node.url)) as opened, hosted(running_agent(module_nats_node.url)):
        yield opened


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL) as started:
        yield started


@task
def numbers() -> list[int]:
    return [1, 2, 0]


@task(log_stdout=True)
def ten_by(x: int, unit: str) -> str:
    context.logger.info("dividing by %d in run %s", x, context.flow_run_name)
    print(f"printed {x}")
    return f"{10 / x} {unit}"


@pytest.mark.parametrize("kind", ["threads", "processes", "dask at an address", "dask of its own"])
async def test_states_lines_and_failures_come_back_from_where_tasks_are_executed(
    harness: AgentHarness, kind: str, request: pytest.FixtureRequest
) -> None:
    executor: Executor = ThreadExecutor(2)
    if kind == "processes":
        executor = ProcessExecutor(2)
    elif kind == "dask at an address":
        executor = DaskExecutor(request.getfixturevalue("cluster").scheduler_address)
    elif kind == "dask of its own":
        executor = DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 2})
    with Flow(f"on {kind}", executor=executor) as flow:
        ten_by.map(numbers(), unmapped("pieces"))

    run_id = await harness.run(await harness.register(flow), run_name="quiet-heron")
    run = await harness.ended(run_id)

    assert run.state is StateName.FAILED
    assert {key: found.state.value for key, found in run.task_runs.items()} == {
        ("numbers-1", -1): "Success",
        ("ten_by-1", -1): "Mapped",
        ("ten_by-1", 0): "Success",
        ("ten_by-1", 1): "Success",
        ("ten_by-1", 2): "Failed",
    }
    (failed,) = [event for event in await harness.happened(run_id, "run.failed") if isinstance(event, TaskRunFailed)]
    assert failed.failure is not None
    assert (failed.failure.type, failed.failure.traceback[-1].function) == ("ZeroDivisionError", "ten_by")
    assert failed.failure.traceback[-1].file.endswith("test_sdk_executors_on_agents.py")
    lines = {(line.message, line.task, line.map_index) for line in await harness.lines(run_id)}
    for index, x in enumerate((1, 2, 0)):
        assert (f"dividing by {x} in run quiet-heron", "ten_by-1", index) in lines
        assert (f"printed {x}", "ten_by-1", index) in lines
