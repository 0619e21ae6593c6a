"""Which runs an agent takes, how many at once, and how little it asks while there is nothing to do."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from harness.agent_harness import AgentHarness, AgentProcess, eventually, running_agent
from harness.gates import gated_flow
from harness.servers import NatsNode

from headwater.agents.agent.delivery_plan import EARLY
from headwater.core.log import subjects
from headwater.core.log.protocol import WorkItem
from headwater.core.states import StateName
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.storage import Local

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def harness_node(nats_node: NatsNode) -> NatsNode:
    return nats_node


@task
def nothing() -> None: ...


def flow_named(name: str, *labels: str) -> Flow:
    return Flow(name, tasks=[nothing], storage=Local(labels=labels, add_default_labels=False))


async def test_fifty_runs_over_two_agents_are_executed_exactly_once_each(harness: AgentHarness, tmp_path: Path) -> None:
    executed = tmp_path / "executed"

    @task
    def note() -> None:
        from headwater.sdk.context.context import context

        with executed.open("a") as file:
            file.write(f"{context.flow_run_id}\n")

    flow_id = await harness.register(Flow("noting-flow", tasks=[note]))
    agents = [AgentProcess(tmp_path / name, harness.url, {"name": name, "limit": 4}) for name in ("first", "second")]
    for agent in agents:
        agent.start()
    try:
        run_ids = [await harness.run(flow_id) for _ in range(50)]
        runs = [await harness.ended(run_id) for run_id in run_ids]
    finally:
        for agent in agents:
            agent.kill()

    assert Counter(executed.read_text().split()) == Counter(run_ids)
    assert {(run.state, run.attempt) for run in runs} == {(StateName.SUCCESS, 1)}
    assert {run.agent_name for run in runs} == {"first", "second"}


async def test_no_more_runs_than_the_limit_are_executed_at_once(harness: AgentHarness, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    flow_id = await harness.register(gated_flow(gate))
    async with running_agent(harness.url, limit=2) as agent:
        run_ids = [await harness.run(flow_id) for _ in range(5)]
        assert agent.agent is not None
        held = agent.agent.held
        await eventually(lambda: len(held) == 2, "two runs are taken")
        states = Counter([(await harness.state(run_id)).held for run_id in run_ids])
        gate.touch()
        runs = [await harness.ended(run_id) for run_id in run_ids]

    assert states == {True: 2, False: 3}
    assert {(run.state, run.attempt) for run in runs} == {(StateName.SUCCESS, 1)}


async def test_runs_of_a_label_set_that_becomes_known_later_are_taken_at_once(harness: AgentHarness) -> None:
    async with running_agent(harness.url, labels=["gpu", "etl"], hostname_label=False):
        run_ids = [
            await harness.run(await harness.register(flow_named(f"flow-{number}", *labels))) for number, labels in enumerate(LABEL_SETS)
        ]
        runs = [await harness.ended(run_id) for run_id in run_ids]

    assert {run.state for run in runs} == {StateName.SUCCESS}


LABEL_SETS = [("gpu",), ("etl",), ("etl", "gpu")]


async def test_an_agent_leaves_runs_that_its_labels_do_not_match(harness: AgentHarness) -> None:
    foreign = await harness.run(await harness.register(flow_named("foreign-flow", "etl", "berlin")))
    unlabelled = await harness.run(await harness.register(flow_named("unlabelled-flow")))
    own = await harness.run(await harness.register(flow_named("own-flow", "etl")))

    async with running_agent(harness.url, labels=["etl"], hostname_label=False):
        await harness.ended(own)
    async with running_agent(harness.url, hostname_label=False):
        await harness.ended(unlabelled)

    assert (await harness.state(foreign)).state is StateName.SCHEDULED


async def test_a_wake_up_that_comes_too_early_sets_the_runs_timer_again(harness: AgentHarness) -> None:
    flow_id = await harness.register(flow_named("later-flow", "etl"))
    run_id = await harness.run(flow_id, scheduled_start_time=datetime.now(UTC) + timedelta(seconds=3))
    created = (await harness.state(run_id)).created
    await harness.log.queues.cancel_timer(run_id)

    async with running_agent(harness.url, labels=["etl"], hostname_label=False):
        await harness.log.queues.enqueue(WorkItem(run_id=run_id, queue_id=created.queue_id, generation=1))
        run = await harness.ended(run_id)

    assert run.state is StateName.SUCCESS
    assert run.started_at is not None
    assert run.scheduled_for is not None
    assert run.started_at >= run.scheduled_for - EARLY


async def test_an_idle_agent_sends_nothing_but_its_heartbeat(harness: AgentHarness, nats_node: NatsNode) -> None:
    for number, labels in enumerate(LABEL_SETS):
        await harness.run(await harness.register(flow_named(f"flow-{number}", *labels)))
    async with running_agent(harness.url, name="idler", labels=["gpu", "etl"], hostname_label=False, lease_seconds=1.0) as agent:
        assert agent.agent is not None
        held = agent.agent.held
        await harness.ended(await harness.run(await harness.register(flow_named("last-flow", "etl"))))
        await eventually(lambda: not len(held), "the agent is idle")

        async with harness.log.subscribe(subjects.agent_heartbeat(agent.settings.agent_id)) as beats:
            await anext(beats)  # what followed the last run has been sent before this
            before = messages_from(nats_node, "headwater agent idler")
            for _ in range(12):
                with anyio.fail_after(30):
                    await anext(beats)
            sent = messages_from(nats_node, "headwater agent idler") - before

    assert 11 <= sent <= 13


def messages_from(node: NatsNode, name: str) -> int:
    """Return how many messages the server received on the connection of this name."""
    (connection,) = [each for each in node.monitor("connz")["connections"] if each.get("name") == name]
    return int(connection["in_msgs"])
