"""An operator deletes the streams that the facts do without, while all runs: what comes later is kept, and no program waits for ever."""

from __future__ import annotations

from datetime import UTC, datetime

import anyio
from harness.commits import AT
from harness.servers import NatsNode

from headwater.core.log.dead_letters import dead_letter
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import Log, LogLine
from headwater.core.values.identifiers import new_id

IN_TIME_SECONDS = 60


def a_line(message: str) -> LogLine:
    return LogLine(datetime.now(UTC), 20, "logger", message)


async def delete(log: Log, stream: str) -> None:
    answer = await log.request(f"$JS.API.STREAM.DELETE.{stream}", b"", timeout=10)
    assert b'"success":true' in answer, answer


async def test_log_lines_are_written_and_followed_over_the_loss_of_their_stream(nats_node: NatsNode) -> None:
    run_id = new_id()
    with anyio.fail_after(IN_TIME_SECONDS):
        async with open_log(nats_node.url, ensure_streams=True) as log, log.logs.follow() as batches:
            before = await log.logs.write(run_id, 1, [a_line("before")])
            assert [line.message for lines in await anext(batches) for line in lines.lines] == ["before"]

            await delete(log, "LOGS")

            after = await log.logs.write(run_id, 1, [a_line("after")])
            assert after > before, "whoever reads on from where they were must find it"
            assert [line.message for lines in await anext(batches) for line in lines.lines] == ["after"]


async def test_a_reader_makes_the_stream_of_log_lines_as_well(nats_node: NatsNode) -> None:
    with anyio.fail_after(IN_TIME_SECONDS):
        async with open_log(nats_node.url, ensure_streams=True) as log:
            await delete(log, "LOGS")

            async with log.logs.follow(after=7) as batches:
                await log.logs.write(new_id(), 1, [a_line("after")])
                assert [line.message for lines in await anext(batches) for line in lines.lines] == ["after"]


async def test_dead_letters_are_kept_after_the_loss_of_their_stream(nats_node: NatsNode) -> None:
    letter = dead_letter("hw.scheduled.queue.x", b"garbage", "It is not a work item.", reported_by="agent:one", at=AT)
    with anyio.fail_after(IN_TIME_SECONDS):
        async with open_log(nats_node.url, ensure_streams=True) as log:
            await delete(log, "DEAD")
            assert await log.dead_letters.count() == 0

            await delete(log, "DEAD")
            position = await log.dead_letters.keep(letter)

            assert [kept.position for kept in await log.dead_letters.read(newest=5)] == [position]
