"""Dead letters from their finding to their retrial: a real log, a real PostgreSQL, the views as a server serves them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from harness.commits import AT, a_creation
from harness.scenario import create_flow, create_run, executed
from harness.strangers import Stranger
from harness.views_fixtures import eventually, views_of

from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.log import subjects
from headwater.core.log.dead_letters import dead_letter
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log, WorkItem
from headwater.core.log.work_item import encode_item
from headwater.core.queries import DeadLetterSource
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.identifiers import new_id


@pytest.fixture
async def log(nats_url: str) -> Any:
    async with open_log(nats_url, ensure_streams=True) as opened:
        yield opened


async def seen(views: ViewsClient, number: int) -> bool:
    return len(await views.dead_letters()) == number


async def test_what_was_set_aside_is_listed_shown_and_counted(log: Log, database_url: str) -> None:
    run_id, item = new_id(), f"hw.scheduled.queue.{new_id()}"
    with Stranger(log.url) as stranger:
        stranger.write(subjects.run(run_id), b"\xff\xfe garbage")
        stranger.write(subjects.run_log(run_id, 1), b"no lines")
    await log.dead_letters.keep(dead_letter(item, b"no item", "It is not an item.", reported_by="agent:one", at=AT + timedelta(days=1)))

    async with views_of(log, database_url) as views:
        await eventually(lambda: seen(views, 3), "all three are listed")
        rows = {row.source: row for row in await views.dead_letters()}
        assert {source: row.subject for source, row in rows.items()} == {
            DeadLetterSource.EVENTS: subjects.run(run_id),
            DeadLetterSource.LOGS: subjects.run_log(run_id, 1),
            DeadLetterSource.WORK: item,
        }
        shown = [(await views.dead_letter(row.key)).data for row in rows.values()]
        assert sorted(shown, key=str) == sorted([b"\xff\xfe garbage", b"no lines", b"no item"], key=str)
        status = await views.status()
        assert (status.set_aside_count, status.log_dead_letters, status.work_dead_letters) == (1, 1, 1)


async def test_what_is_still_bad_says_so_when_it_is_tried_again(log: Log, database_url: str) -> None:
    never_created = new_id()
    with Stranger(log.url) as stranger:
        stranger.write(subjects.run(new_id()), b"garbage")
        stranger.write(subjects.run(never_created), _commit({"type": "run.renamed", "name": "x"}))
        stranger.write(subjects.run_log(new_id(), 1), b"garbage")
        stranger.write(subjects.agent("one"), _commit({"type": "agent.painted"}))
    await log.dead_letters.keep(dead_letter("hw.scheduled.q.x", b"garbage", "It is not an item.", reported_by="", at=AT))
    await log.dead_letters.keep(dead_letter("hw.scheduled.q.y", _item("q", new_id()), "It was not an item.", reported_by="", at=AT))

    async with views_of(log, database_url) as views:
        await eventually(lambda: seen(views, 6), "all are listed")
        outcomes = {key: (await views.retry_dead_letter(key)).outcome for key in [row.key for row in await views.dead_letters()]}
        assert sorted(outcomes.values()) == ["refused", "refused", "unreadable", "unreadable", "unreadable", "unreadable"]
        assert len(await views.dead_letters()) == 6


def _commit(*events: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"v": 1, "id": new_id(), "at": AT, "actor": "stranger", "events": events})


def _item(queue_id: str, run_id: str, **more: Any) -> bytes:
    return encode_item(WorkItem(run_id=run_id, queue_id=queue_id, generation=1, **more))


async def test_a_work_item_that_can_be_read_goes_back_to_its_queue(log: Log, database_url: str) -> None:
    run_id = new_id()
    item = _item("q", run_id, creation=a_creation(run_id, "q"))
    position = await log.dead_letters.keep(
        dead_letter(f"hw.scheduled.q.{run_id}", item, "An older version could not.", reported_by="", at=AT)
    )

    async with views_of(log, database_url) as views:
        retried = await views.retry_dead_letter(f"work:{position}")

        assert retried.outcome == "offered"
        assert run_id in await log.queues.waiting_runs()
        assert await views.dead_letters() == []


async def test_a_dead_letter_blocks_nothing_of_its_own_run(log: Log, database_url: str) -> None:
    flow = await create_flow(log)
    run = await create_run(log, flow.flow_id)
    with Stranger(log.url) as stranger:
        stranger.store(subjects.run(run.run_id), b"garbage in the middle of a run")
    end = await executed(log, run.run_id)

    async with views_of(log, database_url) as views:
        assert (await views.run(run.run_id, at_least=end)).state == "Success"
        assert len(await views.dead_letters()) == 1


@pytest.mark.parametrize(
    "key", ["", "x", "events:", "events:0", "events:-1", "events:\u00b2", "events:" + "9" * 5000, "nowhere:1", "1:1:1"]
)
async def test_a_key_that_names_none_is_refused_with_how_they_are_named(log: Log, database_url: str, key: str) -> None:
    async with views_of(log, database_url) as views:
        with pytest.raises(InvalidArgument, match="names no dead letter"):
            await views.dead_letter(key)


async def test_one_that_is_not_there_is_not_found(log: Log, database_url: str) -> None:
    async with views_of(log, database_url) as views:
        for key in ("events:1", "logs:1", "work:1", "7"):
            with pytest.raises(NotFound):
                await views.retry_dead_letter(key)
