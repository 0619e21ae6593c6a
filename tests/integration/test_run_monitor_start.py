"""The run monitor at its start: it knows what it would know had it read the whole log, and reads little of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from harness.random_life import Life
from harness.scenario import an_agent, claimed, create_flow, create_run, executed
from harness.views_fixtures import hosted, opened, views_of
from msgspec.structs import replace

from headwater.core.agents.state import AgentStatus
from headwater.core.log import subjects
from headwater.core.log.protocol import Log
from headwater.core.operations.run_lookup import load_run
from headwater.core.queries.views_client import ViewsClient
from headwater.server.monitor import RunMonitor
from headwater.server.monitor.known_runs import find_known_runs, index_from_views
from headwater.server.monitor.run_index import RunIndex


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


async def folded(log: Log, index: RunIndex | None = None) -> RunIndex:
    """What is known when the log is read from where the index stands, and then the runs that were restarted after their end."""
    index = index or RunIndex()
    async for batch in log.events.read_all(after=index.position):
        for each in batch:
            index.fold(each)
    for run_id in list(index.unread):
        found = await load_run(log.events, run_id)
        index.watch(found.state.head, found.position)
    return index


def known(index: RunIndex) -> dict[str, Any]:
    # That an agent has stopped is remembered while it holds runs; one that is not known is handled the same way.
    stopped = {agent_id for agent_id, agent in index.agents.items() if agent.status is AgentStatus.STOPPED}
    return {
        "runs": {run_id: replace(run, creation=None) for run_id, run in index.runs.items()},
        "agents": {agent_id: agent for agent_id, agent in index.agents.items() if agent_id not in stopped},
        "slots": index.slots,
        "holders": {agent_id: [run.created.run_id for run in index.held_by(agent_id)] for agent_id in sorted(index.holders())},
        "waiting": {run.created.run_id for run in index.waiting()},
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_it_knows_what_it_would_know_had_it_read_everything(log: Log, database_url: str, seed: int) -> None:
    life = Life(log, seed)
    await life.begin()
    life.runs.append((await create_run(log, life.flows[0])).run_id)
    await life.go_on(150)
    async with views_of(log, database_url) as views:
        await views.projects(at_least=(await log.events.tail()).position)
        index = await index_from_views(log, views)
        await life.go_on(60)

    assert 0 < index.position < (await log.events.tail()).position
    assert known(await folded(log, index)) == known(await folded(log))


async def test_what_happens_while_it_looks_is_counted_once(log: Log, database_url: str) -> None:
    life = Life(log, 7)
    await life.begin()
    life.runs.append((await create_run(log, life.flows[0])).run_id)
    async with views_of(log, database_url) as views, anyio.create_task_group() as group:
        await views.projects(at_least=(await log.events.tail()).position)
        group.start_soon(life.go_on, 150)
        indexes = [await index_from_views(log, views) for _ in range(5)]

    everything = known(await folded(log))
    for index in indexes:
        assert known(await folded(log, index)) == everything


async def test_a_monitor_of_a_long_log_acts_on_what_was_left_undone(log: Log, database_url: str) -> None:
    flow = await create_flow(log)
    agent_id, _ = await an_agent(log)
    left = (await create_run(log, flow.flow_id)).run_id
    await claimed(log, left, agent_id=agent_id)
    for _ in range(5):
        await executed(log, (await create_run(log, flow.flow_id)).run_id)
    async with views_of(log, database_url), anyio.create_task_group() as group:
        found: list[RunIndex] = []

        async def find() -> RunIndex:
            found.append(await find_known_runs(log, ViewsClient(log), read_whole_max=1))
            return found[0]

        await group.start(RunMonitor(log, find_known=find).serve)
        async with log.events.follow(subjects.run(left)) as news:
            async for batch in news:
                if any(b"run.attempt_lost" in each.data for each in batch):
                    break
        group.cancel_scope.cancel()

    assert found[0].position > 0


async def test_without_views_the_whole_log_is_read(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    await create_run(log, (await create_flow(log)).flow_id)

    assert (await find_known_runs(log, ViewsClient(log, wait_seconds=0.1), read_whole_max=1, patience_seconds=0.3)).position == 0
    assert "reads the whole log" in caplog.text
    assert (await find_known_runs(log, ViewsClient(log))).position == 0  # a short one
