"""What may pass the edge of the log, both ways: every kind of bad value is refused where it is written and set aside where it is read."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from harness.commits import AT
from harness.garbage import bad_commits, nested, of_event, stored
from harness.golden_events import GOLDEN_EVENTS, golden_commit
from hypothesis import given
from hypothesis import strategies as st

from headwater.core.errors import CommitUnreadable, InvalidArgument
from headwater.core.events import (
    AnyEvent,
    FlowDefaultParametersSet,
    RunAttemptsLimited,
    RunCreated,
    RunRenamed,
    RunScheduled,
    RunStateSet,
    RunSubmitted,
    StorageReference,
    TaskRunStarted,
    TaskRunStateSet,
    event_type,
)
from headwater.core.log import subjects
from headwater.core.log.codec import encode, nests_deeper
from headwater.core.log.commit import new_commit
from headwater.core.log.edge import misplaced, read_commit, write_commit
from headwater.core.values.identifiers import key_value_id, new_id
from headwater.core.values.limits import INT32_MAX, TIME_MAX, TIME_MIN

RUN = new_id()
LATER = AT + timedelta(seconds=1)


GARBAGE = bad_commits(RUN)


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
def test_garbage_on_a_run_s_subject_is_a_dead_letter_with_the_same_reason_each_time(data: bytes) -> None:
    with pytest.raises(CommitUnreadable) as first:
        read_commit(subjects.run(RUN), data)
    with pytest.raises(CommitUnreadable) as second:
        _deep_in_the_stack(400, lambda: read_commit(subjects.run(RUN), data))

    assert first.value.reason == second.value.reason
    assert first.value.reason.encode()  # can be shown, stored and sent


def _deep_in_the_stack(frames: int, call: Any) -> Any:
    return call() if not frames else _deep_in_the_stack(frames - 1, call)


@given(
    st.binary(max_size=300)
    | st.text().map(str.encode)
    | st.recursive(st.none() | st.text(), st.lists, max_leaves=50).map(msgspec.json.encode)
)
def test_any_bytes_are_a_commit_or_a_dead_letter_and_nothing_else(data: bytes) -> None:
    with suppress(CommitUnreadable):
        assert read_commit(subjects.run(RUN), data).id


UNSAFE_SUBJECTS = [
    "hw.evt.run.x",
    "hw.evt.run.*",
    "hw.evt.run.>",
    "hw.evt.run.",
    "hw.evt.run",
    "hw.evt.run.a.b",
    "hw.evt.agent.a b",
    "hw.evt",
    "x",
]


@pytest.mark.parametrize("subject", UNSAFE_SUBJECTS)
def test_a_subject_that_names_no_aggregate_holds_dead_letters(subject: str) -> None:
    with pytest.raises(CommitUnreadable, match="No aggregate has the subject"):
        read_commit(subject, stored())


BAD_EVENTS: list[AnyEvent] = [
    RunAttemptsLimited(sys.maxsize),
    RunScheduled(due_at=datetime(2026, 1, 1), generation=1),  # noqa: DTZ001 - a naive time is the point
    RunScheduled(due_at=TIME_MAX + timedelta(days=1), generation=1),
    RunScheduled(due_at=TIME_MIN - timedelta(days=1), generation=1),
    RunScheduled(due_at=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), generation=1),
    RunSubmitted(INT32_MAX + 1, "agent"),
    RunSubmitted(1, "an agent"),
    RunRenamed("x" * 10_000),
    RunStateSet("Splendid", "Failed"),
    TaskRunStarted(slug="a", at=AT, run_count=2**31),
    TaskRunStateSet(slug="a", at=AT, state="Splendid", before="Failed"),
    RunCreated("r", "f", "g", "p", "tutorial", "hello", 1, "quiet-heron", "queue", StorageReference("Local")),
]


@pytest.mark.parametrize("event", BAD_EVENTS, ids=repr)
def test_what_could_not_be_read_back_is_refused_where_it_is_written(event: AnyEvent) -> None:
    with pytest.raises(InvalidArgument, match="This cannot be recorded: "):
        write_commit(subjects.run(RUN), new_commit([event], at=AT, actor="test"))


ODD_VALUES = {
    "not a number": float("nan"),
    "a set": {1, 2},
    "an object": object(),
    "a lone surrogate": "\udcff",
    "a key that is none": {"\udcff": 1},
    "300 levels": msgspec.json.decode(nested(300)),
}


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES)
def test_values_that_json_cannot_hold_alike_everywhere_are_refused_or_read_back(value: object) -> None:
    group = "8f14e45f-ceea-867a-9a36-dedd00000000"
    commit = new_commit([FlowDefaultParametersSet({"x": value})], at=AT, actor="test")
    try:
        data = write_commit(subjects.flow_group(group), commit)
    except InvalidArgument:
        return
    assert read_commit(subjects.flow_group(group), data)


SUBJECTS = {
    "project": subjects.project("0197a3c0-6d1f-7c52-9e06-1b2f3a4c5d6e"),
    "name": subjects.name("project", "tutorial"),
    "key_value": subjects.key_value(key_value_id("0197a3c0-6d1f-7c52-9e06-1b2f3a4c5d6e", "last day/Grüße")),
    "flow": subjects.flow_group("8f14e45f-ceea-867a-9a36-dedd00000000"),
    "run": subjects.run("0197a3c1-0b2c-7d3e-8f40-5a6b7c8d9e0f"),
    "task_run": subjects.run("0197a3c1-0b2c-7d3e-8f40-5a6b7c8d9e0f"),
    "queue": subjects.queue("6c1d1f0e5b3a49d28f70"),
    "backfill": subjects.backfill("0197a3c0-aaaa-7bbb-8ccc-dddddddddddd"),
    "schedule": subjects.schedule("5d3c0f51-6d0a-5f0e-9a5b-0a4e8e0f7c11"),
    "slots": subjects.slots("8f14e45f-ceea-867a-9a36-dedd00000000"),
    "agent": subjects.agent("0197a3c0-ffff-7abc-8def-0123456789ab"),
}


@pytest.mark.parametrize("event", GOLDEN_EVENTS, ids=event_type)
def test_every_kind_of_event_passes_on_its_own_subject_and_on_no_other(event: AnyEvent) -> None:
    kind = event_type(event).split(".", maxsplit=1)[0]
    own = SUBJECTS[kind]
    if event_type(event) == "flow.registration_part":
        own = subjects.registration_part(event.registration_id, event.number)  # type: ignore[union-attr]
    commit = golden_commit(event)

    assert read_commit(own, write_commit(own, commit)) == commit
    for other in set(SUBJECTS.values()) - {own}:
        assert misplaced(other, commit) is not None


def test_events_of_a_newer_version_pass_wherever_they_lie() -> None:
    data = of_event(type="run.painted", colour="blue")

    assert read_commit("hw.evt.palette.blue", data).events
    assert read_commit(subjects.run(RUN), data).events


@given(
    st.recursive(
        st.none() | st.text(alphabet='[]{}"\\ab', max_size=8) | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='[{"\\', max_size=3), inner),
    )
)
def test_depth_is_counted_as_a_decoder_would(value: object) -> None:
    depth = _depth(value)
    data = msgspec.json.encode(value)

    assert not nests_deeper(data, depth)
    assert depth == 0 or nests_deeper(data, depth - 1)


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def test_times_are_read_with_any_offset() -> None:
    at = datetime(2026, 5, 17, 12, tzinfo=timezone(timedelta(hours=14)))
    [event] = read_commit(subjects.run(RUN), encode(new_commit([RunScheduled(due_at=at, generation=1)], at=LATER, actor="test"))).events

    assert event == RunScheduled(due_at=at.astimezone(UTC), generation=1)
