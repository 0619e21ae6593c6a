"""How agents end: by every signal that means it, with a log that takes nothing, and without a run losing an attempt by it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from harness.agent_harness import AgentHarness, AgentProcess, eventually, gone, running_agent
from harness.gates import gated_flow
from harness.servers import NatsNode

from headwater.agents.local import LocalAgent
from headwater.core.events import RunAttemptLost
from headwater.core.states import StateName

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def harness_node(nats_node: NatsNode) -> NatsNode:
    return nats_node


LEASE_SECONDS = 2.0


@pytest.fixture
def agent(harness: AgentHarness, tmp_path: Path) -> Iterator[AgentProcess]:
    process = AgentProcess(tmp_path / "agent", harness.url, {"name": "first", "lease_seconds": LEASE_SECONDS, "grace_seconds": 1.0})
    process.start()
    yield process
    process.kill()


async def gated_run(harness: AgentHarness, gate: Path) -> str:
    """A running run, whose task ends when the gate is opened."""

    run_id = await harness.run(await harness.register(gated_flow(gate)))
    await harness.happened(run_id, "task_run.started")
    return run_id


async def test_an_agent_without_log_ends_on_the_second_signal_and_says_what_was_not_recorded(
    harness: AgentHarness, agent: AgentProcess, nats_node: NatsNode, tmp_path: Path
) -> None:
    run_id = await gated_run(harness, tmp_path / "gate")
    family = agent.descendants()
    nats_node.kill()
    agent.send(signal.SIGTERM)
    await eventually(lambda: "Once more hands them back" in agent.output, "the first signal is taken")
    agent.send(signal.SIGTERM)

    assert await anyio.to_thread.run_sync(agent.wait) == 0
    assert "Not recorded: how these runs ended here: " in agent.output
    assert run_id in agent.output.partition("Not recorded")[2]
    assert agent.output.count("The log takes nothing (") == 1
    await eventually(lambda: gone(family), "nothing the agent started is alive")

    nats_node.start()
    (tmp_path / "gate").touch()
    async with running_agent(harness.url, name="second", lease_seconds=LEASE_SECONDS):
        run = await harness.ended(run_id)
    assert (run.state, run.agent_name) == (StateName.SUCCESS, "second")


async def test_an_agent_that_was_told_to_stop_once_does_not_wait_for_ever_for_its_log(
    harness: AgentHarness, nats_node: NatsNode, tmp_path: Path
) -> None:
    local = LocalAgent(nats_url=harness.url, lease_seconds=LEASE_SECONDS, grace_seconds=1.0)
    local.settings = replace(local.settings, away_seconds=0.1)
    async with anyio.create_task_group() as group:
        await group.start(local.serve)
        await gated_run(harness, tmp_path / "gate")
        nats_node.kill()
        assert local.agent is not None
        local.agent.stop_taking()  # and the group is left when the agent has ended


async def test_an_agent_says_once_that_the_log_takes_nothing_and_once_that_it_does_again(
    harness: AgentHarness, agent: AgentProcess, nats_node: NatsNode, tmp_path: Path
) -> None:
    run_id = await gated_run(harness, tmp_path / "gate")
    nats_node.kill()
    await eventually(lambda: "The log takes nothing (" in agent.output, "the agent says so")
    (tmp_path / "gate").touch()
    nats_node.start()
    run = await harness.ended(run_id)
    await eventually(lambda: "The log takes commits again." in agent.output, "the agent says that it goes on")

    assert run.state is StateName.SUCCESS
    assert "): 1 run waits to record what happened." in agent.output
    assert agent.output.count("The log takes nothing (") == agent.output.count("The log takes commits again.") == 1


async def test_a_closed_terminal_is_a_wish_to_stop(harness: AgentHarness, agent: AgentProcess, tmp_path: Path) -> None:
    run_id = await gated_run(harness, tmp_path / "gate")
    agent.send(signal.SIGHUP)
    await eventually(lambda: "Waiting for these runs to finish" in agent.output, "the agent stops")
    (tmp_path / "gate").touch()
    run = await harness.ended(run_id)

    assert await anyio.to_thread.run_sync(agent.wait) == 0
    assert (run.state, run.attempt) == (StateName.SUCCESS, 1)


async def test_an_agent_that_was_started_to_outlive_its_terminal_does(harness: AgentHarness, tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path / "agent", harness.url, before=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    agent.start()
    agent.send(signal.SIGHUP)
    (tmp_path / "gate").touch()
    run_id = await gated_run(harness, tmp_path / "gate")
    assert (await harness.ended(run_id)).state is StateName.SUCCESS
    assert "Stopping" not in agent.output

    agent.send(signal.SIGTERM)
    assert await anyio.to_thread.run_sync(agent.wait) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
async def test_signals_of_terminals_to_all_that_an_agent_started_cost_no_run_an_attempt(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path, number: signal.Signals
) -> None:
    run_id = await gated_run(harness, tmp_path / "gate")
    for process in agent.descendants():
        process.send_signal(number)
    (tmp_path / "gate").touch()
    run = await harness.ended(run_id)

    assert (run.state, run.attempt) == (StateName.SUCCESS, 1)
    assert "was lost" not in agent.output


@pytest.mark.parametrize("module", ["headwater.agents.local.zygote", "headwater.agents.supervisor"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM])
async def test_the_programs_of_an_agent_live_as_long_as_it_does(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path, number: signal.Signals, module: str
) -> None:
    run_id = await gated_run(harness, tmp_path / "gate")
    program = agent.part(module)
    program.send_signal(number)
    (tmp_path / "gate").touch()

    assert (await harness.ended(run_id)).state is StateName.SUCCESS
    assert program.is_running()


@pytest.mark.parametrize("agent_first", [True, False])
async def test_the_end_of_a_service_told_to_all_its_processes_costs_no_attempt(
    harness: AgentHarness, agent: AgentProcess, tmp_path: Path, agent_first: bool
) -> None:
    run_id = await gated_run(harness, tmp_path / "gate")
    family = agent.descendants()
    if agent_first:
        agent.send(signal.SIGTERM)
    for process in family:
        process.send_signal(signal.SIGTERM)
    if not agent_first:
        agent.send(signal.SIGTERM)
    assert await anyio.to_thread.run_sync(agent.wait) == 0

    (lost,) = [event for event in await harness.happened(run_id, "run.attempt_lost") if isinstance(event, RunAttemptLost)]
    assert lost.released
    (tmp_path / "gate").touch()
    async with running_agent(harness.url, name="second"):
        run = await harness.ended(run_id)
    assert (run.state, run.attempts_lost) == (StateName.SUCCESS, 0)
