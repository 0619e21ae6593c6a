"""How fast the projector catches up with a log, and how far it lags in steady state.

    python benchmarks/projection.py [--runs 10000] [--tasks 1] [--rate 500]

Real nats-server, real PostgreSQL, both on this machine. "ours" is events folded, written and committed per second; the floor under it
is the same commits read from the log without doing anything with them.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import msgspec

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]
from harness.servers import NatsNode, Postgres
from measurement import Measurement, at_least, at_most, lines

from headwater.core.events import (
    Event,
    FlowRegistered,
    ProjectCreated,
    RunCreated,
    RunScheduled,
    RunStarted,
    RunSubmitted,
    RunSucceeded,
    StorageReference,
    TaskRunStarted,
    TaskRunSucceeded,
    TaskSpec,
)
from headwater.core.log import subjects
from headwater.core.log.commit import Commit, new_commit
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log
from headwater.core.program.concurrency import start_all
from headwater.core.queries import ViewsAnnouncement
from headwater.core.queries.rebuild_client import rebuild_views
from headwater.core.values.identifiers import flow_group_id, flow_version_id, new_id
from headwater.projections.services import view_services

EVENTS_IN_A_COMMIT = 50


def history(runs: int, tasks: int) -> Iterator[tuple[str, Commit]]:
    """A project, a flow, and its runs from creation to success, as agents record them."""
    storage = StorageReference("Local", "/flows/hello")
    project_id = new_id()
    group_id = flow_group_id(project_id, "hello")
    flow_id = flow_version_id(group_id, 1)
    at = datetime.now(UTC) - timedelta(days=1)

    def commit(subject: str, *events: Event) -> tuple[str, Commit]:
        return subject, new_commit(events, at=at, actor="benchmark")  # type: ignore[arg-type]

    yield commit(subjects.project(project_id), ProjectCreated(project_id, "benchmark"))
    specs = tuple(TaskSpec(f"task-{n}", f"task {n}") for n in range(tasks))
    yield commit(subjects.flow_group(group_id), FlowRegistered(flow_id, group_id, project_id, "hello", 1, tasks, 0, storage, specs))
    for number in range(runs):
        at += timedelta(milliseconds=10)
        run_id = new_id()
        subject = subjects.run(run_id)
        created = RunCreated(
            run_id, flow_id, group_id, project_id, "benchmark", "hello", 1, f"run {number}", "queue", storage, ("host",), {"n": number}
        )
        yield commit(subject, created, RunScheduled(at, 1))
        yield commit(subject, RunSubmitted(1, "agent", "agent"))
        yield commit(subject, RunStarted(1, at))
        events: list[Event] = []
        for n in range(tasks):
            events.append(TaskRunStarted(slug=f"task-{n}", at=at, message="Starting task run."))
            events.append(TaskRunSucceeded(slug=f"task-{n}", at=at, message="Task run succeeded."))
        events.append(RunSucceeded(1, at))
        for start in range(0, len(events), EVENTS_IN_A_COMMIT):
            yield commit(subject, *events[start : start + EVENTS_IN_A_COMMIT])


async def append_all(log: Log, commits: list[tuple[str, Commit]], writers: int = 64) -> None:
    """Append as many writers would: each subject in order, many subjects at once."""
    by_subject: dict[str, list[Commit]] = {}
    for subject, commit in commits:
        by_subject.setdefault(subject, []).append(commit)
    waiting = iter(by_subject.items())

    async def write() -> None:
        for subject, chain in waiting:
            position = 0
            for commit in chain:
                position = await log.events.append(subject, commit, expected=position)

    async with anyio.create_task_group() as group:
        for _ in range(writers):
            group.start_soon(write)


@asynccontextmanager
async def announced(log: Log) -> AsyncIterator[AsyncIterator[ViewsAnnouncement]]:
    async with log.subscribe(subjects.VIEWS_POSITION) as messages:

        async def decoded() -> AsyncIterator[ViewsAnnouncement]:
            async for message in messages:
                yield msgspec.json.decode(message.data, type=ViewsAnnouncement)

        yield decoded()


async def catch_up(log: Log, database_url: str, events: int) -> list[Measurement]:
    tail = (await log.events.tail()).position
    began = time.perf_counter()
    async for _ in log.events.read_all():
        pass
    floor = time.perf_counter() - began
    async with announced(log) as positions, anyio.create_task_group() as group:
        began = time.perf_counter()
        # The first start builds the views; what it takes is a rebuild from nothing.
        await start_all(group, view_services(log, database_url))
        async for announcement in positions:
            if announcement.position >= tail:
                break
        ours = time.perf_counter() - began
        began = time.perf_counter()
        await rebuild_views(log)
        rebuild = time.perf_counter() - began
        group.cancel_scope.cancel()
    read, read_is = events / floor, "reading the same events"
    return [
        at_least("projection, catch-up from zero", events / ours, "events/s", 25_000, floor=read, floor_is=read_is),
        at_least("projection, rebuild beside live views", events / rebuild, "events/s", 25_000, floor=read, floor_is=read_is),
    ]


async def steady_lag(log: Log, database_url: str, rate: int, seconds: float = 10.0) -> list[Measurement]:
    """From the moment an append returned to the moment its position was announced."""
    commits = list(history(int(rate * seconds / 5), 1))
    events = sum(len(commit.events) for _, commit in commits)
    appended: dict[int, float] = {}
    lags: list[float] = []
    appended_all, heard_all = anyio.Event(), anyio.Event()

    async def listen(positions: AsyncIterator[ViewsAnnouncement]) -> None:
        async for announcement in positions:
            now = time.perf_counter()
            shown = [position for position in appended if position <= announcement.position]
            lags.extend(now - appended.pop(position) for position in shown)
            if appended_all.is_set() and not appended:
                heard_all.set()

    async with announced(log) as positions, anyio.create_task_group() as group:
        await start_all(group, view_services(log, database_url))
        group.start_soon(listen, positions)
        began = time.perf_counter()
        last: dict[str, int] = {}
        done = 0
        for subject, commit in commits:
            await anyio.sleep(max(0.0, began + done / rate - time.perf_counter()))
            position = await log.events.append(subject, commit, expected=last.get(subject, 0))
            appended[position] = time.perf_counter()
            last[subject] = position
            done += len(commit.events)
        took = time.perf_counter() - began
        appended_all.set()
        flow = commits[1]
        await log.events.append(flow[0], new_commit(flow[1].events[:0], at=flow[1].at, actor="benchmark"), expected=last[flow[0]])
        await heard_all.wait()
        group.cancel_scope.cancel()
    lags.sort()
    p50, p99 = statistics.median(lags), lags[int(len(lags) * 0.99)]
    at_rate = f"at {events / took:,.0f} events/s"
    return [
        Measurement(f"projection lag {at_rate}, p50", p50 * 1e3, "ms"),
        at_most(f"projection lag {at_rate}, p99", p99 * 1e3, "ms", 100),
    ]


async def measurements(runs: int = 10_000, tasks: int = 1, rate: int = 500) -> list[Measurement]:
    with tempfile.TemporaryDirectory() as home:
        node, postgres = NatsNode(Path(home) / "nats"), Postgres(Path(home) / "postgres")
        node.start()
        postgres.start()
        try:
            async with open_log(node.url, ensure_streams=True) as log:
                commits = list(history(runs, tasks))
                events = sum(len(commit.events) for _, commit in commits)
                await append_all(log, commits)
                database_url = postgres.create_database()
                return [*await catch_up(log, database_url, events), *await steady_lag(log, database_url, rate)]
        finally:
            postgres.stop()
            node.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--tasks", type=int, default=1)
    parser.add_argument("--rate", type=int, default=500, help="events per second for the lag")
    chosen = parser.parse_args()
    print("\n".join(lines(asyncio.run(measurements(chosen.runs, chosen.tasks, chosen.rate)))))
