"""The query service and whatever may be thrown at it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import anyio
import asyncpg
import msgspec
import pytest
from harness.scenario import create_flow, create_run
from harness.views_fixtures import hosted, opened, serving, views_of

from headwater.core import queries
from headwater.core.errors import InvalidArgument, LogUnavailable, ViewsUnavailable
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog
from headwater.core.log.protocol import Log
from headwater.core.program.concurrency import Service
from headwater.core.queries import FailureKind, ListRuns, QueryReply, QueryRequest
from headwater.core.queries.views_client import ViewsClient
from headwater.projections.services import view_services


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


async def test_garbage_is_answered_and_does_no_harm(log: Log, database_url: str) -> None:
    source = random.Random(7)
    good = msgspec.json.encode(QueryRequest(ListRuns(flow="x", limit=3)))
    garbage = [
        b"",
        b"{}",
        b"null",
        b"[" * 100_000,
        b'{"query":{"ask":"the moon"}}',
        b'{"query":{"ask":"runs","limit":"many"}}',
        b'{"query":{"ask":"runs","limit":-1}}',
        b'{"query":{"ask":"runs","name":"\\u0000"}}',
        b'{"query":{"ask":"runs"},"cursor":"[]"}',
        b'{"query":{"ask":"runs"},"cursor":"[[\\"x\\"],3]"}',
        b'{"query":{"ask":"task_runs","run_id":"\\u0000"}}',
        b'{"query":{"ask":"flow","flow_id":"00000000-0000-0000-0000-000000000000"}}',
        *(bytes(source.choice(good) for _ in range(60)) for _ in range(50)),
        *(good[: source.randrange(len(good))] for _ in range(20)),
    ]
    async with views_of(log, database_url) as views:
        for words in garbage:
            reply = msgspec.json.decode(await log.request(subjects.QUERIES, words, timeout=10), type=QueryReply)
            assert reply.error is not None, words
            assert reply.error.kind in {FailureKind.INVALID, FailureKind.NOT_FOUND}, (words, reply.error)
        assert await views.runs() == []


async def test_announcements_that_make_no_sense_are_passed_over(log: Log, database_url: str) -> None:
    async with views_of(log, database_url) as views:
        await log.publish(subjects.VIEWS_POSITION, b"not an announcement")
        flow = await create_flow(log)
        assert (await views.flow(flow.flow_id, at_least=flow.position)).name == "hello-flow"


async def test_two_servers_share_the_questions_and_one_of_them_may_go(log: Log, nats_url: str, database_url: str) -> None:
    async with opened(nats_url) as other, serving(*view_services(log, database_url)):
        async with serving(*view_services(other, database_url)):
            await _ask_much(ViewsClient(log))
        await _ask_much(ViewsClient(log))


async def _ask_much(views: ViewsClient) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(200):
            group.start_soon(views.runs)


async def test_without_a_server_the_views_say_so(log: Log) -> None:
    with pytest.raises(ViewsUnavailable, match="no server answers"):
        await ViewsClient(log).runs()


async def test_without_postgres_the_service_is_ready_and_says_what_is_wrong(log: Log) -> None:
    async with views_of(log, "postgresql://nobody@/nothing?host=/nowhere") as views:
        with pytest.raises(ViewsUnavailable, match="PostgreSQL is away"):
            await views.runs()
        assert "PostgreSQL is away" in ((await views.status()).problem or "")


async def test_paging_visits_every_row_once_while_more_come(log: Log, database_url: str) -> None:
    flow = await create_flow(log)
    created = [(await create_run(log, flow.flow_id, context={"padding": "x" * 30_000})).run_id for _ in range(60)]
    async with views_of(log, database_url) as views:
        seen: list[str] = []
        cursor: str | None = None
        pages = 0
        at = (await log.events.tail()).position
        while True:
            reply = await views.page(ListRuns(limit=None), at_least=at, cursor=cursor)
            seen += [row.id for row in msgspec.json.decode(reply.rows, type=list[queries.RunRow])]
            assert len(reply.rows) < 1_000_000
            pages += 1
            await create_run(log, flow.flow_id)
            if (cursor := reply.next) is None:
                break
        assert seen == created[::-1]
        assert pages > 2
        newest = await views.runs(ListRuns(limit=pages + 2), at_least=(await log.events.tail()).position)
        assert [row.id for row in newest][-2:] == seen[:2]


async def test_a_database_of_another_log_is_not_shown(database_url: str) -> None:
    mine, foreign = MemoryLog(), MemoryLog()
    await create_flow(mine)
    async with views_of(mine, database_url):
        services: list[Service] = view_services(foreign, database_url)
        async with serving(*services):
            with pytest.raises(ViewsUnavailable, match="another log"):
                await ViewsClient(foreign).flows()


async def test_every_listing_walks_an_index(log: Log, database_url: str) -> None:
    """However many runs there are, a listing must not read them all; here PostgreSQL is asked how it would go about it."""
    from headwater.projections.queries import statement_for

    flow = await create_flow(log)
    async with views_of(log, database_url) as views:
        await views.flows(at_least=flow.position)
        schema = (await views.status()).schema
    db = await asyncpg.connect(database_url)
    try:
        await db.execute(f"SET search_path TO {schema}; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        for query in (
            ListRuns(),
            ListRuns(states=("Failed",)),
            ListRuns(flow="hello-flow"),
            ListRuns(project="tutorial"),
            ListRuns(flow_id=flow.flow_id),
            ListRuns(flow_group_id=flow.flow_group_id),
            ListRuns(labels=("x",)),
        ):
            statement = statement_for(query, [10**9], 101)
            plan = "\n".join(row[0] for row in await db.fetch(f"EXPLAIN {statement.sql}", *statement.arguments))
            assert "Index Scan Backward using runs_by_" in plan, (query, plan)
            assert "Seq Scan on runs" not in plan, (query, plan)
    finally:
        await db.close()


async def test_a_log_that_is_away_is_not_blamed_on_the_views(nats_node: object, log: Log) -> None:
    nats_node.kill()  # type: ignore[attr-defined]
    with pytest.raises((LogUnavailable, ViewsUnavailable)):
        await ViewsClient(log, wait_seconds=0).runs()


async def test_a_negative_limit_is_refused(log: Log, database_url: str) -> None:
    async with views_of(log, database_url) as views:
        with pytest.raises(InvalidArgument, match="negative"):
            await views.runs(ListRuns(limit=-1))
        assert await views.runs(ListRuns(limit=0)) == []
