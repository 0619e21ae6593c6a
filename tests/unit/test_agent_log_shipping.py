"""How the lines of a run get to its log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from headwater.agents.run_process.log_handler import LogLineHandler
from headwater.agents.supervisor.log_shipping import LINES_MAX, LogShipper
from headwater.core.errors import LogUnavailable
from headwater.core.log.memory import MemoryLog, Moment, Operation
from headwater.core.log.protocol import LogLine
from headwater.sdk.context.context import context

RUN_ID = "0197a3c1-0b2c-7d3e-8f40-5a6b7c8d9e0f"


class Shipping:
    """A logger whose lines are shipped to a log in memory."""

    def __init__(self, lines_max: int = LINES_MAX) -> None:
        self.log = MemoryLog()
        self.shipper = LogShipper(self.log.logs, RUN_ID, 2, lines_max=lines_max)
        self.logger = logging.Logger("headwater.load", logging.DEBUG)  # noqa: LOG001 - no other test's
        self.logger.addHandler(LogLineHandler(self.shipper.add))

    async def messages(self) -> list[list[LogLine]]:
        return [list(each.lines) for each in await self.log.logs.read(RUN_ID)]

    async def texts(self) -> list[str]:
        return [line.message for lines in await self.messages() for line in lines]


@asynccontextmanager
async def shipping(lines_max: int = LINES_MAX) -> AsyncIterator[Shipping]:
    made = Shipping(lines_max)
    async with anyio.create_task_group() as group:
        await group.start(made.shipper.serve)
        with anyio.fail_after(30):
            yield made
        group.cancel_scope.cancel()


async def test_a_line_is_stored_as_it_was_logged_with_its_task() -> None:
    async with shipping() as made:
        with context(task_slug="load-1", map_index=3):
            made.logger.warning("%d rows", 7)
        made.logger.info("outside")
        await made.shipper.flush_to_log()
        ((inside, outside),) = await made.messages()

    assert (inside.message, inside.level, inside.logger, inside.task, inside.map_index) == (
        "7 rows",
        logging.WARNING,
        "headwater.load",
        "load-1",
        3,
    )
    assert (outside.task, outside.map_index) == ("", -1)


async def test_lines_go_out_by_themselves() -> None:
    async with shipping() as made, made.log.logs.follow(RUN_ID) as followed:
        made.logger.info("here I am")
        (recorded, *_) = await anext(followed)

    assert (recorded.attempt, recorded.lines[0].message) == (2, "here I am")


async def test_a_chatty_run_costs_few_messages() -> None:
    async with shipping() as made:
        for number in range(2_000):
            made.logger.info("line %d", number)
        await made.shipper.flush_to_log()

        assert await made.texts() == [f"line {number}" for number in range(2_000)]
        assert len(await made.messages()) == 1


async def test_what_is_too_much_is_dropped_with_a_notice_where_it_is_missing() -> None:
    async with shipping(lines_max=3) as made:
        for number in range(5):
            made.logger.info("line %d", number)
        await made.shipper.flush_to_log()
        made.logger.info("after")
        await made.shipper.flush_to_log()
        texts = await made.texts()

    assert texts == [
        "line 0",
        "line 1",
        "line 2",
        "2 log lines are missing here: they came faster than they could be stored.",
        "after",
    ]


async def test_lines_wait_for_a_log_that_is_away() -> None:
    async with shipping() as made:
        refusals = [LogUnavailable("memory:", "away")] * 2

        def away(operation: Operation, moment: Moment, _subject: str) -> None:
            if operation == "write_lines" and moment == "asked" and refusals:
                raise refusals.pop()

        made.log.interference = away
        made.logger.info("patience")
        await made.shipper.flush_to_log()

        assert await made.texts() == ["patience"]


async def test_an_exception_is_logged_with_its_traceback_and_without_source() -> None:
    async with shipping() as made:
        try:
            int("visible_only_in_source"[0])
        except ValueError:
            made.logger.exception("Task failed")
        await made.shipper.flush_to_log()
        (text,) = await made.texts()

    assert text.startswith("Task failed\nTraceback (most recent call last):\n")
    assert text.endswith("ValueError: invalid literal for int() with base 10: 'v'")
    assert "visible_only_in_source" not in text


async def test_a_line_of_megabytes_is_cut() -> None:
    async with shipping() as made:
        made.logger.info("x" * 3_000_000)
        await made.shipper.flush_to_log()
        (text,) = await made.texts()

    assert "3000000 characters" in text[-40:]
    assert len(text) < 200_000


async def test_lines_that_the_log_refuses_are_counted_and_told_and_those_that_follow_go_on() -> None:
    async with shipping() as made:
        refusals = [ValueError("no such lines")]

        def refuse(operation: Operation, moment: Moment, _subject: str) -> None:
            if operation == "write_lines" and moment == "asked" and refusals:
                raise refusals.pop()

        made.log.interference = refuse
        made.logger.info("lost")
        made.logger.info("lost too")
        await made.shipper.flush_to_log()
        assert made.shipper.left == 2
        made.logger.info("stored")
        await made.shipper.flush_to_log()

        assert made.shipper.left == 0
        assert await made.texts() == ["2 log lines are missing here: they could not be stored: no such lines.", "stored"]


async def test_no_caller_waits_for_a_shipper_that_has_ended() -> None:
    made = Shipping()
    async with anyio.create_task_group() as group:
        await group.start(made.shipper.serve)
        group.cancel_scope.cancel()
    made.logger.info("too late")

    with anyio.fail_after(30):
        await made.shipper.flush_to_log()

    assert made.shipper.left == 1
