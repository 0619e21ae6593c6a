"""Agents that are killed, stopped or cut off: their runs go on elsewhere, once, and nothing of them is left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import anyio
import psutil
import pytest
from harness.agent_harness import AgentHarness, AgentProcess, eventually, gone, is_alive, running_agent
from harness.monitor_fixtures import promises_are_kept
from harness.servers import NatsNode

from headwater.core.states import StateName
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def harness_node(nats_node: NatsNode) -> NatsNode:
    return nats_node


LEASE_SECONDS = 2.0


@pytest.fixture
def agent(harness: AgentHarness, tmp_path: Path) -> Iterator[AgentProcess]:
    process = AgentProcess(tmp_path / "agent", harness.url, {"name": "first", "lease_seconds": LEASE_SECONDS})
    process.start()
    yield process
    process.kill()


def gated_flow(gate: Path) -> Flow:
    """A flow whose task notes the process it runs in, and ends when the gate is opened."""

    @task
    def wait_at_gate() -> None:
        with (gate.parent / "processes").open("a") as file:
            file.write(f"{os.getpid()}\n")
        while not gate.exists():
            time.sleep(0.01)

    return Flow("gated-flow", tasks=[wait_at_gate])


async def test_a_killed_agent_leaves_no_process_and_another_takes_its_run(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run_id = await harness.run(await harness.register(gated_flow(gate)))
    await harness.happened(run_id, "task_run.started")
    family = agent.descendants()
    assert len(family) >= 3  # the zygote, the supervisor and the run

    agent.kill()
    await eventually(lambda: gone(family), "nothing the agent started is alive")
    async with running_agent(harness.url, name="second", lease_seconds=LEASE_SECONDS):
        await harness.happened(run_id, "run.submitted", times=2)
        gate.touch()
        run = await harness.ended(run_id)

    assert (run.state, run.attempt, run.agent_name) == (StateName.SUCCESS, 2, "second")
    assert (await harness.names(run_id)).count("run.attempt_lost") == 1


async def test_a_run_process_that_holds_the_interpreter_dies_with_its_agent(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path
) -> None:
    family = tmp_path / "family"

    @task
    def hold_the_interpreter() -> None:
        import ctypes

        family.write_text(str(os.getpid()))
        ctypes.PyDLL(None).sleep(600)  # a call that keeps the lock: no other thread of this process ever runs again

    await harness.run(await harness.register(Flow("holding-flow", tasks=[hold_the_interpreter])))
    await eventually(lambda: family.exists() and bool(family.read_text()), "the task runs")

    agent.kill()

    await eventually(lambda: not is_alive(int(family.read_text())), "the run's process is gone")


async def test_a_killed_zygote_is_replaced_and_the_run_gets_its_next_attempt(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run_id = await harness.run(await harness.register(gated_flow(gate)))
    await harness.happened(run_id, "task_run.started")
    zygote = agent.part("headwater.agents.local.zygote")
    family = [zygote, *zygote.children(recursive=True)]

    zygote.kill()
    await harness.happened(run_id, "run.submitted", times=2)
    gate.touch()
    run = await harness.ended(run_id)

    assert (run.state, run.attempt) == (StateName.SUCCESS, 2)
    assert gone(family)


async def test_an_agent_told_to_stop_lets_its_runs_finish_and_takes_no_others(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    flow_id = await harness.register(gated_flow(gate))
    run_id = await harness.run(flow_id, run_name="patient-heron")
    await harness.happened(run_id, "task_run.started")

    agent.send(signal.SIGINT)
    await eventually(lambda: "Waiting for these runs to finish: 'patient-heron'" in agent.output, "it says what it waits for")
    later = await harness.run(flow_id)
    gate.touch()

    assert agent.wait() == 0
    assert (await harness.state(run_id)).state is StateName.SUCCESS
    assert (await harness.state(later)).state is StateName.SCHEDULED
    assert "ended: Success" in agent.output


async def test_an_agent_told_twice_hands_its_runs_back_at_once(harness: AgentHarness, agent: AgentProcess, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run_id = await harness.run(await harness.register(gated_flow(gate)), run_name="patient-heron")
    await harness.happened(run_id, "task_run.started")
    family = agent.descendants()

    agent.send(signal.SIGTERM)
    await eventually(lambda: "Waiting for these runs to finish: 'patient-heron'" in agent.output, "it says what it waits for")
    agent.send(signal.SIGINT)

    assert agent.wait() == 0
    assert "Handing back: 'patient-heron'" in agent.output
    assert gone(family)
    async with running_agent(harness.url, name="second", lease_seconds=LEASE_SECONDS):
        gate.touch()
        run = await harness.ended(run_id)
    assert (run.state, run.attempt, run.attempts_lost, run.agent_name) == (StateName.SUCCESS, 2, 0, "second")
    await promises_are_kept(harness.log)


async def test_a_run_outlives_the_death_of_the_broker_as_its_first_attempt(
    harness: AgentHarness, agent: AgentProcess, nats_node: NatsNode, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    other = AgentProcess(tmp_path / "other", harness.url, {"name": "other", "lease_seconds": LEASE_SECONDS})
    other.start()
    try:
        run_id = await harness.run(await harness.register(gated_flow(gate)))
        await harness.happened(run_id, "task_run.started")

        nats_node.kill()
        gate.touch()  # it ends while the log is away
        nats_node.start()
        run = await harness.ended(run_id)
    finally:
        other.kill()

    assert (run.state, run.attempt) == (StateName.SUCCESS, 1)
    assert (tmp_path / "processes").read_text().count("\n") == 1


async def test_a_held_run_survives_a_restart_of_the_broker_though_its_item_is_offered_again(
    harness: AgentHarness, agent: AgentProcess, nats_node: NatsNode, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    other = AgentProcess(tmp_path / "other", harness.url, {"name": "other", "lease_seconds": 6.0})
    other.start()
    try:
        flow_id = await harness.register(gated_flow(gate))
        run_ids = [await harness.run(flow_id) for _ in range(4)]
        for run_id in run_ids:
            await harness.happened(run_id, "task_run.started")

        nats_node.kill()
        nats_node.start()
        await eventually(lambda: len(nats_node.monitor("connz")["connections"]) >= 6, "agents, their supervisors and we are back")
        late = await harness.run(flow_id)
        await harness.happened(late, "task_run.started")
        gate.touch()
        runs = [await harness.ended(run_id) for run_id in [*run_ids, late]]
    finally:
        other.kill()

    assert [(run.state, run.attempt) for run in runs] == [(StateName.SUCCESS, 1)] * 5


async def test_an_agent_cut_off_for_longer_than_its_lease_loses_its_run_and_stops_its_process(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run_id = await harness.run(await harness.register(gated_flow(gate)))
    await harness.happened(run_id, "task_run.started")
    noted = tmp_path / "processes"
    await eventually(lambda: noted.exists() and noted.read_text().endswith("\n"), "the task's code runs")
    process_id = int(noted.read_text())

    agent.send(signal.SIGSTOP)
    async with running_agent(harness.url, name="second", lease_seconds=LEASE_SECONDS):
        await harness.happened(run_id, "run.submitted", times=2)
        agent.send(signal.SIGCONT)
        await eventually(lambda: not is_alive(process_id), "the process of the lost attempt is stopped")
        gate.touch()
        run = await harness.ended(run_id)

    assert (run.state, run.attempt, run.agent_name) == (StateName.SUCCESS, 2, "second")
    assert (await harness.names(run_id)).count("task_run.succeeded") == 1
    await promises_are_kept(harness.log)


async def test_what_a_frozen_attempt_tries_when_it_wakes_is_refused_and_it_ends_itself(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run_id = await harness.run(await harness.register(gated_flow(gate)))
    await harness.happened(run_id, "task_run.started")
    noted = tmp_path / "processes"
    await eventually(lambda: noted.exists() and noted.read_text().endswith("\n"), "the task's code runs")
    stale = psutil.Process(int(noted.read_text()))
    agent.send(signal.SIGSTOP)
    stale.suspend()
    frozen_at = anyio.current_time()
    try:
        async with running_agent(harness.url, name="second", lease_seconds=LEASE_SECONDS):
            await harness.happened(run_id, "run.submitted", times=2)
            gate.touch()
            run = await harness.ended(run_id)
            before = await harness.names(run_id)
            await anyio.sleep_until(frozen_at + 3 * LEASE_SECONDS)
            # Alone at first: no writer lets it see that it lost its run, and its task, which can end now, is recorded as it is used to.
            stale.resume()
            await eventually(lambda: gone([stale]), "the stale attempt ends itself")
            agent.send(signal.SIGCONT)
            await eventually(lambda: "the run went on without it" in agent.output, "its agent knows")
    finally:
        with suppress(psutil.NoSuchProcess):
            stale.resume()

    assert (run.state, run.attempt, run.agent_name) == (StateName.SUCCESS, 2, "second")
    assert await harness.names(run_id) == before
    assert before.count("task_run.started") == 2
    assert (before.count("run.attempt_lost"), before.count("task_run.succeeded")) == (1, 1)
    await promises_are_kept(harness.log)
