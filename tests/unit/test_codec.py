from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from harness.golden_events import EVENTS_FOLDER, GOLDEN_EVENTS, golden_commit, golden_file

from headwater.core.errors import CommitTooLarge, CommitUnreadable
from headwater.core.events import EVENT_TYPES, Event, FlowDeleted, RunCancelRequested, RunRenamed, UnknownEvent, event_type
from headwater.core.log.codec import COMMIT_BYTES_MAX, decode, encode, upcast
from headwater.core.log.commit import CATALOGUE_VERSION

GOLDEN_FILES = sorted(EVENTS_FOLDER.glob("v*/*.json"))
FILES_BEFORE_ADDED_FIELDS = sorted(EVENTS_FOLDER.glob("before_added_fields/*.json"))
"""What was stored before its event got another field that may be left out."""


def compact(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=-1)


def stored(*events: dict[str, Any], v: int = CATALOGUE_VERSION, **more: Any) -> bytes:
    """A commit as some program wrote it."""
    return msgspec.json.encode({"v": v, "id": "c", "at": "2026-05-17T12:00:00Z", "actor": "test", "events": events, **more})


def test_every_event_type_has_a_golden_file() -> None:
    assert {event_type(event) for event in GOLDEN_EVENTS} == {kind.__struct_config__.tag for kind in EVENT_TYPES}
    assert {golden_file(event) for event in GOLDEN_EVENTS} <= set(GOLDEN_FILES), "run: python tests/harness/golden_events.py"


@pytest.mark.parametrize("event", GOLDEN_EVENTS, ids=event_type)
def test_an_event_is_written_as_it_always_was(event: Event) -> None:
    assert encode(golden_commit(event)) == compact(golden_file(event).read_bytes())


@pytest.mark.parametrize("path", GOLDEN_FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_was_stored_once_is_read_today(path: Path) -> None:
    commit = decode(path.read_bytes())

    [event] = commit.events
    assert not isinstance(event, UnknownEvent)
    if commit.v == CATALOGUE_VERSION:
        assert commit == golden_commit(next(golden for golden in GOLDEN_EVENTS if event_type(golden) == path.stem))
        assert encode(commit) == compact(path.read_bytes())


@pytest.mark.parametrize("path", FILES_BEFORE_ADDED_FIELDS, ids=lambda path: path.stem)
def test_what_was_stored_before_a_field_was_added_is_read_and_is_written_as_it_was(path: Path) -> None:
    commit = decode(path.read_bytes())

    [event] = commit.events
    assert event_type(event) == path.stem
    assert encode(commit) == compact(path.read_bytes())


@pytest.mark.parametrize("event", GOLDEN_EVENTS, ids=event_type)
def test_golden_events_set_every_field(event: Event) -> None:
    assert list(_left_at_default(event)) == []


def test_a_golden_file_is_readable_by_people() -> None:
    assert '"name": "Hello, World!"' in (EVENTS_FOLDER / "v1" / "project.created.json").read_text()


def test_unknown_fields_are_passed_over() -> None:
    data = stored({"type": "run.renamed", "name": "quiet-heron", "colour": "blue"}, mood="good")

    assert decode(data).events == (RunRenamed(name="quiet-heron"),)


def test_unknown_event_types_are_kept_beside_those_that_are_known() -> None:
    data = stored({"type": "run.painted", "colour": "blue"}, {"type": "run.renamed", "name": "quiet-heron"})

    painted, renamed = decode(data).events
    assert isinstance(painted, UnknownEvent)
    assert (event_type(painted), painted.data) == ("run.painted", {"colour": "blue"})
    assert renamed == RunRenamed(name="quiet-heron")


def test_a_cause_that_a_newer_program_knows_is_kept() -> None:
    data = stored({"type": "run.cancel_requested", "reason": "The month is over.", "cause": "budget_spent"})

    assert decode(data).events == (RunCancelRequested("The month is over.", cause="budget_spent"),)
    assert decode(encode(decode(data))) == decode(data)


def test_a_newer_program_s_commit_is_read() -> None:
    data = stored({"type": "run.renamed", "name": "quiet-heron"}, v=CATALOGUE_VERSION + 1)

    assert decode(data).events == (RunRenamed(name="quiet-heron"),)


def test_old_shapes_are_lifted_version_by_version() -> None:
    upcasters = {
        2: {"run.renamed": lambda item: {"type": "run.renamed", "name": item["title"]}},
        3: {"run.renamed": lambda item: {**item, "name": item["name"].lower()}, "run.painted": lambda item: {**item, "lifted": True}},
    }
    item = {"type": "run.renamed", "title": "Quiet-Heron"}

    assert upcast(item, written_by=1, upcasters=upcasters) == {"type": "run.renamed", "name": "quiet-heron"}
    assert upcast({"type": "run.renamed", "name": "Loud"}, written_by=2, upcasters=upcasters) == {"type": "run.renamed", "name": "loud"}
    assert upcast({"type": "run.renamed", "name": "Loud"}, written_by=3, upcasters=upcasters) == {"type": "run.renamed", "name": "Loud"}
    assert item == {"type": "run.renamed", "title": "Quiet-Heron"}


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{}",
        b"[]",
        b"not json",
        b"\xff\xfe",
        stored({"type": "run.renamed"}),
        stored({"type": "run.renamed", "name": 7}),
        stored({"name": "no type"}),
        stored({"type": 7}),
        b'{"v":1,"id":"c","at":"yesterday","actor":"a","events":[]}',
    ],
)
def test_what_is_not_a_commit_is_called_unreadable(garbage: bytes) -> None:
    with pytest.raises(CommitUnreadable):
        decode(garbage)


def test_a_commit_too_large_for_a_message_is_refused_with_both_sizes() -> None:
    with pytest.raises(CommitTooLarge) as refused:
        encode(golden_commit(FlowDeleted(reason="x" * COMMIT_BYTES_MAX)))

    assert refused.value.size > refused.value.limit == COMMIT_BYTES_MAX


def _left_at_default(value: msgspec.Struct, *, inside: str = "") -> list[str]:
    """The fields that still have their default, here and in what is inside; each kind of thing inside must be whole once."""
    missing = []
    for field in msgspec.structs.fields(value):
        found = getattr(value, field.name)
        if not field.required and found == (field.default if field.default is not msgspec.NODEFAULT else field.default_factory()):
            missing.append(inside + field.name)
        inner = found[:1] if isinstance(found, tuple) and isinstance(value, Event) else [found]
        for each in inner:
            if isinstance(each, msgspec.Struct):
                missing += _left_at_default(each, inside=f"{inside}{field.name}.")
    return missing
