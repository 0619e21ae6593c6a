"""The supervisor beside an agent: it alone speaks to the log for the processes of runs, and what becomes of it is not their fault."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import psutil
import pytest
from harness.agent_harness import AgentHarness, AgentProcess, eventually, gone, running_agent
from harness.monitor_fixtures import promises_are_kept
from harness.servers import NatsNode

from headwater import Client, Flow, task
from headwater.core.errors import NotFound
from headwater.core.events import RunAttemptLost
from headwater.core.states import StateName
from headwater.sdk.backend import watch_flow_run
from headwater.sdk.context.context import context
from headwater.sdk.executors import ProcessExecutor

pytestmark = pytest.mark.usefixtures("home")

LEASE_SECONDS = 2.0
SUPERVISOR = "headwater.agents.supervisor"
ZYGOTE = "headwater.agents.local.zygote"


@pytest.fixture
def harness_node(nats_node: NatsNode) -> NatsNode:
    """One for each test: some leave runs behind, which the agent of the next one would take."""
    return nats_node


@pytest.fixture
def agent(harness: AgentHarness, tmp_path: Path) -> Iterator[AgentProcess]:
    process = AgentProcess(tmp_path / "agent", harness.url, {"name": "first", "lease_seconds": LEASE_SECONDS})
    process.start()
    yield process
    process.kill()


async def gated_run(harness: AgentHarness, gate: Path) -> tuple[str, psutil.Process]:
    """A run whose task ends when the gate is there, and its process."""
    noted = gate.with_suffix(".pid")

    @task
    def wait_at_gate() -> None:
        noted.write_text(f"{os.getpid()}.")
        while not gate.exists():
            time.sleep(0.01)

    run_id = await harness.run(await harness.register(Flow("gated-flow", tasks=[wait_at_gate])))
    await eventually(lambda: noted.exists() and noted.read_text().endswith("."), "the task runs")
    return run_id, psutil.Process(int(noted.read_text()[:-1]))


async def test_the_process_of_a_run_has_no_connection_and_one_thread(harness: AgentHarness) -> None:
    @task
    def look() -> None:
        process = psutil.Process()
        context.logger.info("%d threads, %d connections", process.num_threads(), len(process.net_connections("inet")))

    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(Flow("looking-flow", tasks=[look])))
        await harness.ended(run_id)

    assert "1 threads, 0 connections" in [line.message for line in await harness.lines(run_id)]


def with_a_client(child_flow_id: str) -> tuple[int, str]:
    """Do with a client what clients do; return how many connections there are meanwhile, and how its own run is."""
    with Client() as client:
        child = client.create_flow_run(flow_id=child_flow_id, run_name="child")
        seen = {line.message for line in watch_flow_run(child, client=client)}
        client.set_flow_run_name(child, "renamed")
        with pytest.raises(NotFound):
            client.get_flow_run_info("01a21fea-0000-7000-8000-000000000000")
        later = datetime.now(UTC) + timedelta(days=1)
        assert client.cancel_flow_run(client.create_flow_run(flow_id=child_flow_id, scheduled_start_time=later))
        own = client.get_flow_run_info(context.flow_run_id)
        assert seen >= {"I am a child.", "Entered state <Success>: All reference tasks succeeded."}
        return len(psutil.Process().net_connections("inet")), type(own.state).__name__


@pytest.mark.parametrize("executor", [None, "processes"])
async def test_a_client_in_a_task_speaks_through_the_supervisor(harness: AgentHarness, executor: str | None) -> None:
    """In a process that the run's one started there is no way to the supervisor: there a client has a connection of its own."""

    @task
    def look(child_flow_id: str) -> None:
        context.logger.info("%s", with_a_client(child_flow_id))

    @task
    def say() -> None:
        context.logger.info("I am a child.")

    child_flow_id = await harness.register(Flow("child-flow", tasks=[say]))
    with Flow("calling-flow", executor=ProcessExecutor(1) if executor else None) as flow:
        look(child_flow_id)
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(flow))
        run = await harness.ended(run_id)

    assert run.state is StateName.SUCCESS, [line.message for line in await harness.lines(run_id)]
    connections = 0 if executor is None else 1
    assert str((connections, "Running")) in [line.message for line in await harness.lines(run_id)]


