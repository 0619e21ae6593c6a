"""What a long log costs: views that catch up with it, views that are made again, a run monitor that starts, and looking back.

    python benchmarks/scale.py [--runs 1000000]

The runs are appended through the broker, as agents append them, which takes a few minutes for a million; 1,000 more are not finished.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
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
COMMITS_OF_A_RUN = 4


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


async def audit(log: Log, nats_url: str) -> list[Measurement]:
    """What looking back takes, by the installed command; the floor is reading the whole log."""
    began = time.perf_counter()
    async for _ in log.events.read_all():
        pass
    floor = time.perf_counter() - began
    position = (await log.events.tail()).position
    found = []
    for words in (("replay", "--output", "json"), ("check", "--facts-only"), ("diff", str(position - 3_000), "now")):
        began = time.perf_counter()
        peak_mib = await anyio.to_thread.run_sync(_peak_mib, words, nats_url)
        what = f"audit {words[0]}" + (" of the last 3,000 commits" if words[0] == "diff" else "")
        found.append(Measurement(what, time.perf_counter() - began, "s", floor, "reading the whole log"))
        found.append(at_most(f"audit {words[0]}: memory", peak_mib, "MiB", 300))
    return found


# A process counts the memory of the one that it was forked from, so one of its own starts it.
_CHILD = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def _peak_mib(words: Sequence[str], nats_url: str) -> float:
    """Run `headwater audit` with these words, and return the most memory it had."""
    command = [str(Path(sys.executable).with_name("headwater")), "audit", *words]
    environment = {**os.environ, "HEADWATER_NATS_URL": nats_url}
    done = subprocess.run([sys.executable, "-S", "-c", _CHILD, *command], env=environment, stdout=subprocess.PIPE, check=True)
    return int(done.stdout) / 1024


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
                return [*found, *await monitor_start(log, database_url), *await audit(log, node.url)]
        finally:
            postgres.stop()
            node.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    print("\n".join(lines(asyncio.run(measurements(parser.parse_args().runs)))))
