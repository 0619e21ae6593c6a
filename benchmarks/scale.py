"""What a long log costs: views that catch up with it, views that are made again, and a run monitor that starts.

    python benchmarks/scale.py [--runs 1000000]

The runs are appended through the broker, as agents append them, which takes a few minutes for a million; 1,000 more are not finished.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import anyio

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]
from harness.servers import NatsNode, Postgres
from measurement import Measurement, at_most, lines
from projection import append_all, catch_up, history

from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log
from headwater.core.program.concurrency import start_all
from headwater.core.queries.views_client import ViewsClient
from headwater.projections.services import view_services
from headwater.server.monitor.known_runs import index_from_views
from headwater.server.monitor.run_index import RunIndex

UNFINISHED = 1_000
RUNS_AT_ONCE = 20_000
COMMITS_OF_A_RUN = 3


async def fill(log: Log, runs: int) -> int:
    """Append the runs, and return how many events they are."""
    commits = history(runs + UNFINISHED, 1)
    project_and_flow = list(islice(commits, 2))
    await append_all(log, project_and_flow)
    events = sum(len(commit.events) for _, commit in project_and_flow)
    for first in range(0, runs, RUNS_AT_ONCE):
        last = min(runs, first + RUNS_AT_ONCE)
        batch = list(islice(commits, COMMITS_OF_A_RUN * (last - first)))
        events += sum(len(commit.events) for _, commit in batch)
        await append_all(log, batch)
        print(f"{last:,} of {runs:,} runs", file=sys.stderr, flush=True)
    unfinished = [each for number, each in enumerate(commits) if number % COMMITS_OF_A_RUN < COMMITS_OF_A_RUN - 1]
    await append_all(log, unfinished)
    return events + sum(len(commit.events) for _, commit in unfinished)


async def monitor_start(log: Log, database_url: str) -> list[Measurement]:
    """How long it takes until a monitor knows all that is unfinished; the floor is reading the whole log for it."""
    began = time.perf_counter()
    whole = RunIndex()
    async for batch in log.events.read_all():
        for recorded in batch:
            whole.fold(recorded)
    floor = time.perf_counter() - began
    async with anyio.create_task_group() as group:
        await start_all(group, view_services(log, database_url))
        views = ViewsClient(log, wait_seconds=60)
        await views.projects(at_least=(await log.events.tail()).position)
        began = time.perf_counter()
        index = await index_from_views(log, views)
        ours = time.perf_counter() - began
        group.cancel_scope.cancel()
    assert index.runs.keys() == whole.runs.keys(), "the views lead to the same runs as the whole log"
    return [at_most(f"run monitor knows {len(index.runs):,} unfinished runs", ours, "s", 3, floor=floor, floor_is="reading the whole log")]


async def measurements(runs: int = 1_000_000) -> list[Measurement]:
    with tempfile.TemporaryDirectory() as home:
        node, postgres = NatsNode(Path(home) / "nats"), Postgres(Path(home) / "postgres")
        node.start()
        postgres.start()
        try:
            async with open_log(node.url, ensure_streams=True) as log:
                events = await fill(log, runs)
                database_url = postgres.create_database()
                position = (await log.events.tail()).position
                found = [Measurement("the log", position, "commits"), *await catch_up(log, database_url, events)]
                return found + await monitor_start(log, database_url)
        finally:
            postgres.stop()
            node.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    print("\n".join(lines(asyncio.run(measurements(parser.parse_args().runs)))))