async def test_the_runs_of_a_killed_supervisor_are_released_and_go_on_at_once(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path
) -> None:
    run_id, process = await gated_run(harness, tmp_path / "gate")
    before = agent.part(SUPERVISOR)

    before.kill()
    (*_, lost) = await harness.happened(run_id, "run.attempt_lost")
    await harness.happened(run_id, "run.submitted", times=2)
    (tmp_path / "gate").touch()
    run = await harness.ended(run_id)

    assert isinstance(lost, RunAttemptLost)
    assert (lost.released, "the process that records for runs was ended by signal 9" in lost.reason) == (True, True)
    assert (run.state, run.attempt, run.attempts_lost) == (StateName.SUCCESS, 2, 0)
    assert agent.part(SUPERVISOR).pid != before.pid
    assert gone([process])
    await promises_are_kept(harness.log)


async def test_a_supervisor_that_is_slow_delays_no_lease(harness: AgentHarness, agent: AgentProcess, tmp_path: Path) -> None:
    run_id, _ = await gated_run(harness, tmp_path / "gate")
    supervisor = agent.part(SUPERVISOR)
    supervisor.suspend()
    frozen_at = anyio.current_time()
    try:
        async with running_agent(harness.url, name="second", lease_seconds=LEASE_SECONDS):
            (tmp_path / "gate").touch()
            await anyio.sleep_until(frozen_at + 2 * LEASE_SECONDS)
            supervisor.resume()
            run = await harness.ended(run_id)
    finally:
        supervisor.resume()

    assert (run.state, run.attempt, run.agent_name) == (StateName.SUCCESS, 1, "first")


async def test_an_attempt_that_lost_its_run_ends_though_its_agent_is_frozen(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path
) -> None:
    noted, first_gate, second_gate = tmp_path / "noted", tmp_path / "first", tmp_path / "second"

    @task
    def wait_at(gate: str) -> None:
        with noted.open("a") as file:
            file.write(f"{os.getpid()}\n")
        while not Path(gate).exists():
            time.sleep(0.01)

    with Flow("two-gates") as flow:
        wait_at(str(second_gate), upstream_tasks=[wait_at(str(first_gate))])
    run_id = await harness.run(await harness.register(flow))
    await eventually(lambda: noted.exists() and noted.read_text().endswith("\n"), "the first task runs")
    stale = psutil.Process(int(noted.read_text()))

    agent.send(signal.SIGSTOP)
    async with running_agent(harness.url, name="second", lease_seconds=LEASE_SECONDS):
        await harness.happened(run_id, "run.submitted", times=2)
        first_gate.touch()  # the stale attempt records that its first task ended, and would wait at the second gate for ever
        await eventually(lambda: gone([stale]), "the stale attempt is ended by its supervisor")
        second_gate.touch()
        run = await harness.ended(run_id)
    agent.send(signal.SIGCONT)

    assert (run.state, run.attempt, run.agent_name) == (StateName.SUCCESS, 2, "second")
    await promises_are_kept(harness.log)


async def test_a_supervisor_whose_agent_is_gone_ends_the_runs_where_the_zygote_cannot(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path
) -> None:
    _, process = await gated_run(harness, tmp_path / "gate")
    zygote, supervisor = agent.part(ZYGOTE), agent.part(SUPERVISOR)
    zygote.suspend()
    try:
        agent.kill()
        await eventually(lambda: gone([supervisor]), "the supervisor has ended")
        assert gone([process])
    finally:
        with suppress(psutil.NoSuchProcess):
            zygote.resume()


async def test_a_task_that_writes_to_our_descriptor_harms_only_its_run(harness: AgentHarness, agent: AgentProcess, tmp_path: Path) -> None:
    @task
    def write_to_everything() -> None:
        for descriptor in range(3, 10):
            with suppress(OSError):
                os.write(descriptor, b"not for you")

    other, _ = await gated_run(harness, tmp_path / "gate")
    flow_id = await harness.register(Flow("scribbling-flow", tasks=[write_to_everything]))
    scribbler = await harness.ended(await harness.run(flow_id))
    (tmp_path / "gate").touch()

    run = await harness.ended(other)
    assert (run.state, run.attempt) == (StateName.SUCCESS, 1)
    assert "something else than Headwater wrote to the channel of its process: A piece of 11 bytes has no header" in scribbler.message
    assert "Traceback" not in agent.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_supervisor_leaves_with_its_agent(agent: AgentProcess, number: signal.Signals) -> None:
    supervisor = agent.part(SUPERVISOR)

    agent.send(number)

    assert await anyio.to_thread.run_sync(agent.wait) == 0, agent.output
    await eventually(lambda: gone([supervisor]), "the supervisor has ended")
