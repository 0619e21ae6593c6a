"""How long people wait for lists and counts when there are many runs, through the query service.

    python benchmarks/listing.py [--runs 1000000] [--times 200]

Real nats-server, real PostgreSQL. The runs are put into the views' tables directly (a million through the log takes minutes and makes
the same rows). The floor is an empty request and reply over NATS.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import asyncpg

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]
from harness.scenario import create_flow, create_run
from harness.servers import NatsNode, Postgres
from measurement import Measurement, at_most, lines

from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log
from headwater.core.program.concurrency import start_all
from headwater.core.queries.requests import ListFlows, ListRuns
from headwater.core.queries.views_client import ViewsClient
from headwater.projections.schema import live_build
from headwater.projections.services import view_services

FLOWS = 20
QUIET_FLOWS = 2
"""The last of them are of a project of their own, of whose runs only the first ones failed: what is rare and old has to be found, too."""
START = datetime(2026, 1, 1, tzinfo=UTC)

# A run every 10 seconds, over 20 flows with 7 label sets; 1 in 50 failed, 1 in 500 waits, but none of the quiet project.
_RUNS = """
INSERT INTO runs (
    id, created_position, flow_id, flow_group_id, flow_name, project_id, project_name, version, queue_id, labels, parameters, context,
    run_config, created, created_by, name, state, state_message, scheduled_start_time, start_time, end_time, attempt, held, agent_id,
    agent_name, cancel_requested, position
)
SELECT gen_random_uuid(), n, f.id, f.flow_group_id, g.name, g.project_id, p.name, 1, 'queue-' || n % 7,
    ARRAY['host', 'label-' || n % 7], '{"x": 1}', '{}', '{}', at, 'benchmark',
    CASE WHEN n = 1000777 THEN 'odd-sparrow' WHEN n % 10 = 0 THEN 'load-' || n ELSE 'run-' || n % 5000 END,
    s.state, 'All reference tasks succeeded.', at,
    CASE WHEN s.state <> 'Scheduled' THEN at END, CASE WHEN s.state <> 'Scheduled' THEN at + interval '5 seconds' END,
    1, false, 'agent-' || n % 50, 'an agent', false, n
