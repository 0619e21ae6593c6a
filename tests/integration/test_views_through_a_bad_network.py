"""Between server and PostgreSQL connections are cut, reset, silent, slow, swallowed: views catch up, and nothing is in them twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
import pytest
from harness.fault_scale import chance, scaled
from harness.monitor_fixtures import promises_are_kept
from harness.scenario import create_flow, create_run, executed
from harness.servers import NatsNode, Postgres
from harness.tcp_proxy import CuttingProxy, Fault, cutting_proxy, trouble
from harness.views_fixtures import eventually, hosted, opened, rows_of_a_fresh_fold, rows_of_views
from harness.web_site import WebSite, web_site

from headwater.core.log.protocol import Log
from headwater.core.queries.requests import ListRuns
from headwater.core.queries.views_client import ViewsClient
from headwater.core.states import StateName
from headwater.projections.database import DatabaseTimes

RUNS = scaled(60, full=2000)
FOR_GOOD_SECONDS = 3600.0
SHORT_TIMES = DatabaseTimes(connect_seconds=2.0, session_seconds=1.0, snapshot_seconds=2.0)
"""Silence is noticed within a second or two."""


@pytest.fixture
async def log(nats_node: NatsNode) -> AsyncIterator[Log]:
    async with hosted(opened(nats_node.url)) as log:
        yield log


async def test_views_catch_up_through_all_that_a_network_does(log: Log, database_url: str, postgres_server: Postgres) -> None:
    async with cutting_proxy(database_url) as proxy, web_site(log, proxy.url, times=SHORT_TIMES) as site:
        flow_id = (await create_flow(log)).flow_id
        async with anyio.create_task_group() as group:
            group.start_soon(partial(trouble, proxy, chance(), pause_seconds=0.1, longest_seconds=1.0))
            for _ in range(RUNS):
                await executed(log, (await create_run(log, flow_id)).run_id)
            group.cancel_scope.cancel()
        assert proxy.cuts

        for fault in Fault:
            async with striking(proxy, fault):
                run_id = (await create_run(log, flow_id)).run_id
                position = await executed(log, run_id)
                if fault is Fault.BLACK_HOLE:
                    await eventually(lambda: is_ready(site, False), "the server says that it is not ready")
                elif fault is not Fault.SLOW:
                    await eventually(partial(shows, site, position), f"the views go on after: {fault.value}")
            await eventually(partial(shows, site, position), f"the views go on after: {fault.value}")
            await eventually(lambda: is_ready(site, True), "the server says that it is ready")

        assert {run.state for run in await ViewsClient(log).runs(ListRuns(limit=None), at_least=position)} == {StateName.SUCCESS}
    rows = await rows_of_views(database_url)
    assert len(rows["runs"]) == RUNS + len(Fault)
    assert rows == await rows_of_a_fresh_fold(log, postgres_server)
    await promises_are_kept(log)


@asynccontextmanager
async def striking(proxy: CuttingProxy, fault: Fault) -> AsyncIterator[None]:
    """Let it happen for as long as the block takes, where it takes time: connections that are silent are so for good."""
    async with anyio.create_task_group() as group:
        group.start_soon(partial(proxy.strike, fault, seconds=FOR_GOOD_SECONDS))
        await anyio.wait_all_tasks_blocked()
        yield
        group.cancel_scope.cancel()


async def is_ready(site: WebSite, expected: bool) -> bool:
    answer = await site.client.get("/ready")
    assert answer.status_code in {200, 503}
    found = answer.json()
    assert (found["status"] == "ready") == (answer.status_code == 200) == ("problems" not in found)
    return bool(answer.status_code == 200) is expected


async def shows(site: WebSite, position: int) -> bool:
    found = (await site.client.get("/ready")).json()
    return bool(found.get("views_position", 0) >= position)
