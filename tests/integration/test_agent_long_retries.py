"""Retries that are far ahead: the run's process ends, and the run goes on in another one when they are due."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from harness.agent_harness import AgentHarness, eventually, is_alive, running_agent
from harness.monitor_fixtures import promises_are_kept
from harness.servers import NatsNode

from headwater.core.events import RunScheduled
from headwater.core.states import StateName
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow


@pytest.fixture
def harness_node(nats_node: NatsNode) -> NatsNode:
    return nats_node


@pytest.fixture(autouse=True)
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADWATER_RETRY_IN_PROCESS_SECONDS", "1")


def retried_flow(noted: Path, delay: timedelta) -> Flow:
    def note(what: str) -> list[str]:
        with noted.open("a") as file:
            file.write(f"{what} {os.getpid()}\n")
        return noted.read_text().splitlines()

    @task
    def prepare() -> int:
        note("prepared")
        return 42

    @task(max_retries=1, retry_delay=delay)
    def fetch(prepared: int) -> int:
        if len(note("fetched")) == 2:
            raise ValueError("not yet")
        return prepared

    with Flow("retried-flow") as flow:
        fetch(prepare())
    return flow


async def parked(harness: AgentHarness, run_id: str) -> None:
    """Return when the run waits for its retry: that is recorded, and its timer set.

    An agent that stops in between leaves the timer to the run monitor, and here is none.
    """
    await harness.reached(run_id, lambda names, _: names.count("run.scheduled") == 2)
    with anyio.fail_after(60):
        while not await harness.log.queues.is_waiting(run_id, generation=2):
            await anyio.lowlevel.checkpoint()


async def test_a_run_goes_on_in_another_process_when_its_retry_is_due(harness: AgentHarness, tmp_path: Path) -> None:
    noted = tmp_path / "noted"
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(retried_flow(noted, timedelta(seconds=3))))
        events = await harness.reached(run_id, lambda names, _: names.count("run.scheduled") == 2)
        first = int(noted.read_text().split()[-1])
        await eventually(lambda: not is_alive(first), "its process has ended")
        run = await harness.ended(run_id)

    scheduled = events[-1]
    assert isinstance(scheduled, RunScheduled)
    assert "Waiting for the retry of a task" in scheduled.message
    assert (run.state, run.attempt, run.attempts_lost) == (StateName.SUCCESS, 2, 0)
    lines = noted.read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["prepared", "fetched", "fetched"]
    assert lines[1] != lines[2], "another process"
    assert run.task_runs["fetch-1", -1].run_count == 2
    await promises_are_kept(harness.log)


async def test_a_parked_run_survives_the_agent_and_the_broker(harness: AgentHarness, nats_node: NatsNode, tmp_path: Path) -> None:
    async with running_agent(harness.url, name="first"):
        run_id = await harness.run(await harness.register(retried_flow(tmp_path / "noted", timedelta(seconds=4))))
        await parked(harness, run_id)
    nats_node.kill()
    nats_node.start()
    async with running_agent(harness.url, name="second"):
        run = await harness.ended(run_id)

    assert (run.state, run.agent_name) == (StateName.SUCCESS, "second")


async def test_a_parked_run_is_cancelled_at_once(harness: AgentHarness, tmp_path: Path) -> None:
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(retried_flow(tmp_path / "noted", timedelta(hours=3))))
        await parked(harness, run_id)

        outcome = await harness.client.headwater.runs.cancel(run_id)

        assert outcome.state.state is StateName.CANCELLED
        assert outcome.state.task_runs["fetch-1", -1].state is StateName.CANCELLED
        assert not await harness.log.queues.is_waiting(run_id, generation=2)
