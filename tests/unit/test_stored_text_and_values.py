"""What becomes of text and values that not every program can take."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec
import pytest
from harness.hostile import NOT_UTF8, Hostile, HostileError, InterruptingError, Quitting, QuittingError
from hypothesis import given
from hypothesis import strategies as st

from headwater.agents.failures import failure_in_words, failure_of
from headwater.agents.run_process.log_handler import line_of
from headwater.core.events import RunRenamed
from headwater.core.log import subjects
from headwater.core.log.codec import decode, encode
from headwater.core.log.commit import new_commit
from headwater.core.log.log_lines import decode_lines, encode_lines
from headwater.core.log.protocol import LogLine, Recorded
from headwater.core.text import escaped, seen, shown, tame
from headwater.core.values import limits
from headwater.core.values.identifiers import new_id
from headwater.core.values.json_bytes import json_bytes
from headwater.core.values.json_values import VALUE_DEPTH_MAX, json_problem
from headwater.core.values.limits import INT32_MAX, is_instant
from headwater.sdk.language import task_settings

RECORD = {"name": "headwater.load", "levelno": logging.INFO, "msg": "here"}
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(codec=None), max_size=30)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@given(ANY_TEXT)
def test_escaped_text_is_utf8_and_text_that_is_utf8_stays(text: str) -> None:
    assert escaped(text).encode().decode() == escaped(text)
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert escaped(text) == text


ANY_VALUE = st.recursive(
    ANY_TEXT | st.integers() | st.booleans() | st.none(), lambda inside: st.lists(inside) | st.dictionaries(ANY_TEXT, inside)
)


@given(ANY_VALUE)
def test_whatever_text_is_in_it_json_can_be_read_back(value: Any) -> None:
    assert msgspec.json.decode(json_bytes(value)) is not Ellipsis


@pytest.mark.parametrize("kind", [Hostile, Quitting, HostileError, QuittingError, InterruptingError])
@pytest.mark.parametrize("words", [repr, str])
def test_what_cannot_be_shown_is_named_by_its_kind(kind: type, words: Callable[[Any], str]) -> None:
    assert shown(kind(), words).startswith(f"<{kind.__name__}, which cannot be shown: ")


class Colour(Enum):
    RED = "red"
    ODD = NOT_UTF8


class Text(str):
    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError


JSON_VALUES = [None, True, 1, -(2**63), 2**63 - 1, 1.5, "ä", [1, (2, {"a": None})], Colour.RED, nested(VALUE_DEPTH_MAX)]


@pytest.mark.parametrize("value", JSON_VALUES)
def test_json_values_have_no_problem(value: Any) -> None:
    assert json_problem(value) is None
    assert msgspec.json.decode(msgspec.json.encode(value)) is not Ellipsis


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (2**63, "too large"),
        (-(2**63) - 1, "too large"),
        (float("nan"), "not a JSON number"),
        (float("-inf"), "not a JSON number"),
        (NOT_UTF8, "not UTF-8"),
        ({NOT_UTF8: 1}, "not UTF-8"),
        ({1: 1}, "the key 1 is not a string"),
        ({None: 1}, "the key None is not a string"),
        (Hostile, "Hostile is not a JSON type"),
        (Text, "Text is not a JSON type"),
        (b"bytes", "bytes is not a JSON type"),
        (Colour.ODD, "not UTF-8"),
        (nested(VALUE_DEPTH_MAX + 1), "deeper than"),
        (lambda: nested(100_000), "deeper than"),
    ],
)
def test_what_not_every_program_can_take_is_refused_before_it_is_stored(value: Any, problem: str) -> None:
    value = value() if callable(value) else value
    assert problem in str(json_problem({"a": [value]}))


def test_the_limits_of_values_are_within_those_of_messages() -> None:
    assert VALUE_DEPTH_MAX < limits.DEPTH_MAX
    assert task_settings.RETRIES_MAX == task_settings.SECONDS_MAX == limits.INT32_MAX


def test_a_list_in_itself_is_too_deep() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "deeper than" in str(json_problem(endless))


def test_a_commit_with_text_that_is_not_utf8_is_stored_escaped() -> None:
    (event,) = decode(encode(new_commit([RunRenamed(NOT_UTF8)], at=AT, actor=NOT_UTF8))).events
    assert event == RunRenamed(escaped(NOT_UTF8))


@pytest.mark.parametrize(
    "fields",
    [
        {"level": 2**31},
        {"level": -(2**70)},
        {"message": NOT_UTF8},
        {"message": "x" * 3_000_000},
        {"message": "\udcff" * 100_000},
        {"message": "\x00\x1b\r\n"},
        {"logger": NOT_UTF8 * 1000},
        {"task": "x" * 10_000},
        {"map_index": 2**40},
        {"map_index": -5},
        {"at": datetime.min.replace(tzinfo=UTC)},
        {"at": datetime.max.replace(tzinfo=UTC)},
    ],
)
def test_every_line_that_is_written_is_within_the_limits(fields: dict[str, Any]) -> None:
    line = msgspec.structs.replace(LogLine(at=AT, level=20, logger="headwater", message="here"), **fields)

    (data,) = encode_lines([line])
    (read,) = lines_in(data)
    assert -INT32_MAX <= read.level <= INT32_MAX
    assert -1 <= read.map_index <= INT32_MAX
    assert is_instant(read.at)
    assert len(data) < 900 * 1024


def lines_in(data: bytes) -> tuple[LogLine, ...]:
    recorded = decode_lines(Recorded(1, subjects.run_log(new_id(), 1), AT, data))
    assert recorded.unreadable is None
    return recorded.lines


@pytest.mark.parametrize("name", ["name", "levelno", "msg", "args", "created", "exc_info", "pathname", "lineno"])
@pytest.mark.parametrize("value", [None, 5, 1e30, float("nan"), "text", NOT_UTF8, Hostile, Quitting, (1, 2), True], ids=ascii)
def test_every_record_of_logging_becomes_a_line(name: str, value: Any) -> None:
    line = line_of(logging.makeLogRecord({**RECORD, name: value() if isinstance(value, type) else value}))

    (data,) = encode_lines([line])
    assert len(lines_in(data)) == 1


def test_a_line_that_cannot_be_formatted_says_so_and_what_it_was_to_say() -> None:
    line = line_of(logging.makeLogRecord({**RECORD, "msg": "%d rows", "args": ("x",)}))
    assert line.message == "%d rows (this line could not be formatted: TypeError: %d format: a real number is required, not str)"


def test_errors_that_come_from_each_other_in_a_circle_are_shown_once() -> None:
    first, second = RuntimeError("first"), RuntimeError("second")
    first.__cause__, second.__cause__ = second, first
    assert failure_in_words(first).count("RuntimeError: ") == 2


def test_the_errors_of_a_group_are_shown_with_it() -> None:
    words = failure_in_words(BaseExceptionGroup("both", [ValueError("one"), HostileError()]))
    assert "  | ValueError: one" in words
    assert "HostileError: <HostileError, which cannot be shown: RuntimeError>" in words


def test_an_error_with_its_own_idea_of_everything_is_a_failure_all_the_same() -> None:
    def refuse(_: object) -> Any:
        raise RuntimeError

    properties = {name: property(refuse) for name in ("__traceback__", "__cause__", "__context__")}
    odd = type("Odd", (Exception,), {**properties, "__module__": Hostile(), "__str__": refuse})

    assert "Odd" in failure_of(odd()).type
    assert "Odd" in failure_in_words(odd())


@pytest.mark.parametrize(
    ("text", "tamed"),
    [
        ("plain, \t tabbed\nand é 🎉", "plain, \t tabbed\nand é 🎉"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
        ("\x1b[2J\x1b[31", "\\u001b[2J\\u001b[31"),
        ("\x9b31m\x7f\r\0", "\\u009b31m\\u007f\\u000d\\u0000"),
        ("a\u202eb\u2066c\u2028", "a\\u202eb\\u2066c\\u2028"),
        ("right to left: \u05d0\u200f", "right to left: \u05d0\u200f"),
        ("\ufeffa\u200bb\u2060", "\\ufeffa\\u200bb\\u2060"),
    ],
)
def test_what_steers_a_terminal_is_escaped(text: str, tamed: str) -> None:
    assert tame(text) == tamed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\ufeff", "\\ufeff"),
        ("\u200b \u2060", "\\u200b \\u2060"),
        ("\u3164\u2800", "\\u3164\\u2800"),
        ("\ufeffa", "\ufeffa"),
        ("🎉", "🎉"),
        (" \n", " \n"),
        ("", ""),
    ],
)
def test_of_each_name_something_is_seen(text: str, words: str) -> None:
    assert seen(text) == words


@given(st.text())
def test_json_that_is_tamed_is_the_same_json(text: str) -> None:
    encoded = msgspec.json.encode(text.encode(errors="replace").decode()).decode()
    assert msgspec.json.decode(tame(encoded)) == msgspec.json.decode(encoded)
