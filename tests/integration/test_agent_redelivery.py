"""Wake-ups that come twice, too late, or for a run whose creator died: hints all of them, never verdicts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness.agent_harness import AgentHarness, eventually, hosted, running_agent
from harness.gates import gated_flow
from harness.servers import NatsNode

from headwater.agents.agent.holder_probe import probe_holder
from headwater.agents.local import LocalAgent
from headwater.core.events import RunCreated
from headwater.core.log.protocol import WorkItem
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs.commands import CreateRun
from headwater.core.runs.rules import RULES
from headwater.core.states import StateName
from headwater.core.values.identifiers import new_id
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def harness_node(nats_node: NatsNode) -> NatsNode:
    return nats_node


@pytest.fixture
async def agent(harness: AgentHarness) -> AsyncIterator[LocalAgent]:
    async with hosted(running_agent(harness.url)) as working:
        yield working


@task
def nothing() -> None: ...


def waiting_items(node: NatsNode) -> int:
    """Return how many work items the broker holds."""
    account = node.monitor("jsz?streams=true")["account_details"][0]
    (work,) = [stream for stream in account["stream_detail"] if stream["name"] == "WORK"]
    return int(work["state"]["messages"])


async def created_of(harness: AgentHarness, run_id: str) -> RunCreated:
    return (await harness.state(run_id)).created


async def test_a_run_whose_creator_died_after_the_wake_up_is_created_by_its_agent(harness: AgentHarness, agent: LocalAgent) -> None:
    model = await created_of(harness, await harness.run(await harness.register(Flow("hello-flow", tasks=[nothing]))))
    command = CreateRun(
        RunCreated(
            run_id=new_id(),
            flow_id=model.flow_id,
            flow_group_id=model.flow_group_id,
            project_id=model.project_id,
            project_name=model.project_name,
            flow_name=model.flow_name,
            flow_version=model.flow_version,
            name="orphaned-otter",
            queue_id=model.queue_id,
            storage=model.storage,
            labels=model.labels,
        ),
        datetime.now(UTC),
    )
    creation = harness.client.actor.commit(RULES.decide(RULES.initial, command))
    await harness.log.queues.enqueue(
        WorkItem(run_id=command.created.run_id, queue_id=command.created.queue_id, generation=1, creation=creation)
    )

    run = await harness.ended(command.created.run_id)

    assert (run.name, run.state) == ("orphaned-otter", StateName.SUCCESS)


async def test_every_item_is_done_with_in_the_end_however_often_it_was_offered(
    harness: AgentHarness, agent: LocalAgent, nats_node: NatsNode, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run_id = await harness.run(await harness.register(gated_flow(gate)))
    created = await created_of(harness, run_id)
    item = WorkItem(run_id=run_id, queue_id=created.queue_id, generation=1)
    await harness.happened(run_id, "task_run.started")
    for _ in range(3):
        await harness.log.queues.enqueue(item)
    await harness.log.queues.enqueue(WorkItem(run_id=new_id(), queue_id=created.queue_id, generation=1))  # of a run that never was
    gate.touch()
    await harness.ended(run_id)
    await harness.log.queues.enqueue(item)

    await eventually(lambda: waiting_items(nats_node) == 0, "no item is left")
    assert (await harness.names(run_id)).count("run.submitted") == 1


async def test_a_wake_up_of_before_a_rescheduling_starts_nothing(harness: AgentHarness, nats_node: NatsNode) -> None:
    run_id = await harness.run(await harness.register(Flow("hello-flow", tasks=[nothing])))
    await harness.client.headwater.runs.reschedule(run_id, datetime.now(UTC))

    async with running_agent(harness.url):
        await harness.ended(run_id)
        await eventually(lambda: waiting_items(nats_node) == 0, "both items are done with")

    assert (await harness.names(run_id)).count("run.submitted") == 1
    assert (await load_run(harness.log.events, run_id)).state.generation == 2


async def test_an_agent_answers_for_the_runs_it_holds_and_for_no_others(harness: AgentHarness, agent: LocalAgent, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run_id = await harness.run(await harness.register(gated_flow(gate)))
    await harness.happened(run_id, "task_run.started")

    async def asked(agent_id: str, attempt: int) -> bool | None:
        return await probe_holder(harness.log, agent_id, run_id, attempt, patience_seconds=1.0)

    agent_id = agent.settings.agent_id
    assert [await asked(agent_id, 1), await asked(agent_id, 2), await asked(new_id(), 1)] == [True, False, None]
    gate.touch()
    await harness.ended(run_id)
    assert agent.agent is not None
    held = agent.agent.held
    await eventually(lambda: not len(held), "the agent has let go of the run")
    assert await asked(agent_id, 1) is False
