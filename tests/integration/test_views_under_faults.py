"""What is killed, restarted or away for long, the views come out equal to a fresh fold of the log, row by row.

More of everything: `make faults`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import anyio
import pytest
from harness.agent_harness import agent_harness, running_agent
from harness.fault_scale import chance, measured, scaled
from harness.monitor_fixtures import promises_are_kept
from harness.scenario import claimed, create_flow, create_run, executed, lost
from harness.servers import NatsNode, Postgres
from harness.views_fixtures import ViewsGauge, caught_up, hosted, opened, rows_of_a_fresh_fold, rows_of_views, views_gauge, views_of
from harness.views_process import ViewsProcess

from headwater.core.log.protocol import Log
from headwater.core.states import StateName
from headwater.projections.database import USUAL_TIMES
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

KILLS = scaled(10, full=100)
POSTGRES_RESTARTS = scaled(2, full=10)
RUNS_WHILE_AWAY = scaled(8, full=200)
AWAY_SECONDS = scaled(0.0, full=120.0)
SESSION_SECONDS = scaled(1.0, full=USUAL_TIMES.session_seconds)
LONGEST_SECONDS, PAUSE_SECONDS = 0.2, 0.02


@pytest.fixture
async def log(nats_node: NatsNode) -> AsyncIterator[Log]:
    async with hosted(opened(nats_node.url)) as log:
        yield log


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL for this test alone, free to be killed."""
    server = Postgres(tmp_path_factory.mktemp("own-postgres"))
    server.start()
    yield server
    server.stop()


async def test_views_whose_projector_is_killed_again_and_again_equal_a_fresh_fold(
    nats_node: NatsNode, log: Log, own_postgres: Postgres, postgres_server: Postgres
) -> None:
    random, url = chance(), own_postgres.create_database()
    restarts = set(random.sample(range(1, KILLS), POSTGRES_RESTARTS))
    reached: set[int] = set()
    async with views_gauge(url) as gauge, anyio.create_task_group() as group:
        group.start_soon(_work, log)
        for number in range(KILLS):
            views = ViewsProcess(nats_node.url, url)
            views.start()
            try:
                await _follows(gauge, random)
                if number in restarts:
                    own_postgres.kill()
                    own_postgres.start()
                    await _follows(gauge, random)
            finally:
                views.kill()
            reached.add(await gauge.position())
        group.cancel_scope.cancel()

    tail = (await log.events.tail()).position
    print(f"{KILLS} projectors and {POSTGRES_RESTARTS} PostgreSQLs killed; {tail} commits")
    assert len(reached) > KILLS / 2, "they were killed in the middle of their work"
    await _equal_a_fresh_fold(log, url, postgres_server)


async def test_views_come_back_whole_after_a_long_absence_of_postgres(
    nats_node: NatsNode, own_postgres: Postgres, postgres_server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    url = own_postgres.create_database()

    @task
    def quick() -> None: ...

    async with agent_harness(nats_node.url) as harness, views_of(harness.log, url) as views, running_agent(harness.url):
        flow_id = await harness.register(Flow("quick-flow", tasks=[quick]))
        await views.projects(at_least=(await harness.log.events.tail()).position)

        own_postgres.kill()
        away_until = anyio.current_time() + AWAY_SECONDS
        run_ids: list[str] = []
        while len(run_ids) < RUNS_WHILE_AWAY or anyio.current_time() < away_until:
            run_ids.append(await harness.run(flow_id))
            assert (await harness.ended(run_ids[-1])).state is StateName.SUCCESS
        own_postgres.start()
        with measured(f"{len(run_ids)} runs of an absence are in the views"):
            await caught_up(views, (await harness.log.events.tail()).position)

        assert {(await views.run(run_id)).state for run_id in run_ids} == {StateName.SUCCESS}
        await _equal_a_fresh_fold(harness.log, url, postgres_server)


async def test_a_frozen_projector_is_relieved_and_finds_that_out_when_it_wakes(
    nats_node: NatsNode, log: Log, database_url: str, postgres_server: Postgres
) -> None:
    first, second = (ViewsProcess(nats_node.url, database_url, session_seconds=SESSION_SECONDS) for _ in range(2))
    try:
        async with views_gauge(database_url) as gauge, anyio.create_task_group() as group:
            group.start_soon(_work, log)
            first.start()
            await gauge.passed(0)
            second.start()
            await gauge.a_projector_waits()

            first.freeze()
            with measured("the views follow again after their projector was frozen"):
                await gauge.passed((await log.events.tail()).position)
            first.thaw()
            await gauge.a_projector_waits()
            group.cancel_scope.cancel()
    finally:
        first.kill()
        second.kill()
    await _equal_a_fresh_fold(log, database_url, postgres_server)


async def _work(log: Log) -> None:
    """Runs of all kinds, one after the other, until cancelled."""
    flow = await create_flow(log)
    while True:
        for failed in (False, True):
            run = await create_run(log, flow.flow_id)
            await executed(log, run.run_id, failed=failed)
        run = await create_run(log, flow.flow_id)
        await claimed(log, run.run_id)
        await lost(log, run.run_id)
        await executed(log, run.run_id)
        await anyio.sleep(PAUSE_SECONDS)  # of all that happens, the projectors are to get their share of the machine


async def _follows(gauge: ViewsGauge, random: Random) -> None:
    """Return a moment of chance after the projector has written something."""
    await gauge.passed(await gauge.position())
    await anyio.sleep(random.random() * LONGEST_SECONDS)


async def _equal_a_fresh_fold(log: Log, database_url: str, postgres: Postgres) -> None:
    """Fold what is left into the views: all rows are those of a fold of everything, and the log keeps its promises."""
    async with views_of(log, database_url) as views:
        await caught_up(views, (await log.events.tail()).position)
    rows = await rows_of_views(database_url)
    assert len(rows["runs"]) > 1
    assert rows == await rows_of_a_fresh_fold(log, postgres)
    await promises_are_kept(log)
