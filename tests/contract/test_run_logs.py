from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import anyio
from harness.brokers import Broker
from harness.commits import AT

from headwater.core.log.log_lines import LINE_CHARACTERS_MAX, MESSAGE_BYTES_MAX
from headwater.core.log.protocol import Log, LogLine, RecordedLines
from headwater.core.values.identifiers import new_id

IN_TIME_SECONDS = 30.0


def a_line(text: str, *, number: int = 0) -> LogLine:
    return LogLine(at=AT + timedelta(milliseconds=number), level=logging.INFO, logger="headwater.task", message=text, task="say_hello-1")


async def test_lines_are_read_back_by_run_with_their_attempt(log: Log) -> None:
    run_id, lines = new_id(), (a_line("Hello, 🌊!"), a_line('a "quoted"\nsecond line', number=1))

    position = await log.logs.write(run_id, 2, lines)

    assert await log.logs.read(run_id) == [RecordedLines(position, run_id, 2, lines)]
    assert await log.logs.read(new_id()) == []


async def test_reading_on_begins_after_the_position_given(log: Log) -> None:
    run_id = new_id()
    first = await log.logs.write(run_id, 1, [a_line("first")])
    await log.logs.write(new_id(), 1, [a_line("another run's")])
    await log.logs.write(run_id, 2, [a_line("second")])

    assert _messages(await log.logs.read(run_id)) == ["first", "second"]
    assert _messages(await log.logs.read(run_id, after=first)) == ["second"]


async def test_many_lines_travel_in_as_many_messages_as_they_need(log: Log) -> None:
    run_id = new_id()
    written = [a_line(f"{number} {'x' * 1000}") for number in range(1000)]

    await log.logs.write(run_id, 1, written)

    recorded = await log.logs.read(run_id)
    assert [line for each in recorded for line in each.lines] == written
    assert 1000 * 1000 / MESSAGE_BYTES_MAX < len(recorded) < 8


async def test_a_line_beyond_all_measure_is_cut_and_says_so(log: Log) -> None:
    run_id = new_id()

    await log.logs.write(run_id, 1, [a_line("x" * (LINE_CHARACTERS_MAX + 7))])

    [text] = _messages(await log.logs.read(run_id))
    assert text == "x" * LINE_CHARACTERS_MAX + "… (7 more characters)"


async def test_writing_nothing_stores_nothing(log: Log) -> None:
    run_id = new_id()
    await log.logs.write(run_id, 1, [])
    assert await log.logs.read(run_id) == []


async def test_a_run_is_followed_from_its_first_line_on(log: Log, other: Log) -> None:
    run_id = new_id()
    await other.logs.write(run_id, 1, [a_line("before")])
    async with log.logs.follow(run_id) as lines:
        await other.logs.write(new_id(), 1, [a_line("another run's")])
        await other.logs.write(run_id, 1, [a_line("after")])

        assert _messages(await _seen(lines, 2)) == ["before", "after"]


async def test_all_runs_are_followed_over_a_killed_broker(broker: Broker, log: Log, other: Log) -> None:
    run_ids = [new_id() for _ in range(4)]
    start = await other.logs.write(new_id(), 1, [a_line("an older one")])
    async with log.logs.follow(after=start) as lines:
        await other.logs.write(run_ids[0], 1, [a_line("0")])
        assert _messages(await _seen(lines, 1)) == ["0"]
        broker.kill()
        broker.restart()
        for number in (1, 2, 3):
            await other.logs.write(run_ids[number], 1, [a_line(str(number))])

        assert [(each.run_id, each.lines[0].message) for each in await _seen(lines, 3)] == [(run_ids[n], str(n)) for n in (1, 2, 3)]


def _messages(recorded: Sequence[RecordedLines]) -> list[str]:
    return [line.message for each in recorded for line in each.lines]


async def _seen(lines: AsyncIterator[Sequence[RecordedLines]], count: int) -> list[RecordedLines]:
    seen: list[RecordedLines] = []
    with anyio.fail_after(IN_TIME_SECONDS):
        while len(seen) < count:
            seen += await anext(lines)
    assert len(seen) == count
    return seen
