"""Anyone on the same NATS hears where answers are expected, and may write there: what cannot be read there is no answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio
import pytest
from harness.commits import a_commit, a_subject, an_item
from harness.servers import NatsNode
from nats.aio.msg import Msg

from headwater.core.errors import ViewsUnavailable
from headwater.core.log import subjects
from headwater.core.log.jetstream import open_log
from headwater.core.log.jetstream.connection import Connection, connect
from headwater.core.log.protocol import Append, Log, LogLine
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.identifiers import new_id

ANSWERS = [
    b"garbage",
    b"",
    b"\xff\xfe",
    b"[]",
    b"{}",
    b"null",
    b"[" * 100_000,
    b'{"seq": "x"}',
    b'{"stream": "EVENTS", "seq": -7}',
    b'{"error": {"code": "x"}}',
    b'{"type": "", "config": null, "state": {"last_seq": "-5"}}',
    b'{"type": "", "config": {}, "state": {}, "ts": "never"}',
    b'{"type": "", "message": {"subject": "hw.evt.x", "seq": 1, "time": "never", "data": "!!"}}',
    b'{"type": "", "message": {"subject": "hw.evt.x", "seq": 1, "time": "2026-01-01T00:00:00", "data": ""}}',
]
HEADERS: list[dict[str, str] | None] = [
    None,
    {"Nats-Sequence": "none", "Nats-Subject": "x", "Nats-Time-Stamp": "never"},
    {"Nats-Sequence": "5"},
    {"Status": "204", "Nats-Num-Pending": "many"},
    {"Status": "408", "Nats-Pending-Messages": "many"},
]
SUBJECTS_OF_ANSWERS = ["", "$JS.ACK.x", "$JS.ACK.EVENTS.c.1.1.1.99999999999999999999999.1", "$JS.ACK.WORK.c.x.y.z.w.v"]

REPLIES = [
    *ANSWERS,
    b'{"position": 0, "rows": [{}], "next": null}',
    b'{"position": 0, "rows": [1, 2], "next": null}',
    b'{"position": 0, "rows": [], "error": {"kind": "not_found", "message": "x", "details": {}}}',
    b'{"position": 0, "rows": [], "error": {"kind": "behind", "message": "x", "details": {"asked": "a"}}}',
]


@asynccontextmanager
async def a_stranger_answers_everything(url: str) -> AsyncIterator[None]:
    """Whatever is asked over NATS, another program answers with every kind of garbage, besides the server."""
    async with connect(url) as stranger:

        async def answer(message: Msg) -> None:
            if not message.reply or message.reply.startswith("$JS.ACK") or message.subject.startswith("_INBOX"):
                return
            for number, data in enumerate(ANSWERS):
                sender = SUBJECTS_OF_ANSWERS[number % len(SUBJECTS_OF_ANSWERS)]
                await stranger.publish(message.reply, data, reply=sender, headers=HEADERS[number % len(HEADERS)])

        await stranger.subscribe(">", answer)
        await stranger.flush()
        yield


async def everything_works(log: Log) -> None:
    """Use the log in every way: facts one by one and together, log lines, work, and reading all of it."""
    subject, other = a_subject(), a_subject()
    position = await log.events.append(subject, a_commit(), expected=0)
    position = await log.events.append_together([Append(subject, a_commit(), position), Append(other, a_commit(), 0)])
    assert [len(await log.events.read(each)) for each in (subject, other)] == [2, 1]
    assert (await log.events.tail()).position == position
    for followed in (subject, subjects.EVENTS_ALL):
        async with log.events.follow(followed) as batches:
            seen = 0
            async for batch in batches:
                seen += sum(recorded.subject == subject for recorded in batch)
                if seen == 2:
                    break
    run_id = new_id()
    await log.logs.write(run_id, 1, [LogLine(datetime.now(UTC), 20, "logger", "a line")])
    assert len(await log.logs.read(run_id)) == 1
    queue_id = new_id()
    item = an_item(queue_id)
    async with log.queues.bind(queue_id, lease_seconds=30) as binding:
        await log.queues.enqueue(item)
        delivery = await anext(aiter(binding))
        assert delivery.item.run_id == item.run_id
        assert await log.queues.is_waiting(item.run_id)
        await delivery.ack()
    assert item.run_id not in await log.queues.waiting_runs()
    assert await log.write_problem(timeout_seconds=5) is None


async def test_a_log_works_where_a_stranger_answers_every_question(nats_node: NatsNode) -> None:
    with anyio.fail_after(100):
        async with open_log(nats_node.url, ensure_streams=True) as log, a_stranger_answers_everything(nats_node.url):
            for _ in range(3):
                await everything_works(log)


@pytest.mark.parametrize("reply", REPLIES)
async def test_an_answer_of_the_views_that_is_none_is_reported_in_words(nats_node: NatsNode, reply: bytes) -> None:
    async with connect(nats_node.url) as stranger, open_log(nats_node.url, ensure_streams=True) as log:
        await serve(stranger, reply)

        with pytest.raises(Exception, match=r".") as refused:
            await ViewsClient(log).run(new_id())

        assert type(refused.value).__module__ == ViewsUnavailable.__module__


async def serve(stranger: Connection, reply: bytes) -> None:
    async def answer(message: Msg) -> None:
        await stranger.publish(message.reply, reply)

    await stranger.subscribe(subjects.QUERIES, answer)
    await stranger.flush()
