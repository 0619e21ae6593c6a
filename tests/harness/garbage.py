"""Every kind of garbage that a stranger, a bug or ordinary user code can put into a message, and every subject it can lie on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from harness.commits import a_creation
from headwater.core.log import subjects
from headwater.core.log.protocol import WorkItem
from headwater.core.log.work_item import encode_item
from headwater.core.values.identifiers import new_id
from headwater.core.values.limits import DEPTH_MAX

AT = "2026-05-17T12:00:00Z"

STEERING = "\x1b]0;title\x07\x1b[2J\x9b31m\r\x08\u202ehidden\u2028<script>alert(1)</script>"
"""What a terminal, or a page, would obey if it were shown as it is."""


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def stored(**changes: Any) -> bytes:
    """A commit as a stranger may write it, on a run's subject."""
    commit: dict[str, Any] = {"v": 1, "id": "c", "at": AT, "actor": "stranger", "events": []}
    return msgspec.json.encode({**commit, **changes})


def of_event(**event: Any) -> bytes:
    return stored(events=[event])


def started(**fields: Any) -> bytes:
    return of_event(**{"type": "run.started", "attempt": 1, "at": AT, **fields})


def created(run_id: str, **fields: Any) -> bytes:
    event = msgspec.to_builtins(a_creation(run_id, "queue").events[0])
    return of_event(**{**event, **fields})


def bad_commits(run_id: str) -> Mapping[str, bytes]:
    """What is not a commit of this run, each kind by its name."""
    return {
        "nothing": b"",
        "no JSON": b"garbage",
        "invalid UTF-8": stored(actor="x").replace(b'"x"', b'"\xff"'),
        "a lone surrogate": stored(actor="x").replace(b'"x"', b'"\\udcff"'),
        "an array": b"[]",
        "100,000 levels": b"[" * 100_000,
        "900 levels in an unknown field": stored(mood=1).replace(b'"mood":1', b'"mood":' + nested(900)),
        "900 levels in parameters": created(run_id, parameters={"x": 1}).replace(b'{"x":1}', nested(900)),
        "201 levels in an unknown event": of_event(type="run.painted", x=1).replace(b'"x":1', b'"x":' + nested(DEPTH_MAX)),
        "a time without a zone": started(at="2026-05-17T12:00:00"),
        "a commit's time without a zone": stored(at="2026-05-17T12:00:00"),
        "year 1 with an offset": started(at="0001-01-01T00:00:00+14:00"),
        "year 9999 with an offset": stored(at="9999-12-31T23:59:59-14:00"),
        "a time that is none": started(at="yesterday"),
        "an id that is not a UUID": created(run_id, flow_id="f"),
        "an id in other letters": created(run_id, flow_id=new_id().upper()),
        "an id with a wildcard": created(run_id, queue_id="*"),
        "an id with CRLF": created(run_id, queue_id="a\r\nPUB x 1"),
        "a commit id with a space": stored(id="c d"),
        "an agent id with a space": of_event(type="run.submitted", attempt=1, agent_id="a b"),
        "an agent id that ends in a line break": of_event(type="run.submitted", attempt=1, agent_id="a\n"),
        "an integer over 32 bits": started(attempt=2**31),
        "an integer under 32 bits": started(attempt=-(2**31) - 1),
        "an integer over 64 bits": created(run_id, version=2**63),
        "an integer of 5,000 digits": created(run_id, version=1).replace(b'"version":1', b'"version":' + b"9" * 5_000),
        "a fraction for an integer": started(attempt=1.5),
        "an unknown state": of_event(type="run.state_set", state="Splendid", before="Failed"),
        "an unknown state of a task run": of_event(type="task_run.state_set", slug="a", at=AT, state="Splendid", before="Failed"),
        "a name beyond every index": of_event(type="run.renamed", name="x" * 1000),
        "another run's creation": created(new_id()),
        "an event of another aggregate": of_event(type="project.renamed", name="garbage"),
        "a version that is text": stored(v="1"),
    }


def odd_commits(run_id: str) -> Mapping[str, bytes]:
    """What is a commit, and contradicts what was before it, or is of a later version, or is large."""
    return {
        "no events": stored(),
        "an event of the future": of_event(type="run.painted", colour="blue"),
        "U+0000": of_event(type="run.cancel_requested", reason="a\0b"),
        "the start of an attempt that was never claimed": started(),
        "the end of an attempt that was never claimed": of_event(type="run.succeeded", attempt=77, at=AT),
        "a loss of an attempt that was never claimed": of_event(type="run.attempt_lost", attempt=77),
        "a restart of a run that goes on": of_event(type="run.restarted", reason="x", tasks=["a"], task_runs=[["b", -7]]),
        "a mapped task run with two billion children": of_event(type="task_run.mapped", slug="x", at=AT, child_count=2**31 - 1),
        "a claim by no agent": of_event(type="run.submitted", attempt=3, agent_id=new_id()),
        "a start in the year 2261": of_event(type="run.scheduled", start_time="2261-01-01T00:00:00Z", generation=2**31 - 1),
        "a start in the year 1678": of_event(type="run.scheduled", start_time="1678-01-02T00:00:00Z", generation=-5),
        "words that steer a terminal": stored(
            actor=STEERING,
            events=[{"type": "run.renamed", "name": STEERING}, {"type": "run.cancel_requested", "reason": STEERING}],
        ),
        "events by the hundred": stored(events=[{"type": "run.painted"}] * 500),
    }


