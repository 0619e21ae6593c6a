"""Wake-ups that come twice, too late, or for a run whose creator died: hints all of them, never verdicts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from agents_at_work import Workshop, agent_at_work, eventually, hosted, workshop
from gates import gated_flow
from servers import NatsNode

from headwater.agents.agent.holder_probe import probe_holder
from headwater.agents.local import LocalAgent
from headwater.core.events import RunCreated
from headwater.core.log.protocol import WorkItem
from headwater.core.operations.runs import load_run, reschedule_run
from headwater.core.runs.commands import CreateRun
from headwater.core.runs.rules import RULES
from headwater.core.states import StateName
from headwater.core.values.identifiers import new_id
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
async def shop(nats_node: NatsNode) -> AsyncIterator[Workshop]:
    async with hosted(workshop(nats_node.url)) as opened:
        yield opened


@pytest.fixture
async def agent(shop: Workshop) -> AsyncIterator[LocalAgent]:
    async with hosted(agent_at_work(shop.url)) as working:
        yield working


@task
def nothing() -> None: ...


def waiting_items(node: NatsNode) -> int:
    """Return how many work items the broker holds."""
    account = node.monitor("jsz?streams=true")["account_details"][0]
    (work,) = [stream for stream in account["stream_detail"] if stream["name"] == "WORK"]
    return int(work["state"]["messages"])


async def created_of(shop: Workshop, run_id: str) -> RunCreated:
    created = (await shop.state(run_id)).created
    assert created is not None
    return created


async def test_a_run_whose_creator_died_after_the_wake_up_is_created_by_its_agent(shop: Workshop, agent: LocalAgent) -> None:
    model = await created_of(shop, await shop.run(await shop.register(Flow("hello-flow", tasks=[nothing]))))
    command = CreateRun(
        run_id=new_id(),
        flow_id=model.flow_id,
        flow_group_id=model.flow_group_id,
        project_id=model.project_id,
        project_name=model.project_name,
        flow_name=model.flow_name,
        version=model.version,
        name="orphaned-otter",
        queue_id=model.queue_id,
        storage=model.storage,
        start_time=datetime.now(UTC),
        labels=model.labels,
    )
    creation = shop.client.actor.commit(RULES.decide(RULES.initial, command))
    await shop.log.queues.enqueue(WorkItem(run_id=command.run_id, queue_id=command.queue_id, generation=1, creation=creation))

    run = await shop.ended(command.run_id)

    assert (run.name, run.state) == ("orphaned-otter", StateName.SUCCESS)


async def test_every_item_is_done_with_in_the_end_however_often_it_was_offered(
    shop: Workshop, agent: LocalAgent, nats_node: NatsNode, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run_id = await shop.run(await shop.register(gated_flow(gate)))
    created = await created_of(shop, run_id)
    item = WorkItem(run_id=run_id, queue_id=created.queue_id, generation=1)
    await shop.happened(run_id, "task_run.started")
    for _ in range(3):
        await shop.log.queues.enqueue(item)
    await shop.log.queues.enqueue(WorkItem(run_id=new_id(), queue_id=created.queue_id, generation=1))  # of a run that never was
    gate.touch()
    await shop.ended(run_id)
    await shop.log.queues.enqueue(item)

    await eventually(lambda: waiting_items(nats_node) == 0, "no item is left")
    assert (await shop.names(run_id)).count("run.submitted") == 1


async def test_a_wake_up_of_before_a_rescheduling_starts_nothing(shop: Workshop, nats_node: NatsNode) -> None:
    run_id = await shop.run(await shop.register(Flow("hello-flow", tasks=[nothing])))
    await reschedule_run(shop.log.events, shop.log.queues, run_id, datetime.now(UTC), shop.client.actor)

    async with agent_at_work(shop.url):
        await shop.ended(run_id)
        await eventually(lambda: waiting_items(nats_node) == 0, "both items are done with")

    assert (await shop.names(run_id)).count("run.submitted") == 1
    assert (await load_run(shop.log.events, run_id)).state.generation == 2


async def test_an_agent_answers_for_the_runs_it_holds_and_for_no_others(shop: Workshop, agent: LocalAgent, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run_id = await shop.run(await shop.register(gated_flow(gate)))
    await shop.happened(run_id, "task_run.started")

    async def asked(agent_id: str, attempt: int) -> bool | None:
        return await probe_holder(shop.log, agent_id, run_id, attempt, patience_seconds=1.0)

    agent_id = agent.settings.agent_id
    assert [await asked(agent_id, 1), await asked(agent_id, 2), await asked(new_id(), 1)] == [True, False, None]
    gate.touch()
    await shop.ended(run_id)
    assert agent.agent is not None
    held = agent.agent.held
    await eventually(lambda: not len(held), "the agent has let go of the run")
    assert await asked(agent_id, 1) is False
