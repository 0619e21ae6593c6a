"""Rebuilding: the same log gives the same rows, byte for byte, and readers notice nothing meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import asyncpg
import pytest
from harness.scenario import an_agent, create_flow, create_run, create_test_project, executed, lost, now, recorded, succeeding
from harness.scenario import claimed as claim
from harness.views_fixtures import hosted, opened, rows_of_views, serving, views_of

from headwater.core.aggregates import Actor
from headwater.core.calendar import IntervalSchedule
from headwater.core.errors import ViewsUnavailable
from headwater.core.events import BackfillChoice, BackfillTime, TaskRunCached, TaskRunNamed, TaskRunStarted
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.queries import RebuildProgress
from headwater.core.queries.rebuild_client import rebuild_views
from headwater.core.queries.requests import ListFlows
from headwater.core.queries.views_client import ViewsClient
from headwater.projections.database import connect
from headwater.projections.schema import SCHEMA_VERSION
from headwater.projections.services import view_services
from headwater.server.planner.backfill_keeper import BackfillKeeper
from headwater.server.planner.schedule_keeper import ScheduleKeeper

ACTOR = Actor("test")


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


async def something_of_everything(log: Log) -> int:
    """A bit of all that can happen. The last of it is at the returned position."""
    flow = await create_flow(log, tasks=3, labels=("x",))
    large = await create_flow(log, "large", tasks=2_000)
    ended = await create_run(log, flow.flow_id)
    await executed(log, ended.run_id, tasks=3)
    troubled = await create_run(log, large.flow_id, labels=["y"])
    await claim(log, troubled.run_id)
    await recorded(log, troubled.run_id, *succeeding(["task-0"]), TaskRunStarted(slug="task-1", at=now()))
    await lost(log, troubled.run_id)
    await claim(log, troubled.run_id)
    await recorded(log, troubled.run_id, TaskRunNamed(slug="task-2", at=now(), name="third"), TaskRunStarted(slug="task-1", at=now()))
    kept = {"key": "shared", "parameters": {"day": "mon"}, "hashed_inputs": {"x": "ab"}}
    await recorded(log, troubled.run_id, TaskRunCached(slug="task-1", at=now(), expires_at=now(), cache=kept))
    cancelled = await create_run(log, flow.flow_id)
    await Headwater(log, ACTOR).runs.cancel(cancelled.run_id, reason="no need")
    await Headwater(log, ACTOR).runs.rename(ended.run_id, "another name")
    await an_agent(log)
    await scheduled(log, flow.flow_group_id)
    for value in (1, {"day": "mon"}):
        await Headwater(log, ACTOR).key_values.set(await create_test_project(log), "last day", value)
    left = await Headwater(log, ACTOR).artifacts.create(ended.run_id, "task-0", -1, "link", {"link": "/x"})
    await Headwater(log, ACTOR).artifacts.update(left.id, {"link": "/y"})
    gone = await create_flow(log, "gone", project="to be deleted")
    await Headwater(log, ACTOR).key_values.set(gone.project_id, "last day", 1)
    await Headwater(log, ACTOR).flows.delete(gone.flow_group_id)
    await Headwater(log, ACTOR).projects.delete(gone.project_id)
    return (await log.events.tail()).position


async def scheduled(log: Log, group_id: str) -> None:
    """A schedule that was set, has fired, was paused, set otherwise and resumed; and a backfill of a part of it."""
    headwater, keeper = Headwater(log, ACTOR), ScheduleKeeper(log, ACTOR)
    often = IntervalSchedule(timedelta(seconds=0.1), overlap="allow").serialize()
    schedule = (await headwater.schedules.set(group_id, often, slug="often")).state.definition
    assert schedule is not None
    while not (await headwater.schedules.of(schedule.schedule_id).refresh()).progress.runs_made:  # type: ignore[union-attr]
        await keeper.look(schedule.schedule_id)
    await headwater.schedules.pause(schedule.schedule_id, note="The source moves.")
    await headwater.schedules.set(group_id, IntervalSchedule(timedelta(days=365)).serialize(), slug="often", active=True)
    times = (BackfillTime(nominal=now()), BackfillTime(nominal=now() + timedelta(seconds=1)))
    request = headwater.backfills.request(schedule, now(), now(), BackfillChoice.ALL, times, limit=2)
    backfill_id = (await request).state.requested.backfill_id
    await BackfillKeeper(log, ACTOR, keeper.runs, keeper.flows).look(backfill_id)
    await headwater.backfills.cancel(backfill_id, reason="wrong data")


async def test_a_rebuild_gives_the_same_rows(log: Log, database_url: str) -> None:
    async with views_of(log, database_url) as views:
        for _ in range(2):
            # Live, commit by commit, with a reader waiting for each: other batches than the rebuild's.
            position = await something_of_everything(log)
            await views.projects(at_least=position)
        before, old_schema = await rows_of_views(database_url), (await views.status()).schema
        assert all(before[table] for table in before.keys() - {"registration_parts", "set_aside"})

        news: list[RebuildProgress] = []
        done = await rebuild_views(log, news.append)

        assert (done.state, news[-1]) == ("switched", done)
        assert done.position == position
        status = await views.status()
        assert (status.schema, status.position, status.set_aside_count) == (done.schema, position, 0)
        assert status.schema != old_schema
        assert await rows_of_views(database_url) == before


async def test_the_projector_goes_on_in_the_rebuilt_views_and_drops_the_old_ones(log: Log, database_url: str) -> None:
    async with views_of(log, database_url) as views:
        await views.projects(at_least=await something_of_everything(log))
        await rebuild_views(log)
        position = await something_of_everything(log)
        await views.projects(at_least=position)

        db = await asyncpg.connect(database_url)
        try:
            schemas = await db.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'headwater\\_v%'")
            assert [row[0] for row in schemas] == [(await views.status()).schema]
        finally:
            await db.close()


async def test_a_reader_during_a_rebuild_never_sees_less(log: Log, database_url: str) -> None:
    async with views_of(log, database_url) as views:
        position = await something_of_everything(log)
        count = len(await views.runs(at_least=position))
        rebuilt = anyio.Event()

        async def read() -> None:
            while not rebuilt.is_set():
                assert len(await views.runs(at_least=position)) >= count

        async def append() -> None:
            while not rebuilt.is_set():
                created = await create_run(log, (await views.flows(ListFlows(name="large")))[0].id)
                assert (await views.run(created.run_id, at_least=created.position)).id == created.run_id

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            group.start_soon(append)
            for _ in range(3):
                await rebuild_views(log)
            rebuilt.set()


async def test_a_second_rebuild_joins_the_first(log: Log, database_url: str) -> None:
    async with views_of(log, database_url) as views:
        await views.projects(at_least=await something_of_everything(log))
        async with anyio.create_task_group() as group:
            ends: list[RebuildProgress] = []

            async def rebuild() -> None:
                ends.append(await rebuild_views(log))

            group.start_soon(rebuild)
            group.start_soon(rebuild)
        assert [end.state for end in ends] == ["switched", "switched"]


async def test_views_of_an_older_version_are_built_again_and_those_of_a_newer_one_are_not_read(log: Log, database_url: str) -> None:
    async with views_of(log, database_url) as views:
        await views.projects(at_least=await something_of_everything(log))
        before = await rows_of_views(database_url)
    services = view_services(log, database_url)

    async def live_version() -> int:
        async with connect(database_url, name="test") as db:
            return int(await db.fetchval("SELECT version FROM headwater.views WHERE live"))

    async def set_live_version(version: int) -> None:
        async with connect(database_url, name="test") as db:
            await db.execute("UPDATE headwater.views SET version = $1 WHERE live", version)

    await set_live_version(SCHEMA_VERSION - 1)
    async with serving(services[0]):
        assert await rows_of_views(database_url) == before
        assert await live_version() == SCHEMA_VERSION
    await set_live_version(SCHEMA_VERSION + 1)
    async with serving(services[-1]):
        with pytest.raises(ViewsUnavailable, match="being built"):
            await ViewsClient(log).projects()
