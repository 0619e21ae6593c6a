"""Agents die with no other left to notice: the run monitor records it, ends what was to be cancelled, and lets runs go on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest
from harness.agent_harness import AgentHarness, AgentProcess, agent_harness, eventually, hosted, is_alive, running_agent
from harness.monitor_fixtures import promises_are_kept, running_monitor
from harness.servers import NatsNode

from headwater.core.events import event_type
from headwater.core.log import subjects
from headwater.core.states import StateName
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.server.monitor import RunMonitor
from headwater.server.monitor.monitor_times import MonitorTimes

pytestmark = pytest.mark.usefixtures("home")

LEASE_SECONDS = 1.0
PATIENCE_SECONDS = 60.0


@pytest.fixture
async def harness(nats_node: NatsNode) -> AsyncIterator[AgentHarness]:
    async with hosted(agent_harness(nats_node.url)) as opened:
        yield opened
        await promises_are_kept(opened.log)


@pytest.fixture
async def run_monitor(harness: AgentHarness) -> AsyncIterator[RunMonitor]:
    async with hosted(running_monitor(harness.url)) as monitor:
        yield monitor


@pytest.fixture
def agent(harness: AgentHarness, tmp_path: Path) -> Iterator[AgentProcess]:
    process = AgentProcess(tmp_path / "agent", harness.url, {"name": "first", "lease_seconds": LEASE_SECONDS})
    process.start()
    yield process
    process.kill()


def gated_flow(gate: Path) -> Flow:
    @task
    def wait_at_gate() -> None:
        (gate.parent / "process").write_text(str(os.getpid()))
        while not gate.exists():
            time.sleep(0.01)

    return Flow("gated-flow", tasks=[wait_at_gate])


async def agent_events(harness: AgentHarness, name: str, *, times: int = 1) -> list[str]:
    """Return the names of what happened to agents, as soon as this has happened so often."""
    names: list[str] = []
    with anyio.fail_after(PATIENCE_SECONDS):
        async with harness.log.events.follow(subjects.AGENTS_ALL) as news:
            async for batch in news:
                names += [event_type(event) for recorded in batch for event in recorded.commit.events]
                if names.count(name) >= times:
                    return names
    raise AssertionError("the feed ended")


async def running(harness: AgentHarness, gate: Path) -> str:
    run_id = await harness.run(await harness.register(gated_flow(gate)))
    await harness.happened(run_id, "task_run.started")
    return run_id


async def test_the_run_of_a_killed_agent_waits_for_the_next_one(
    harness: AgentHarness, run_monitor: RunMonitor, agent: AgentProcess, tmp_path: Path
) -> None:
    run_id = await running(harness, tmp_path / "gate")

    agent.kill()
    await agent_events(harness, "agent.lost")
    await harness.happened(run_id, "run.attempt_lost")

    waiting = await harness.state(run_id)
    assert (waiting.state, waiting.held) == (StateName.SCHEDULED, False)
    assert "agent 'first' sent no heartbeat" in waiting.message
    (tmp_path / "gate").touch()
    async with running_agent(harness.url, name="second", lease_seconds=LEASE_SECONDS):
        ended = await harness.ended(run_id)
    assert (ended.state, ended.attempt, ended.agent_name) == (StateName.SUCCESS, 2, "second")


async def test_two_monitors_record_a_loss_once(harness: AgentHarness, run_monitor: RunMonitor, agent: AgentProcess, tmp_path: Path) -> None:
    async with running_monitor(harness.url, name="other-monitor"):
        run_id = await running(harness, tmp_path / "gate")
        agent.kill()
        await harness.happened(run_id, "run.attempt_lost")
        (tmp_path / "gate").touch()
        async with running_agent(harness.url, name="second", lease_seconds=LEASE_SECONDS):
            await harness.ended(run_id)

    assert (await harness.names(run_id)).count("run.attempt_lost") == 1
    assert (await agent_events(harness, "agent.lost")).count("agent.lost") == 1


async def test_a_cancel_of_a_dead_agent_s_run_becomes_final(
    harness: AgentHarness, run_monitor: RunMonitor, agent: AgentProcess, tmp_path: Path
) -> None:
    run_id = await running(harness, tmp_path / "gate")
    agent.kill()
    outcome = await harness.client.headwater.runs.cancel(run_id, reason="no need")
    assert outcome.state.state is StateName.CANCELLING

    ended = await harness.ended(run_id)

    assert ended.state is StateName.CANCELLED
    assert {str(found.state) for found in ended.task_runs.values()} == {"Cancelled"}
    await eventually(lambda: not is_alive(int((tmp_path / "process").read_text())), "nothing of the attempt is alive")


async def test_a_frozen_agent_is_lost_and_counts_as_working_when_it_is_back(
    harness: AgentHarness, run_monitor: RunMonitor, agent: AgentProcess, tmp_path: Path
) -> None:
    run_id = await running(harness, tmp_path / "gate")
    agent.send(signal.SIGSTOP)
    await harness.happened(run_id, "run.attempt_lost")

    agent.send(signal.SIGCONT)

    assert await agent_events(harness, "agent.registered", times=2) == ["agent.registered", "agent.lost", "agent.registered"]
    (tmp_path / "gate").touch()
    assert (await harness.ended(run_id)).attempt == 2


async def test_what_died_before_the_monitor_began_is_found_in_the_log(harness: AgentHarness, agent: AgentProcess, tmp_path: Path) -> None:
    run_id = await running(harness, tmp_path / "gate")
    agent.kill()

    # An agent that sent it no heartbeat has the lease of its times.
    async with running_monitor(harness.url, times=MonitorTimes(lease=LEASE_SECONDS)):
        await harness.happened(run_id, "run.attempt_lost")
        await agent_events(harness, "agent.lost")


async def test_the_death_of_the_broker_is_not_the_death_of_agents(
    harness: AgentHarness, run_monitor: RunMonitor, agent: AgentProcess, nats_node: NatsNode, tmp_path: Path
) -> None:
    run_id = await running(harness, tmp_path / "gate")
    nats_node.kill()
    nats_node.start()
    await eventually(lambda: len(nats_node.monitor("connz")["connections"]) >= 4, "everybody is back")

    beats = 0
    with anyio.fail_after(PATIENCE_SECONDS):
        async with harness.log.subscribe(subjects.AGENT_HEARTBEATS) as heard:
            async for _ in heard:  # three leases long
                beats += 1
                if beats == 9:
                    break
    (tmp_path / "gate").touch()
    ended = await harness.ended(run_id)

    assert (ended.state, ended.attempt) == (StateName.SUCCESS, 1)
    recorded = [each async for batch in harness.log.events.read_all() for each in batch]
    assert "agent.lost" not in {event_type(event) for each in recorded for event in each.commit.events}
