"""Runs whose wake-up was lost: with the whole stream of work items, or with the process that was to send it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import anyio
import anyio.lowlevel
import pytest
from harness.agent_harness import AgentHarness, agent_harness, hosted, running_agent
from harness.monitor_fixtures import promises_are_kept, running_monitor
from harness.servers import NatsNode

from headwater.core.events import RunCreated
from headwater.core.log import subjects
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs.commands import CreateRun, RescheduleRun
from headwater.core.runs.rules import RULES
from headwater.core.states import StateName
from headwater.core.values.identifiers import new_id
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.server.monitor import RunMonitor

pytestmark = pytest.mark.usefixtures("home")

PATIENCE_SECONDS = 60.0
AN_HOUR = timedelta(hours=1)


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


async def registered(harness: AgentHarness) -> str:
    return await harness.register(Flow("hello-flow", tasks=[nothing]))


async def delete_work(harness: AgentHarness) -> None:
    assert b'"success":true' in await harness.log.request("$JS.API.STREAM.DELETE.WORK", b"", timeout=PATIENCE_SECONDS)


async def waits(harness: AgentHarness, run_ids: set[str]) -> None:
    """Return as soon as the broker will wake an agent for each of these runs."""
    with anyio.fail_after(PATIENCE_SECONDS):
        while not run_ids <= await harness.log.queues.waiting_runs():
            await anyio.lowlevel.checkpoint()


async def test_all_runs_wake_after_the_whole_work_stream_was_deleted(harness: AgentHarness, run_monitor: RunMonitor) -> None:
    flow_id = await registered(harness)
    due = [await harness.run(flow_id) for _ in range(5)]
    soon = await harness.run(flow_id, scheduled_start_time=datetime.now(UTC) + timedelta(seconds=8))
    later = await harness.run(flow_id, scheduled_start_time=datetime.now(UTC) + AN_HOUR)

    await delete_work(harness)

    await waits(harness, {*due, soon, later})
    async with running_agent(harness.url):
        ended = [await harness.ended(run_id) for run_id in (*due, soon)]
    assert [(run.state, run.attempt) for run in ended] == [(StateName.SUCCESS, 1)] * 6
    assert (await harness.state(later)).state is StateName.SCHEDULED


async def test_what_was_lost_while_no_monitor_ran_is_found_at_its_start(harness: AgentHarness) -> None:
    flow_id = await registered(harness)
    due = await harness.run(flow_id)
    later = await harness.run(flow_id, scheduled_start_time=datetime.now(UTC) + AN_HOUR)
    await delete_work(harness)

    async with running_monitor(harness.url):
        await waits(harness, {due, later})


async def test_a_running_agent_goes_on_after_the_work_stream_was_deleted(harness: AgentHarness, run_monitor: RunMonitor) -> None:
    flow_id = await registered(harness)
    async with running_agent(harness.url):
        await harness.ended(await harness.run(flow_id))
        await delete_work(harness)
        ended = await harness.ended(await harness.run(flow_id))

    assert (ended.state, ended.attempt) == (StateName.SUCCESS, 1)


async def test_a_run_whose_creator_died_before_the_wake_up_is_woken(harness: AgentHarness, run_monitor: RunMonitor) -> None:
    model = (await harness.state(await harness.run(await registered(harness)))).created
    assert model is not None
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
    await harness.log.events.append(subjects.run(command.created.run_id), creation, expected=0)

    async with running_agent(harness.url):
        ended = await harness.ended(command.created.run_id)

    assert (ended.name, ended.state) == ("orphaned-otter", StateName.SUCCESS)


async def test_a_rescheduling_whose_timer_was_never_set_is_completed(harness: AgentHarness, run_monitor: RunMonitor) -> None:
    run_id = await harness.run(await registered(harness), scheduled_start_time=datetime.now(UTC) + AN_HOUR)
    loaded = await load_run(harness.log.events, run_id)
    await loaded.execute(RescheduleRun(datetime.now(UTC)), harness.client.actor)  # and the timer of before is still there

    async with running_agent(harness.url):
        assert (await harness.ended(run_id)).state is StateName.SUCCESS
