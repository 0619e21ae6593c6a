"""What the projector lives through: its own death, PostgreSQL's, a rival, commits that make no sense."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import asyncpg
import pytest
from harness.commits import AT
from harness.scenario import claimed, create_flow, create_run, executed, lost, recorded, succeeding
from harness.servers import Postgres
from harness.strangers import Stranger
from harness.views_fixtures import WAIT_SECONDS, eventually, hosted, opened, rows_of_views, serving, views_of

from headwater.core.errors import ViewsUnavailable
from headwater.core.events import ProjectRenamed, RunCancelled, RunRenamed
from headwater.core.log import subjects
from headwater.core.log.codec import encode
from headwater.core.log.commit import new_commit
from headwater.core.log.memory import MemoryLog
from headwater.core.log.protocol import Log
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.identifiers import new_id
from headwater.projections.apply import Applier
from headwater.projections.projector import Projector
from headwater.projections.schema import Fenced, create_build, create_meta_schema, live_build, write_into


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


async def some_history(log: Log, runs: int = 5) -> int:
    flow = await create_flow(log)
    for n in range(runs):
        run = await create_run(log, flow.flow_id, name=f"run {n}")
        await claimed(log, run.run_id)
        await recorded(log, run.run_id, *succeeding(["task-0"]))
        if n % 2:
            await lost(log, run.run_id)
    return (await log.events.tail()).position


async def reached(views: ViewsClient, position: int) -> None:
    await views.projects(at_least=position)


async def fresh_fold(log: Log, postgres: Postgres) -> dict[str, list[str]]:
    """The views of the log, folded from its first position into a database of their own."""
    url = postgres.create_database()
    async with views_of(log, url) as views:
        await reached(views, (await log.events.tail()).position)
        return await rows_of_views(url)


async def test_a_projector_goes_on_where_the_one_before_ended(log: Log, database_url: str, postgres_server: Postgres) -> None:
    for _ in range(3):
        async with views_of(log, database_url) as views:
            await reached(views, await some_history(log))
            await some_history(log)  # what it is busy with when it is cancelled
    async with views_of(log, database_url) as views:
        await reached(views, (await log.events.tail()).position)

    assert await rows_of_views(database_url) == await fresh_fold(log, postgres_server)


async def test_postgres_may_die_and_come_back(log: Log, tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres) -> None:
    own = Postgres(tmp_path_factory.mktemp("own-postgres"))
    own.start()
    try:
        url = own.create_database()
        async with views_of(log, url) as views:
            await reached(views, await some_history(log))
            own.kill()
            position = await some_history(log)  # appending needs no PostgreSQL
            with pytest.raises(ViewsUnavailable, match="PostgreSQL is away"):
                await views.runs(at_least=position)
            status = await views.status()
            assert status.problem is not None
            assert "PostgreSQL is away" in status.problem
            assert status.log_position == position

            own.start()
            await eventually(lambda: _answers(views, position), "the views are back")
            # The reader of log lines comes back on a connection of its own.
            await eventually(lambda: _is_well(views), "no problem is told any more")
            assert await rows_of_views(url) == await fresh_fold(log, postgres_server)
    finally:
        own.stop()


async def _is_well(views: ViewsClient) -> bool:
    return (await views.status()).problem is None


async def _answers(views: ViewsClient, position: int) -> bool:
    try:
        await reached(views, position)
    except ViewsUnavailable:
        return False
    return True


async def test_a_second_projector_waits_and_takes_over(log: Log, database_url: str) -> None:
    first, second = Projector(log, database_url), Projector(log, database_url)
    async with serving(second_host := _Cancellable(first), second):
        assert second.standby
        assert not first.standby
        await second_host.end()
        await eventually(lambda: _is(not second.standby), "the standby takes over")
        position = await some_history(log)
        await eventually(lambda: _checkpoint_at(database_url, position), "the views follow")


class _Cancellable:
    """A service that can be ended by itself."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()

    async def serve(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        with self._scope:
            await self._projector.serve(task_status=task_status)
        self._ended.set()

    async def end(self) -> None:
        self._scope.cancel()
        await self._ended.wait()


async def _is(fact: bool) -> bool:
    return fact


async def _checkpoint_at(database_url: str, position: int) -> bool:
    db = await asyncpg.connect(database_url)
    try:
        live = await live_build(db)
        return live is not None and live.position == position
    finally:
        await db.close()


async def test_of_two_that_believe_it_is_their_turn_only_one_writes(log: Log, database_url: str) -> None:
    await some_history(log)
    batch = [each async for part in log.events.read_all() for each in part]
    one, other = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    try:
        await create_meta_schema(one)
        build = await create_build(one, await log.events.tail())
        for db in (one, other):
            await write_into(db, build)
        await Applier(one, build).apply(batch)
        with pytest.raises(Fenced):
            await Applier(other, build).apply(batch[:3])
        assert await other.fetchval("SELECT count(*) FROM runs") == 5
    finally:
        await one.close()
        await other.close()


async def test_what_cannot_be_applied_is_set_aside_and_blocks_nothing(log: Log, database_url: str, postgres_server: Postgres) -> None:
    async def append(subject: str, *events: object) -> int:
        commit = new_commit(events, at=AT, actor="somebody")  # type: ignore[arg-type]
        return await log.events.append(subject, commit, expected=0)

    def garbage(subject: str, data: bytes) -> int:
        with Stranger(log.url) as stranger:
            return stranger.store(subject, data)

    flow = await create_flow(log)
    run = await create_run(log, flow.flow_id)
    at = [
        await append(subjects.run(new_id()), RunRenamed("of a run that was never created")),
        garbage("hw.evt.run.not-a-uuid", encode(new_commit([RunCancelled(AT)], at=AT, actor="somebody"))),
        await append(subjects.project(new_id()), ProjectRenamed("of a project that was never created")),
    ]
    end = await executed(log, run.run_id)
    async with views_of(log, database_url) as views:
        assert (await views.run(run.run_id, at_least=end)).state == "Success"
        status = await views.status()
        assert [row.position for row in status.set_aside] == sorted(at, reverse=True)
        assert status.set_aside_count == 3
        assert status.set_aside[-1].event == "run.renamed"
        assert status.set_aside[-1].reason == "The run was never created, or it was deleted."
    assert await rows_of_views(database_url) == await fresh_fold(log, postgres_server)


async def test_views_of_another_log_are_replaced(database_url: str) -> None:
    for name in ("one", "two"):
        log = MemoryLog()
        await create_flow(log, name)
        async with views_of(log, database_url) as views:
            assert [flow.name for flow in await views.flows(at_least=(await log.events.tail()).position)] == [name]


async def test_a_killed_broker_costs_the_views_nothing(nats_node: object, log: Log, database_url: str, postgres_server: Postgres) -> None:
    async with views_of(log, database_url) as views:
        await reached(views, await some_history(log))
        nats_node.kill()  # type: ignore[attr-defined]
        nats_node.start()  # type: ignore[attr-defined]
        with anyio.fail_after(WAIT_SECONDS):
            await reached(views, await some_history(log))
        assert await rows_of_views(database_url) == await fresh_fold(log, postgres_server)


async def test_connections_that_are_cut_in_the_middle_of_anything_leave_the_views_whole(
    log: Log, database_url: str, postgres_server: Postgres
) -> None:
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'headwater projector'"
    async with views_of(log, database_url) as views:
        db = await asyncpg.connect(database_url)
        try:
            done, cuts = anyio.Event(), 0

            async def work() -> None:
                rounds = 0
                while rounds < 4 or cuts < 3:  # until it was cut in the middle of something, more than once
                    await some_history(log, runs=10)
                    rounds += 1
                done.set()

            async with anyio.create_task_group() as group:
                group.start_soon(work)
                while not done.is_set():
                    cuts += await db.fetchval(cut)
                    await eventually(lambda: _projector_is_connected(db), "the projector is back")
        finally:
            await db.close()
        await reached(views, (await log.events.tail()).position)
        assert (await views.status()).set_aside_count == 0
    assert await rows_of_views(database_url) == await fresh_fold(log, postgres_server)


async def _projector_is_connected(db: asyncpg.Connection) -> bool:
    return bool(await db.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'headwater projector'"))
