"""The rules of a key in a project's key-value store, in events."""

from __future__ import annotations

import enum
from typing import Any

import pytest

from headwater.core.aggregates import Actor, Aggregate
from headwater.core.errors import InvalidArgument, InvalidKeyValue, KeyNotFound, NotFound
from headwater.core.events import KeyValueDeleted, KeyValueSet
from headwater.core.key_values.commands import DeleteKeyValue, SetKeyValue
from headwater.core.key_values.rules import RULES
from headwater.core.key_values.state import KeyValue
from headwater.core.log import subjects
from headwater.core.log.edge import misplaced
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.headwater import Headwater
from headwater.core.values.identifiers import key_value_id

PROJECT = "0197a3c0-6d1f-7c52-9e06-1b2f3a4c5d6e"
OTHER = "0197a3c0-6d1f-7c52-9e06-1b2f3a4c5d6f"
SET = KeyValueSet(PROJECT, "day", 1)


class Colour(enum.IntEnum):
    RED = 1


def given(*events: KeyValueSet | KeyValueDeleted) -> KeyValue:
    return RULES.fold(events)


def test_a_key_is_set_set_again_deleted_and_set_once_more() -> None:
    assert RULES.decide(given(), SetKeyValue(PROJECT, "day", 1)) == [SET]
    assert RULES.decide(given(SET), SetKeyValue(PROJECT, "day", 2)) == [KeyValueSet(PROJECT, "day", 2)]
    assert RULES.decide(given(SET), DeleteKeyValue("day")) == [KeyValueDeleted(PROJECT, "day")]
    assert RULES.decide(given(SET, KeyValueDeleted(PROJECT, "day")), SetKeyValue(PROJECT, "day", 1)) == [SET]


@pytest.mark.parametrize("events", [(), (SET, KeyValueDeleted(PROJECT, "day"))])
def test_what_has_no_value_cannot_be_deleted(events: tuple[KeyValueSet | KeyValueDeleted, ...]) -> None:
    with pytest.raises(KeyNotFound, match="day") as refused:
        RULES.decide(given(*events), DeleteKeyValue("day"))
    assert isinstance(refused.value, ValueError)
    assert isinstance(refused.value, NotFound)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (1, 1, False),
        (1, True, True),
        (1, 1.0, True),
        (0.0, -0.0, True),
        (None, None, False),
        ([1], (1,), False),
        ({"a": 1}, {"a": 1}, False),
    ],
)
def test_the_same_value_changes_nothing_and_what_json_tells_apart_is_not_the_same(before: Any, after: Any, changes: bool) -> None:
    decided = RULES.decide(given(KeyValueSet(PROJECT, "day", before)), SetKeyValue(PROJECT, "day", after))

    assert bool(decided) is changes


@pytest.mark.parametrize(
    "value", [None, True, 0, -1.5, "", "Grüße 🌊", [], {}, [1, {"a": [None]}], Colour.RED, "x" * 9_998, ["a"] * 1_999, 2**63 - 1]
)
def test_json_of_up_to_ten_kilobytes_is_stored(value: Any) -> None:
    assert RULES.decide(given(), SetKeyValue(PROJECT, "day", value)) == [KeyValueSet(PROJECT, "day", value)]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x" * 9_999, "has 10,001 characters as JSON; at most 10,000 are allowed"),
        ("é" * 1_667, "has 10,004 characters as JSON"),
        (float("nan"), "nan is not a JSON number"),
        (float("inf"), "inf is not a JSON number"),
        ({1: 2}, "the key 1 is not a string"),
        ({"a": {1, 2}}, "set is not a JSON type"),
        (object(), "object is not a JSON type"),
        (b"x", "bytes is not a JSON type"),
        (2**64, "a whole number of 65 bits is too large"),
        ("\udcff", "holds what is not UTF-8"),
    ],
)
def test_a_value_that_cannot_be_stored_is_refused_with_the_reason(value: Any, words: str) -> None:
    with pytest.raises(InvalidKeyValue, match="of key 'day'") as refused:
        RULES.decide(given(), SetKeyValue(PROJECT, "day", value))
    assert words in str(refused.value)
    assert isinstance(refused.value, ValueError)
    assert isinstance(refused.value, InvalidArgument)


def test_a_value_that_nests_too_deeply_is_refused() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]

    with pytest.raises(InvalidKeyValue, match="nests deeper than 180 levels"):
        RULES.decide(given(), SetKeyValue(PROJECT, "day", deep))


@pytest.mark.parametrize("key", ["a/b/c", "with spaces", "Grüße 🌊", "*", ">", "a.b", "x" * 255, "'\"`$(x)", "\N{ZERO WIDTH SPACE}x"])
def test_any_printable_text_is_a_key(key: str) -> None:
    assert RULES.decide(given(), SetKeyValue(PROJECT, key, 1)) == [KeyValueSet(PROJECT, key, 1)]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "cannot be empty"),
        ("  ", "cannot be empty"),
        ("x" * 256, "has 256 characters"),
        ("a\nb", "control character U+000A"),
        ("a\x00b", "control character U+0000"),
        ("\x1b[31m", "control character U+001B"),
        ("\udcff", "control character U+DCFF"),
        (3, "is text, and 3 is none"),
        (None, "cannot be empty"),
    ],
)
def test_what_cannot_be_a_key_is_refused_with_the_reason(key: Any, words: str) -> None:
    with pytest.raises(InvalidKeyValue) as refused:
        RULES.decide(given(), SetKeyValue(PROJECT, key, 1))
    assert words in str(refused.value)


def test_an_event_lies_on_the_subject_of_its_key_and_on_no_other() -> None:
    commit = Actor("test").commit([SET])

    assert misplaced(subjects.key_value(key_value_id(PROJECT, "day")), commit) is None
    for elsewhere in (key_value_id(OTHER, "day"), key_value_id(PROJECT, "night")):
        assert misplaced(subjects.key_value(elsewhere), commit) is not None
    assert misplaced(subjects.project(PROJECT), commit) is not None


async def test_a_key_that_was_set_very_often_is_read_from_its_last_commit_alone() -> None:
    log = MemoryLog()
    actor = Actor("test")
    project_id = (await Headwater(log, actor).projects.create("tutorial")).project_id
    for number in range(200):
        await Headwater(log, actor).key_values.set(project_id, "counter", number)
    subject = subjects.key_value(key_value_id(project_id, "counter"))

    first = Aggregate(log.events, subject, RULES)

    assert (await first.refresh()).value == 199
    assert first.position == (await log.events.tail()).position


async def test_a_dead_letter_behind_the_last_commit_hides_nothing() -> None:
    log = MemoryLog()
    actor = Actor("test")
    project_id = (await Headwater(log, actor).projects.create("tutorial")).project_id
    await Headwater(log, actor).key_values.set(project_id, "day", "monday")
    subject = subjects.key_value(key_value_id(project_id, "day"))
    log.events.plant(subject, b"\xffgarbage")

    assert (await Aggregate(log.events, subject, RULES).refresh()).value == "monday"
    assert (await Headwater(log, actor).key_values.set(project_id, "day", "tuesday")).changed