FROM generate_series($1::bigint + 1000000, $2::bigint + 1000000) AS n
CROSS JOIN LATERAL (SELECT $3::timestamptz + (n - 1000000) * interval '10 seconds' AS at) t
JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS number FROM flow_versions) f ON f.number = n % $4
JOIN flow_groups g ON g.id = f.flow_group_id
JOIN projects p ON p.id = g.project_id
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN p.name = 'quiet' AND n > 1000100 THEN 'Success'
        WHEN p.name = 'quiet' THEN 'Failed'
        WHEN n % 500 = 0 THEN 'Scheduled'
        WHEN n % 50 = 0 THEN 'Failed'
        ELSE 'Success'
    END AS state
) s
"""
_COUNTS = """
TRUNCATE run_counts;
INSERT INTO run_counts (hour, flow_group_id, state, project_id, count)
SELECT date_trunc('hour', created), flow_group_id, state, project_id, count(*) FROM runs GROUP BY 1, 2, 3, 4;
INSERT INTO run_counts (hour, flow_group_id, state, project_id, count)
SELECT '-infinity', flow_group_id, state, project_id, sum(count) FROM run_counts GROUP BY 2, 3, 4;
"""
_QUEUES = """
INSERT INTO queues SELECT 'queue-' || n, ARRAY['host', 'label-' || n], $1, n FROM generate_series(0, 6) AS n
"""


async def fill(log: Log, views: ViewsClient, database_url: str, runs: int) -> None:
    for number in range(FLOWS):
        flow = await create_flow(log, f"flow-{number:02}", project="quiet" if number >= FLOWS - QUIET_FLOWS else "tutorial")
    await views.flows(at_least=flow.position)
    db = await asyncpg.connect(database_url)
    try:
        live = await live_build(db)
        assert live is not None
        await db.execute(f"SET search_path TO {live.schema}")
        step = 100_000
        for first in range(1, runs + 1, step):
            await db.execute(_RUNS, first, min(runs, first + step - 1), START, FLOWS)
        await db.execute(_QUEUES, START)
        await db.execute(_COUNTS)
        await db.execute("INSERT INTO run_names SELECT name, max(created_position) FROM runs GROUP BY name")
        await db.execute("ANALYZE")
    finally:
        await db.close()


async def measure(ask: Callable[[], Awaitable[Any]], times: int) -> tuple[float, float]:
    """Return the median and the 99th percentile, in milliseconds."""
    await ask()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - began) * 1e3)
    taken.sort()
    return statistics.median(taken), taken[int(len(taken) * 0.99)]


async def measurements(runs: int = 100_000, times: int = 100) -> list[Measurement]:
    with tempfile.TemporaryDirectory() as home:
        node, postgres = NatsNode(Path(home) / "nats"), Postgres(Path(home) / "postgres")
        node.start()
        postgres.start()
        try:
            database_url = postgres.create_database()
            async with open_log(node.url, ensure_streams=True) as log, anyio.create_task_group() as group:
                await start_all(group, view_services(log, database_url))
                measured = await ask_everything(log, ViewsClient(log), database_url, runs, times)
                group.cancel_scope.cancel()
            return measured
        finally:
            postgres.stop()
            node.kill()


async def ask_everything(log: Log, views: ViewsClient, database_url: str, runs: int, times: int) -> list[Measurement]:
    await fill(log, views, database_url, runs)
    end = START + timedelta(seconds=10 * runs)
    flow = (await views.flows(ListFlows(name="flow-03")))[0]
    run_id = (await views.runs(ListRuns(limit=1)))[0].id
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "newest 100 runs": views.runs,
        "newest 100 that failed": lambda: views.runs(ListRuns(states=("Failed",))),
        "newest 100 of a flow": lambda: views.runs(ListRuns(flow="flow-03", project="tutorial")),
        "newest 100 of a flow version, waiting": lambda: views.runs(ListRuns(flow_id=flow.id, states=("Scheduled",))),
        "newest 100 of a project": lambda: views.runs(ListRuns(project="tutorial")),
        "the few that failed of a project": lambda: views.runs(ListRuns(project="quiet", states=("Failed",))),
        "none that waits of a project": lambda: views.runs(ListRuns(project="quiet", states=("Scheduled",))),
        "created in the last hour": lambda: views.runs(ListRuns(created_after=end - timedelta(hours=1))),
        "created in the first hour": lambda: views.runs(ListRuns(created_before=START + timedelta(hours=1))),
        "found by a text that one has": lambda: views.runs(ListRuns(search="d-spar")),
        "found by a text that all of an old hour have": lambda: views.runs(ListRuns(search="oad-10003")),
        "found by a text that many have": lambda: views.runs(ListRuns(search="un-12")),
        "found by a text that none has": lambda: views.runs(ListRuns(search="nothing like it")),
        "newest 100 with a label": lambda: views.runs(ListRuns(labels=("label-3",))),
        "newest 100 of a name": lambda: views.runs(ListRuns(name="run-77")),
        "started in the last hour": lambda: views.runs(ListRuns(started_after=end - timedelta(hours=1))),
        "100 of one agent": lambda: views.runs(ListRuns(agent_id="agent-7")),
        "one run": lambda: views.run(run_id),
        "counts by state": views.run_counts,
        "counts by state, last day": lambda: views.run_counts(since=end - timedelta(days=1)),
        "counts by state of a flow": lambda: views.run_counts(flow="flow-03"),
        "flows": views.flows,
    }
    measured: list[Measurement] = []
    for name, ask in questions.items():
        p50, p99 = await measure(ask, times)
        measured += [Measurement(f"{name}, p50", p50, "ms"), at_most(f"{name}, p99 of {runs:,}", p99, "ms", 20)]

    async def own_write() -> None:
        created = await create_run(log, flow.id)
        await views.run(created.run_id, at_least=created.position)

    p50, p99 = await measure(own_write, times)
    return [*measured, Measurement("create a run and read it back, p50", p50, "ms"), Measurement("create and read back, p99", p99, "ms")]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=200)
    chosen = parser.parse_args()
    print("\n".join(lines(asyncio.run(measurements(chosen.runs, chosen.times)))))
