"""`headwater projections dead-letters`: what was set aside is listed, shown and tried once more, and it is said what came of it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio.to_thread
import pytest
from harness.command_line import CommandLine, Ended
from harness.commits import AT, a_creation
from harness.scenario import create_flow, create_run, executed
from harness.strangers import Stranger
from harness.views_fixtures import eventually, hosted, opened, views_of

from headwater.core.log import subjects
from headwater.core.log.dead_letters import dead_letter
from headwater.core.log.protocol import Log, WorkItem
from headwater.core.log.work_item import encode_item
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.identifiers import new_id
from headwater.projections.schema import live_build

Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


@pytest.fixture
async def views(log: Log, database_url: str) -> AsyncIterator[ViewsClient]:
    async with hosted(views_of(log, database_url)) as views:
        yield views


@pytest.fixture
def headwater(nats_url: str, tmp_path: Path) -> Run:
    command = CommandLine(tmp_path, nats_url=nats_url)

    async def run(*words: str) -> Ended:
        return await anyio.to_thread.run_sync(lambda: command("projections", "dead-letters", *words))

    return run


async def listed(views: ViewsClient, number: int) -> None:
    async def seen() -> bool:
        return len(await views.dead_letters()) == number

    await eventually(seen, f"{number} dead letters")


async def test_where_nothing_was_set_aside_nothing_is_listed_and_nothing_tried(views: ViewsClient, headwater: Run) -> None:
    for words in (("list",), ("retry", "--all")):
        ended = await headwater(*words)
        assert (ended.code, ended.err) == (0, "There are no dead letters.\n")
    assert (await headwater("list", "--output", "json")).json == []


async def test_a_dead_letter_is_listed_and_shown_with_its_bytes(log: Log, views: ViewsClient, headwater: Run) -> None:
    subject = subjects.run(new_id())
    with Stranger(log.url) as stranger:
        stranger.write(subject, b"\xff\x1b[31m garbage")
    await listed(views, 1)

    table, (row,) = await headwater("list"), (await headwater("list", "--output", "json")).json
    shown, detail = await headwater("show", row["key"]), (await headwater("show", "1", "-o", "json")).json

    assert row["key"] == "events:1"
    assert subject in table.out
    assert row["reason"] in table.out
    assert row["reason"] in shown.out
    assert "\\xff\\x1b[31m garbage" in shown.out
    assert base64.b64decode(detail["data"]) == b"\xff\x1b[31m garbage"


async def test_what_is_still_bad_stays_and_the_exit_code_tells(log: Log, views: ViewsClient, headwater: Run) -> None:
    with Stranger(log.url) as stranger:
        stranger.write(subjects.run(new_id()), b"garbage")
    await log.dead_letters.keep(dead_letter("hw.scheduled.q.x", b"no item", "It is not an item.", reported_by="agent:one", at=AT))
    await listed(views, 2)

    one, everything = await headwater("retry", "events:1"), await headwater("retry", "--all")

    assert one.code == everything.code == 1
    assert one.out.startswith("events:1  unreadable  This version cannot read it either")
    assert sorted(tuple(line.split()[:2]) for line in everything.out.splitlines()) == [("events:1", "unreadable"), ("work:1", "unreadable")]
    await listed(views, 2)


async def test_a_work_item_goes_back_to_its_queue(log: Log, views: ViewsClient, headwater: Run) -> None:
    run_id = new_id()
    item = encode_item(WorkItem(run_id=run_id, queue_id="q", generation=1, creation=a_creation(run_id, "q")))
    await log.dead_letters.keep(dead_letter(f"hw.scheduled.q.{run_id}", item, "An older version could not.", reported_by="", at=AT))

    ended = await headwater("retry", "--all")

    assert (ended.code, ended.out) == (0, f"work:1  offered     It was put back into queue q, for run {run_id}.\n")
    assert run_id in await log.queues.waiting_runs()
    await listed(views, 0)


async def test_a_fact_that_can_be_read_now_is_applied_by_a_rebuild(log: Log, views: ViewsClient, headwater: Run, database_url: str) -> None:
    import asyncpg

    flow = await create_flow(log)
    run = await create_run(log, flow.flow_id)
    end = await executed(log, run.run_id)
    await views.runs(at_least=end)
    # As an older version left it that could not read the commit.
    db = await asyncpg.connect(database_url)
    try:
        live = await live_build(db)
        assert live is not None
        await db.execute(
            f"INSERT INTO {live.schema}.set_aside (position, subject, event, reason, recorded_at) VALUES ($1, $2, 'x', 'old', now())",
            end,
            subjects.run(run.run_id),
        )
    finally:
        await db.close()
    await listed(views, 1)

    ended = await headwater("retry", f"events:{end}")

    assert ended.code == 0, ended
    assert ended.out == f"events:{end}  applied     The views were rebuilt with it in its place.\n"
    await listed(views, 0)


@pytest.mark.parametrize("words", [("retry",), ("retry", "events:1", "--all")])
async def test_which_is_meant_must_be_said_in_one_way(headwater: Run, words: tuple[str, ...]) -> None:
    ended = await headwater(*words)

    assert ended.code == 2
    assert "give the NAME of one, or --all" in ended.err


@pytest.mark.parametrize("key", ["events:7", "work:7", "7"])
async def test_one_that_is_not_there_is_reported(views: ViewsClient, headwater: Run, key: str) -> None:
    for word in ("show", "retry"):
        ended = await headwater(word, key)
        assert ended.code == 1
        assert f"Error: Dead letter {key!r} not found." in ended.err


async def test_a_key_of_no_form_is_refused_with_how_they_look(views: ViewsClient, headwater: Run) -> None:
    ended = await headwater("show", "*")

    assert ended.code == 1
    assert "names no dead letter" in ended.err
    assert "events:17" in ended.err
