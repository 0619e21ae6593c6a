"""Tasks that print and log what no task should."""

from __future__ import annotations

import logging
from typing import Any

from harness.hostile.objects import NOT_UTF8, Hostile, Quitting
from harness.hostile.register import GOOD, hostile
from headwater.sdk.context.context import context


@hostile(GOOD, log_stdout=True)
def prints_what_is_not_utf8() -> None:
    print(NOT_UTF8)


@hostile(GOOD)
def logs_what_is_not_utf8() -> None:
    context.logger.warning(NOT_UTF8)


@hostile(GOOD)
def logs_under_a_name_that_is_not_utf8() -> None:
    logging.getLogger(f"headwater.{NOT_UTF8}").warning("here")


@hostile(GOOD)
def names_a_level_that_is_not_utf8() -> None:
    logging.addLevelName(35, NOT_UTF8)
    context.logger.log(35, "here")


@hostile(GOOD)
def logs_at_a_level_beyond_all() -> None:
    for level in (2**31, 2**63, 2**200, -(2**31) - 1):
        context.logger.log(level, "level %d", level) if level > 0 else context.logger.handle(_record(levelno=level))


@hostile(GOOD)
def logs_at_impossible_times() -> None:
    for moment in (-62135596800.0, 253402300799.0, 1e30, float("nan"), -1e30, "noon", None):
        context.logger.handle(_record(created=moment))


@hostile(GOOD)
def logs_records_of_other_kinds() -> None:
    for name, value in (("name", None), ("name", Hostile()), ("levelno", True), ("msg", Hostile()), ("exc_info", 5)):
        context.logger.handle(_record(**{name: value}))


def _record(**fields: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"name": context.logger.name, "levelno": logging.WARNING, "levelname": "X", "msg": "odd", **fields})


@hostile(GOOD)
def logs_what_cannot_be_formatted() -> None:
    context.logger.info("%d", "x")
    context.logger.info("%s", Hostile())
    context.logger.info("%s", Quitting())
    context.logger.info("%s %s", 1)
    context.logger.info("odd", extra={"hostile": Hostile()})


@hostile(GOOD)
def logs_megabytes() -> None:
    context.logger.info("x" * 5_000_000)
    context.logger.info("\udcff" * 5_000_000)
    context.logger.info("\x00\x1b[31m\r\n" * 10_000)
