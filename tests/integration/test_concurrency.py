"""A flow's runs are limited: never more at once, whichever agents race and die; those that wait go on as slots become free."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from harness.agent_harness import AgentHarness, AgentProcess, agent_harness, eventually, hosted, running_agent
from harness.gates import gated_flow
from harness.monitor_fixtures import promises_are_kept, running_monitor
from harness.servers import NatsNode

from headwater.core.events import RunAttemptLost, RunCancelled, RunFailed, RunSubmitted, RunSucceeded
from headwater.core.log import subjects
from headwater.core.log.protocol import Recorded
from headwater.core.operations.slots import slots
from headwater.core.slots.state import Slots
from headwater.core.states import StateName
from headwater.core.values.identifiers import split_flow_id
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.server.monitor import RunMonitor
from headwater.server.monitor.monitor_times import MonitorTimes

pytestmark = pytest.mark.usefixtures("home")

LEASE_SECONDS = 1.0


@pytest.fixture
async def harness(nats_node: NatsNode) -> AsyncIterator[AgentHarness]:
    async with hosted(agent_harness(nats_node.url)) as opened:
        yield opened
        await promises_are_kept(opened.log)


@pytest.fixture
async def run_monitor(harness: AgentHarness) -> AsyncIterator[RunMonitor]:
    async with hosted(running_monitor(harness.url)) as monitor:
        yield monitor


@task
def nothing() -> None: ...


async def limit(harness: AgentHarness, flow_id: str, number: int | None) -> str:
    group_id, _ = split_flow_id(flow_id)
    await harness.client.headwater.slots.limit(group_id, number)
    return group_id


async def slots_of(harness: AgentHarness, group_id: str) -> Slots:
    return await slots(harness.log.events, group_id).refresh()


async def most_at_once(harness: AgentHarness) -> int:
    """Return how many runs were held at once at most, by the order of the log."""
    held: set[str] = set()
    most = 0
    recorded: list[Recorded] = [each async for batch in harness.log.events.read_all() for each in batch]
    for each in recorded:
        for event in each.commit.events:
            match event:
                case RunSubmitted():
                    held.add(each.subject)
                case RunSucceeded() | RunFailed() | RunCancelled() | RunAttemptLost():
                    held.discard(each.subject)
        most = max(most, len(held))
    return most


async def test_many_agents_that_race_never_exceed_the_limit(harness: AgentHarness, run_monitor: RunMonitor) -> None:
    flow_id = await harness.register(Flow("hello-flow", tasks=[nothing]))
    group_id = await limit(harness, flow_id, 2)
    async with AsyncExitStack() as agents:
        for number in range(4):
            await agents.enter_async_context(running_agent(harness.url, name=f"agent {number}"))
        run_ids = [await harness.run(flow_id) for _ in range(16)]
        runs = [await harness.ended(run_id) for run_id in run_ids]

    assert [(run.state, run.attempt) for run in runs] == [(StateName.SUCCESS, 1)] * 16
    assert await most_at_once(harness) == 2
    assert (await slots_of(harness, group_id)).attempts == {}


async def test_runs_that_wait_start_when_the_limit_is_raised_or_taken_away(
    harness: AgentHarness, run_monitor: RunMonitor, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    flow_id = await harness.register(gated_flow(gate))
    await limit(harness, flow_id, 1)
    async with running_agent(harness.url):
        first, second, third = [await harness.run(flow_id) for _ in range(3)]
        await harness.happened(first, "task_run.started")
        await limit(harness, flow_id, 2)
        await harness.happened(second, "task_run.started")
        await limit(harness, flow_id, None)
        await harness.happened(third, "task_run.started")
        gate.touch()
        for run_id in (first, second, third):
            await harness.ended(run_id)


async def test_runs_under_way_when_the_limit_is_set_count(harness: AgentHarness, run_monitor: RunMonitor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    flow_id = await harness.register(gated_flow(gate))
    async with running_agent(harness.url):
        first = await harness.run(flow_id)
        await harness.happened(first, "task_run.started")
        group_id = await limit(harness, flow_id, 1)
        async with harness.log.events.follow(subjects.slots(group_id)) as news:
            async for batch in news:
                if any("slots.taken" in repr(each.data) for each in batch):
                    break
        second = await harness.run(flow_id)
        gate.touch()
        await harness.ended(second)

    assert await most_at_once(harness) == 1


async def test_the_slot_of_a_dead_agent_s_run_goes_to_a_run_that_waits(
    harness: AgentHarness, run_monitor: RunMonitor, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    flow_id = await harness.register(gated_flow(gate))
    await limit(harness, flow_id, 1)
    dying = AgentProcess(tmp_path / "agent", harness.url, {"name": "dying", "lease_seconds": LEASE_SECONDS, "labels": ["x"]})
    dying.start()
    held = await harness.run(flow_id, labels=["x"])
    await harness.happened(held, "task_run.started")
    async with running_agent(harness.url, name="other", labels=["y"], hostname_label=False):
        waiting = await harness.run(flow_id, labels=["y"])
        dying.kill()
        await harness.happened(waiting, "task_run.started")
        assert (await harness.state(held)).state is StateName.SCHEDULED
        gate.touch()
        await harness.ended(waiting)

    assert await most_at_once(harness) == 1


async def test_a_slot_taken_by_an_agent_that_died_before_the_claim_becomes_free(
    harness: AgentHarness,
) -> None:
    flow_id = await harness.register(Flow("hello-flow", tasks=[nothing]))
    group_id = await limit(harness, flow_id, 1)
    async with running_monitor(harness.url, times=MonitorTimes(claim=0.5)), running_agent(harness.url):
        never = await harness.run(flow_id, labels=["nobody-has-this"])
        await harness.client.headwater.slots.take(group_id, never, 1)
        ended = await harness.ended(await harness.run(flow_id))

    assert ended.state is StateName.SUCCESS


async def test_runs_of_one_label_set_are_limited_over_all_agents(harness: AgentHarness, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    flow_id = await harness.register(gated_flow(gate))
    await harness.client.headwater.queues.limit(["gpu"], 2)
    async with running_agent(harness.url, name="one", labels=["gpu"]), running_agent(harness.url, name="two", labels=["gpu"]):
        limited = [await harness.run(flow_id, labels=["gpu"]) for _ in range(5)]
        free = await harness.run(flow_id)
        await harness.happened(free, "task_run.started")
        gate.touch()
        runs = [await harness.ended(run_id) for run_id in [*limited, free]]

    assert [(run.state, run.attempt) for run in runs] == [(StateName.SUCCESS, 1)] * 6
    assert await most_at_once(harness) <= 3


async def test_waiting_runs_are_not_offered_again_and_again(harness: AgentHarness, run_monitor: RunMonitor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    flow_id = await harness.register(gated_flow(gate))
    await limit(harness, flow_id, 1)
    async with running_agent(harness.url) as agent:
        first = await harness.run(flow_id)
        await harness.happened(first, "task_run.started")
        waiting = [await harness.run(flow_id) for _ in range(3)]

        await eventually(lambda: agent.agent is not None and len(agent.agent.held) == 1, "it holds one run")
        for run_id in waiting:
            while await harness.log.queues.is_waiting(run_id):
                pass
        gate.touch()
        runs = [await harness.ended(run_id) for run_id in (first, *waiting)]

    assert [run.state for run in runs] == [StateName.SUCCESS] * 4
    assert await most_at_once(harness) == 1
