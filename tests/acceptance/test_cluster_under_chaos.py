"""Three NATS nodes, the leader of the events killed again and again while runs are executed: nothing that was acknowledged is lost.

200 runs and a leader every 5 seconds: `make faults`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import anyio
import pytest
from harness.agent_harness import AgentHarness, AgentProcess
from harness.fault_scale import chance, measured, scaled
from harness.gates import gated_flow
from harness.monitor_fixtures import promises_are_kept
from harness.servers import NatsCluster, Postgres
from harness.views_fixtures import caught_up, rows_of_a_fresh_fold, rows_of_views, views_of

from headwater.agents.retry import retry_until_available
from headwater.audit import verify_facts
from headwater.cli.watch import RunLine, RunWatch
from headwater.core.aggregates import Actor
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import LogTail
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import RunRequest
from headwater.core.queries.views_client import ViewsClient
from headwater.core.runs.state import Run
from headwater.core.states import StateName
from headwater.sdk.client import AsyncClient
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.server.monitor import RunMonitor

RUNS = scaled(16, full=200)
DEATHS = scaled(2, full=20)
WATCHED = 2
PAUSE_SECONDS = scaled(1.0, full=5.0)
AGENTS, LEASE_SECONDS = 2, 10.0
ENDS_SECONDS = scaled(120.0, full=600.0)
EVENTS = "EVENTS"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def agents(nats_cluster: NatsCluster, tmp_path: Path) -> Iterator[list[AgentProcess]]:
    found = [
        AgentProcess(tmp_path / name, nats_cluster.url, {"name": name, "lease_seconds": LEASE_SECONDS, "limit": 4})
        for name in (f"agent-{number}" for number in range(AGENTS))
    ]
    yield found
    for agent in found:
        if agent.output_file.exists():
            agent.kill()


@dataclass
class Storm:
    """A saboteur that kills the leader of the events, has it come back, and does it again."""

    cluster: NatsCluster
    random: Random
    killed: Counter[str] = field(default_factory=Counter)
    _another_death: anyio.Event = field(default_factory=anyio.Event)

    async def rage(self, deaths: int) -> None:
        for _ in range(deaths):
            leader = await anyio.to_thread.run_sync(self.cluster.leader_of, EVENTS)
            leader.kill()
            self.killed[leader.name] += 1
            self._another_death.set()
            self._another_death = anyio.Event()
            next_one = await anyio.to_thread.run_sync(self.cluster.leader_of, EVENTS)
            assert next_one is not leader
            leader.start(wait=False)
            await anyio.to_thread.run_sync(leader.wait_until_ready)
            await anyio.sleep(self.random.uniform(0.5, 1.5) * PAUSE_SECONDS)

    async def until(self, deaths: int) -> None:
        """Return when so many leaders were killed."""
        while self.killed.total() < deaths:
            await self._another_death.wait()


async def test_every_run_ends_once_while_leaders_die_and_after_all_of_them_did(
    nats_cluster: NatsCluster, agents: list[AgentProcess], database_url: str, postgres_server: Postgres, tmp_path: Path
) -> None:
    storm = Storm(nats_cluster, chance())
    gate = tmp_path / "gate"
    async with harness_on_three_nodes(nats_cluster, database_url) as harness:
        flow_id, gated_id = await harness.register(quick_flow()), await harness.register(gated_flow(gate))
        for agent in agents:
            agent.start()
        acknowledged: set[str] = set()
        watched = [await create(harness, gated_id, f"watched {number}") for number in range(WATCHED)]
        watches: list[Run] = []
        async with anyio.create_task_group() as watching:
            for run_id in watched:
                watching.start_soon(watch, nats_cluster.url, run_id, watches)
            for run_id in watched:
                await harness.happened(run_id, "task_run.started")
            with measured(f"{RUNS} runs while {DEATHS} leaders died"):
                async with anyio.create_task_group() as group:
                    group.start_soon(storm.rage, DEATHS)
                    group.start_soon(create_runs, harness, flow_id, acknowledged, storm)
                gate.touch()
                await all_ended(harness, {*acknowledged, *watched})
        assert [run.state for run in watches] == [StateName.SUCCESS] * WATCHED
        assert len(acknowledged) == RUNS

        before = await tail_of(harness)
        nats_cluster.stop()
        with measured("three nodes are back"):
            nats_cluster.start()
        assert await tail_of(harness) == before
        acknowledged.add(await create(harness, flow_id, "after all of them died"))
        await all_ended(harness, {*acknowledged, *watched})
        await views_are_the_fold(harness, database_url, postgres_server)
        await promises_are_kept(harness.log)
    print(f"leaders killed: {dict(storm.killed)}")


def quick_flow() -> Flow:
    @task
    def think() -> int:
        import time

        time.sleep(0.1)
        return 1

    @task
    def add(number: int) -> int:
        return number + 1

    with Flow("quick-flow") as flow:
        add(add(think()))
    return flow


@asynccontextmanager
async def harness_on_three_nodes(cluster: NatsCluster, database_url: str) -> AsyncIterator[AgentHarness]:
    """A project on a log of three replicas, a run monitor, and the views; each on a connection of its own that begins at another node."""
    urls = [",".join(cluster.urls[number:] + cluster.urls[:number]) for number in range(3)]
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(open_log(urls[0], ensure_streams=True, replicas=3, name="agent_harness"))
        client = await stack.enter_async_context(AsyncClient(urls[0]))
        own_connection = await stack.enter_async_context(open_log(urls[1], name="run-monitor"))
        shown = await stack.enter_async_context(open_log(urls[2], name="views"))
        await client.create_project("tutorial")
        await stack.enter_async_context(views_of(shown, database_url))
        group = await stack.enter_async_context(anyio.create_task_group())
        await group.start(RunMonitor(own_connection).serve)
        yield AgentHarness(cluster.url, log, client)
        group.cancel_scope.cancel()


async def create(harness: AgentHarness, flow_id: str, key: str) -> str:
    """Create a run, however often it must be said."""
    create = partial(Headwater(harness.log, Actor("test")).runs.create, flow_id, RunRequest(idempotency_key=key))
    return (await retry_until_available(create, "a run")).run_id


async def create_runs(harness: AgentHarness, flow_id: str, acknowledged: set[str], storm: Storm) -> None:
    """Create them evenly over all the deaths."""
    for number in range(RUNS):
        acknowledged.add(await create(harness, flow_id, f"run {number}"))
        await storm.until(DEATHS * number // RUNS)


async def watch(url: str, run_id: str, ended: list[Run]) -> None:
    """Watch a run to its end, as `headwater run --watch` does."""
    lines: list[RunLine] = []
    async with AsyncClient(url) as client:
        ended.append(await RunWatch(client, run_id, lines.append, on_unclaimed=lambda _: None).watch())
    assert sum("Entered state <Success>" in line.words for line in lines) == 1


async def all_ended(harness: AgentHarness, run_ids: set[str]) -> None:
    """Return when these runs, and no others, have succeeded in the record; print how many attempts they took."""
    with anyio.fail_after(ENDS_SECONDS):
        while (history := await retry_until_available(partial(verify_facts, harness.log.events), "the log")).unfinished:  # noqa: ASYNC110
            await anyio.sleep(0.2)
    runs = dict(history.runs.items())
    assert runs.keys() == run_ids
    assert {run.state.state for run in runs.values()} == {StateName.SUCCESS}
    print(f"runs by attempts: {dict(Counter(run.state.attempt for run in runs.values()))}")


async def tail_of(harness: AgentHarness) -> LogTail:
    return await retry_until_available(harness.log.events.tail, "the log's end")


async def views_are_the_fold(harness: AgentHarness, database_url: str, postgres: Postgres) -> None:
    with measured("the views have caught up"):
        await caught_up(ViewsClient(harness.log), (await tail_of(harness)).position)
    assert await rows_of_views(database_url) == await rows_of_a_fresh_fold(harness.log, postgres)
