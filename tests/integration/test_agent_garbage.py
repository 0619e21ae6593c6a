"""Agents among strangers: whatever lies on the subjects they listen to, they live, write nothing of it, and take the next good run."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from harness.agent_harness import AgentHarness, running_agent
from harness.gates import gated_flow
from harness.strangers import Stranger
from hypothesis import given
from hypothesis import strategies as st

from headwater.agents.local import LocalAgent
from headwater.core.errors import CommitUnreadable
from headwater.core.events import (
    AnyEvent,
    QueueLimitSet,
    QueueOpened,
    RunAttemptsLimited,
    RunCancelRequested,
    RunCreated,
    RunRenamed,
    RunScheduled,
)
from headwater.core.log import subjects
from headwater.core.log.codec import encode
from headwater.core.log.commit import Commit, new_commit
from headwater.core.log.protocol import WorkItem
from headwater.core.log.work_item import item_on
from headwater.core.operations.run_creation import creation_problem
from headwater.core.states import StateName
from headwater.core.values.identifiers import new_id
from headwater.core.values.labels import queue_id
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

pytestmark = pytest.mark.usefixtures("home")

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LABELS = ("garbage",)
QUEUE = queue_id(LABELS)
RUN = new_id()


@asynccontextmanager
async def agent_and_flow(harness: AgentHarness) -> AsyncIterator[tuple[LocalAgent, str]]:
    @task
    def say() -> None:
        print("said")

    flow_id = await harness.register(Flow("hello-flow", tasks=[say]))
    async with running_agent(harness.url, labels=LABELS, hostname_label=False) as agent:
        # The queue is there, and the agent bound to it, when a run of it has ended.
        await harness.ended(await harness.run(flow_id, labels=LABELS))
        yield agent, flow_id


def created(**changes: Any) -> RunCreated:
    told: dict[str, Any] = {
        "run_id": RUN, "flow_id": new_id(), "flow_group_id": new_id(), "project_id": new_id(), "project_name": "p", "flow_name": "f",
        "flow_version": 1, "name": "a run", "queue_id": QUEUE, "storage": {"type": "Local"}, "labels": LABELS,
    }  # fmt: skip
    return RunCreated(**{**told, **changes})


def creation(*events: AnyEvent) -> Commit:
    return new_commit(events, at=NOW, actor="cli:ana@host")


SCHEDULED = RunScheduled(NOW, generation=1)


@pytest.mark.parametrize(
    ("carried", "is_sound"),
    [
        (creation(created(), SCHEDULED), True),
        (creation(created(), RunAttemptsLimited(2), SCHEDULED), True),
        (creation(), False),
        (creation(created()), False),
        (creation(SCHEDULED, created()), False),
        (creation(created(), SCHEDULED, RunRenamed("another")), False),
        (creation(created(), RunRenamed("another"), SCHEDULED), False),
        (creation(created(), RunAttemptsLimited(0), SCHEDULED), False),
        (creation(created(), RunAttemptsLimited(1), RunAttemptsLimited(2), SCHEDULED), False),
        (creation(created(run_id=new_id()), SCHEDULED), False),
        (creation(created(queue_id=queue_id(["other"])), SCHEDULED), False),
        (creation(created(labels=("other",)), SCHEDULED), False),
        (creation(created(labels=("",)), SCHEDULED), False),
        (creation(created(name=""), SCHEDULED), False),
        (creation(created(name="two\nlines"), SCHEDULED), False),
        (creation(created(), RunScheduled(NOW, generation=2)), False),
    ],
)
def test_a_wake_up_may_carry_the_creation_of_its_run_and_nothing_else(carried: Commit, is_sound: bool) -> None:
    item = WorkItem(run_id=RUN, queue_id=QUEUE, generation=1, creation=carried)

    assert (creation_problem(item, carried) is None) is is_sound


def an_item(run_id: str, carried: Any, *, generation: Any = 1, queue: str = QUEUE) -> bytes:
    return json.dumps({"run_id": run_id, "queue_id": queue, "generation": generation, "creation": carried}).encode()


def bad_items(run_id: str) -> dict[str, bytes]:
    """Items that no agent can use, for a run that is not there."""
    good = json.loads(encode(creation(created(run_id=run_id), SCHEDULED)))

    def changed(index: int, **changes: Any) -> bytes:
        events = [dict(event) for event in good["events"]]
        events[index].update(changes)
        return an_item(run_id, {**good, "events": events})

    return {
        "no JSON": b"garbage",
        "nothing": b"",
        "no UTF-8": b'{"run_id": "\xff\xfe"}',
        "nested without end": b'{"run_id":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "nested without end where nobody looks": an_item(run_id, None)[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "another run": an_item(new_id(), None),
        "another queue": an_item(run_id, None, queue="elsewhere"),
        "an id that is none": an_item("a run", None),
        "a number without end": an_item(run_id, None, generation=10**30),
        "a number that is none": an_item(run_id, None, generation="one"),
        "a creation that is none": an_item(run_id, {"v": 1}),
        "a creation without a zone": an_item(run_id, {**good, "at": "2026-11-21T12:00:00"}),
        "a creation of the year 1": an_item(run_id, {**good, "at": "0001-01-01T00:00:00+14:00"}),
        "a creation of the year 9999": an_item(run_id, {**good, "at": "9999-12-31T23:59:59-14:00"}),
        "a start without a zone": changed(1, start_time="2026-11-21T12:00:00"),
        "a start in the year 1": changed(1, start_time="0001-01-01T00:00:00Z"),
        "the creation of another run": changed(0, run_id=new_id()),
        "a flow group that is not an id": changed(0, flow_group_id="*.>"),
        "a queue that is not that of its labels": changed(0, labels=["other"]),
        "a version without end": changed(0, version=10**30),
        "more than a creation": an_item(
            run_id, {**good, "events": [*good["events"], {"type": "run.succeeded", "attempt": 1, "at": good["at"]}]}
        ),
        "less than a creation": an_item(run_id, {**good, "events": good["events"][:1]}),
        "an unknown event": an_item(run_id, {**good, "events": [*good["events"], {"type": "run.exploded"}]}),
    }


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.builds(an_item, st.text(), st.none(), generation=st.integers()))
def test_any_bytes_are_an_item_or_unreadable(data: bytes) -> None:
    with suppress(CommitUnreadable):
        assert item_on(subjects.scheduled(QUEUE, RUN), data).run_id == RUN


async def test_bad_items_are_set_aside_with_their_bytes_and_the_next_good_run_succeeds(harness: AgentHarness) -> None:
    async with agent_and_flow(harness) as (_, flow_id):
        before = await harness.log.dead_letters.count()
        runs = {what: new_id() for what in bad_items(RUN)}
        with Stranger(harness.url) as stranger:
            for what, run_id in runs.items():
                stranger.write(subjects.scheduled(QUEUE, run_id), bad_items(run_id)[what])
        run = await harness.ended(await harness.run(flow_id, labels=LABELS))
        with anyio.fail_after(60):
            while await harness.log.dead_letters.count() < before + len(runs) or await harness.log.queues.waiting_runs():  # noqa: ASYNC110 - no event
                await anyio.sleep(0.05)
        kept = {each.letter.subject: each.letter for each in (await harness.log.dead_letters.read())[before:]}

    assert run.state is StateName.SUCCESS
    assert set(kept) == {subjects.scheduled(QUEUE, run_id) for run_id in runs.values()}
    assert kept[subjects.scheduled(QUEUE, runs["no JSON"])].data == b"garbage"
    assert all(letter.reason and letter.reported_by.startswith("headwater agent ") for letter in kept.values())
    assert [await harness.names(run_id) for run_id in runs.values()] == [[]] * len(runs)


async def test_garbage_among_the_queues_binds_nothing_and_hides_none(harness: AgentHarness) -> None:
    other = ("garbage", "more")
    async with running_agent(harness.url, labels=other, hostname_label=False):
        with Stranger(harness.url) as stranger:
            for token, data in {
                QUEUE + "x": b"garbage",
                "a": encode(creation(QueueOpened("a", LABELS))),
                "b": encode(creation(QueueOpened("*", LABELS))),
                "c": encode(creation(QueueOpened("c", ("",)))),
                queue_id(["more"]): encode(creation(QueueOpened(queue_id(["more"]), ("more",)), QueueLimitSet(-7))),
                queue_id(["garbage"]): encode(creation(QueueLimitSet(0))),
            }.items():
                stranger.write(subjects.queue(token), data)
        async with agent_and_flow(harness) as (_, flow_id):
            runs = [await harness.ended(await harness.run(flow_id, labels=labels)) for labels in (LABELS, ["more"], other)]

    assert [run.state for run in runs] == [StateName.SUCCESS] * 3


async def test_what_strangers_say_on_live_subjects_ends_no_run(harness: AgentHarness, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async with agent_and_flow(harness) as (agent, _):
        run_id = await harness.run(await harness.register(gated_flow(gate)), labels=LABELS)
        started = await harness.reached(run_id, lambda names, _: names[-1] == "task_run.started")
        assert started
        cancel = encode(creation(RunCancelRequested("a lie")))
        last = (await harness.log.events.read(subjects.run(run_id)))[-1].position
        with Stranger(harness.url) as stranger:
            for data in (b"garbage", cancel, b"[" * 100_000):
                for previous, position in ((0, 1), (last, last + 1), (last, 10**18), (10**18, 10**18 + 1)):
                    headers = b"NATS/1.0\r\nNats-Sequence: %d\r\nNats-Last-Sequence: %d\r\nNats-Subject: %s\r\nNats-Time-Stamp: %s\r\n\r\n"
                    told = headers % (position, previous, subjects.run(run_id).encode(), b"2026-11-21T12:00:00Z")
                    stranger.write(subjects.live(subjects.run(run_id)), data, headers=told)
                stranger.write(subjects.live(subjects.run(run_id)), data)
                stranger.write(subjects.ask_agent(agent.settings.agent_id), data, reply=b"_INBOX.x")
                stranger.write(subjects.agent_heartbeat(agent.settings.agent_id), data)
                stranger.write("hw.timer.run.garbage", data)
        gate.touch()
        run = await harness.ended(run_id)

    assert (run.state, run.attempt) == (StateName.SUCCESS, 1)


async def test_a_cancel_is_heard_behind_lies_about_the_run(harness: AgentHarness) -> None:
    @task
    def wait_for_ever() -> None:
        while True:
            time.sleep(0.01)

    async with agent_and_flow(harness):
        run_id = await harness.run(await harness.register(Flow("endless-flow", tasks=[wait_for_ever])), labels=LABELS)
        await harness.happened(run_id, "task_run.started")
        last = (await harness.log.events.read(subjects.run(run_id)))[-1].position
        with Stranger(harness.url) as stranger:
            headers = b"NATS/1.0\r\nNats-Sequence: %d\r\nNats-Last-Sequence: %d\r\nNats-Subject: x\r\nNats-Time-Stamp: %s\r\n\r\n"
            stranger.write(subjects.live(subjects.run(run_id)), b"a lie", headers=headers % (10**18, last, b"2026-11-21T12:00:00Z"))
        await harness.client.cancel_flow_run(run_id)
        assert (await harness.ended(run_id)).state is StateName.CANCELLED