def other_messages(run_id: str) -> Mapping[str, bytes]:
    """What is meant for subjects that hold no commits, and is wrong there."""
    item = encode_item(WorkItem(run_id=run_id, queue_id="queue", generation=1, creation=a_creation(run_id, "queue")))
    beat = {"agent_id": new_id(), "interval_seconds": 1.0, "lease_seconds": 10.0}
    return {
        "an item whose creation has no zone": item.replace(b"Z", b""),
        "an item of another run's creation": item.replace(run_id.encode(), new_id().encode(), 1),
        "an item with an id that is none": item.replace(run_id.encode(), b"*"),
        "an item of no generation": item.replace(b'"generation":1', b'"generation":-99999999999'),
        "a heartbeat that never ends": msgspec.json.encode({**beat, "interval_seconds": 1e308, "lease_seconds": -1e308}),
        "a heartbeat of an agent with spaces": msgspec.json.encode({**beat, "agent_id": "a b"}),
        "a forged position": msgspec.json.encode({"log_identity": "x", "position": 2**62, "schema": "x"}),
        "lines of a level beyond all": msgspec.json.encode([[AT, 2**31, "logger", "message"]]),
        "lines without a zone": msgspec.json.encode([["2026-05-17T12:00:00", 20, "logger", "message"]]),
        "lines with U+0000": msgspec.json.encode([[AT, 20, "log\0ger", "mess\0age"]]),
        "a question of the future": msgspec.json.encode({"query": {"ask": "weather"}}),
        "a question for ever": msgspec.json.encode({"query": {"ask": "projects"}, "at_least": 2**62, "wait_seconds": 0.01}),
        "a question with a cursor that is none": msgspec.json.encode({"query": {"ask": "runs"}, "cursor": "[[1],-5]"}),
    }


def every_subject(*, run_id: str, project_id: str, group_id: str, agent_id: str, queue_id: str) -> Sequence[str]:
    """Every kind of subject, of things that are there and of things that are not."""
    facts = [
        subjects.run(run_id),
        subjects.run(new_id()),
        subjects.project(project_id),
        subjects.name("project", "tutorial"),
        subjects.flow_group(group_id),
        subjects.registration_part(new_id(), 1),
        subjects.queue(queue_id),
        subjects.queue("another"),
        subjects.slots(group_id),
        subjects.agent(agent_id),
        subjects.agent(new_id()),
        "hw.evt.run.no-uuid",
        "hw.evt.schedule.later",
        "hw.evt.seal",
    ]
    return [
        *facts,
        *(subjects.live(subject) for subject in (subjects.run(run_id), subjects.queue("another"))),
        subjects.scheduled(queue_id, run_id),
        subjects.scheduled(queue_id, new_id()),
        subjects.scheduled(queue_id, "no-uuid"),
        subjects.scheduled("another", run_id),
        subjects.timer(run_id),
        "hw.timer.of.what",
        subjects.run_log(run_id, 1),
        "hw.log.no.lines.here",
        subjects.agent_heartbeat(agent_id),
        subjects.agent_heartbeat("nobody"),
        subjects.VIEWS_POSITION,
        subjects.LOG_LINES_POSITION,
        subjects.REBUILD_PROGRESS,
        subjects.ask_agent(agent_id),
        subjects.QUERIES,
        subjects.DEAD_WORK,
    ]


ODD_SUBJECTS = [
    b"hw.evt.run.\xff\xfe",
    b"hw.evt.run.a\x0bb",
    b"hw.evt.run.a\x0cb",
    b"hw.evt.run.\x1b[31m",
    b"hw.evt.queue.\xff",
    b"hw.log.\xff.1",
    b"hw.scheduled.queue.\x0b",
    b"hw.beat.agent.\xff",
]
ODD_HEADERS = [
    b"NATS/1.0\r\nStatus: 404\r\n\r\n",
    b"NATS/1.0 503\r\n\r\n",
    b"NATS/1.0\r\n\xff\xfe: \xff\r\n\r\n",
    b"NATS/1.0\r\nNats-Sequence: none\r\nNats-Subject: hw.evt.x\r\nNats-Time-Stamp: never\r\nNats-Last-Sequence: 9\r\n\r\n",
    b"garbage\r\n",
]

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
_fields = st.sampled_from(
    [
        "v",
        "id",
        "at",
        "actor",
        "cause",
        "events",
        "type",
        "run_id",
        "agent_id",
        "queue_id",
        "generation",
        "attempt",
        "start_time",
        "labels",
        "limit",
        "name",
        "state",
        "message",
    ]
)


@st.composite
def mutated(draw: st.DrawFn, messages: Sequence[bytes]) -> bytes:
    """A message with a few bytes changed, or with other values in its fields, or any bytes at all."""
    message = draw(st.sampled_from(messages))
    how = draw(st.sampled_from(["bytes", "cut", "fields", "anything"]))
    if how == "anything":
        return draw(st.binary(max_size=200))
    if how == "cut":
        return message[: draw(st.integers(0, len(message)))]
    if how == "bytes" and message:
        place = draw(st.integers(0, len(message) - 1))
        return message[:place] + draw(st.binary(max_size=4)) + message[place + 1 :]
    changed = {**draw(st.dictionaries(_fields, _values, max_size=3)), "events": [draw(st.dictionaries(_fields, _values, max_size=4))]}
    return msgspec.json.encode({"v": 1, "id": "c", "at": AT, "actor": "stranger", **changed})
