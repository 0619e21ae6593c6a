"""Two servers on one NATS and one PostgreSQL: one projects, and the other takes over when that one is killed.

How long it takes: `make faults` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from harness.agent_harness import agent_harness
from harness.fault_scale import measured, scaled
from harness.monitor_fixtures import promises_are_kept
from harness.scenario import create_flow, create_run, executed
from harness.servers import NatsNode
from harness.shared_servers import ServerOnShared
from harness.views_fixtures import WAIT_SECONDS, views_gauge

from headwater.core.errors import ViewsError
from headwater.core.log.protocol import Log
from headwater.core.queries.requests import ListRuns
from headwater.core.queries.views_client import ViewsClient

DEATHS = scaled(1, full=10)


@pytest.fixture
def servers(tmp_path: Path, nats_node: NatsNode, database_url: str) -> Iterator[list[ServerOnShared]]:
    found = [ServerOnShared(tmp_path / name, nats_node.url, database_url) for name in ("first", "second")]
    yield found
    for server in found:
        server.kill()


async def test_the_other_server_takes_over_when_the_one_that_projects_is_killed(
    servers: list[ServerOnShared], nats_node: NatsNode, database_url: str
) -> None:
    working, waiting = servers
    working.start()
    async with agent_harness(nats_node.url) as harness, views_gauge(database_url) as gauge:
        flow_id = (await create_flow(harness.log)).flow_id
        for _ in range(DEATHS):
            waiting.start()
            await gauge.a_projector_waits()
            await _shown(harness.log, flow_id)

            working.kill()
            with measured("from the death of a server to views that follow again"):
                await _shown(harness.log, flow_id)
            working, waiting = waiting, working
        assert len(await ViewsClient(harness.log).runs(ListRuns(limit=None))) == 2 * DEATHS
        await promises_are_kept(harness.log)


async def _shown(log: Log, flow_id: str) -> None:
    """Let a run be executed, and return when the views show it, whichever server answers."""
    run_id = (await create_run(log, flow_id)).run_id
    position = await executed(log, run_id)
    views = ViewsClient(log, wait_seconds=1.0)
    with anyio.fail_after(WAIT_SECONDS):
        while True:
            try:
                assert (await views.run(run_id, at_least=position)).state == "Success"
            except ViewsError:
                await anyio.sleep(0.01)
            else:
                return
