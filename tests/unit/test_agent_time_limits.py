"""Which time-outs the process of a run announces to its supervisor, and what it says of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from headwater.agents.attempt_channel import MessageAssembler, channel_pair, receive
from headwater.agents.attempt_protocol import FromProcess, TimeLimited, TimeLimitOver, decode_from_process
from headwater.agents.local.rehearsal import rehearse
from headwater.agents.run_process.state_recorder import StateRecorder
from headwater.agents.run_process.supervisor_link import SupervisorLink
from headwater.agents.run_process.time_limits import AnnouncedTimeLimits
from headwater.core.events import TaskRunRetryScheduled, TaskRunTimedOut
from headwater.sdk.executors import timeouts
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.states.state import Pending, Running

RUN_ID = "01a21fea-0000-7000-8000-000000000000"


class Announcing:
    """The limits of a run of two tasks, and what its supervisor hears."""

    def __init__(self) -> None:
        self.theirs, ours = channel_pair()
        self.theirs.setblocking(False)
        self.link = SupervisorLink(ours)
        self._assembler = MessageAssembler()
        flow = Flow("limited", tasks=[task(lambda: None, name="once"), task(lambda: None, name="again", max_retries=1, retry_delay=60)])
        recorder = StateRecorder(lambda _: None, {})
        for slug in ("once-1", "again-1"):
            recorder.task_run_changed(slug, -1, Pending(), Running(), 1)
        self.limits = AnnouncedTimeLimits(RUN_ID, flow, recorder, self.link)

    def began(self, slug: str, run_id: str = RUN_ID, map_index: int | None = None) -> bool:
        context = {
            "task_slug": slug,
            "task_full_name": "the task",
            "task_run_count": 1,
            "map_index": map_index,
            "flow_run_id": run_id,
        }
        return self.limits.began(context, 2.0)

    def heard(self) -> list[FromProcess]:
        found: list[FromProcess] = []
        while True:
            try:
                piece = receive(self.theirs)
            except BlockingIOError:
                return found
            assert piece is not None
            if (data := self._assembler.feed(piece)) is not None:
                found.append(decode_from_process(data))


@pytest.fixture
def announcing() -> Iterator[Announcing]:
    made = Announcing()
    yield made
    made.theirs.close()
    made.link._channel.close()


def test_a_limit_comes_with_what_it_means(announcing: Announcing) -> None:
    assert announcing.began("once-1")
    announcing.limits.ended()

    began, ended = announcing.heard()
    assert isinstance(began, TimeLimited)
    assert (began.seconds, began.grace_seconds, began.signal) == (2.0, timeouts.END_SECONDS, timeouts.RING_SIGNAL)
    assert isinstance(began.event, TaskRunTimedOut)
    assert began.message == "Task 'the task' took longer than 2 s and could not be interrupted, so its process was ended."
    assert isinstance(ended, TimeLimitOver)


def test_a_task_that_is_to_be_tried_again_is(announcing: Announcing) -> None:
    assert announcing.began("again-1")

    (began,) = announcing.heard()
    assert isinstance(began, TimeLimited)
    assert isinstance(began.event, TaskRunRetryScheduled)
    assert began.event.due_at - began.event.at >= timedelta(seconds=59)


def test_a_flow_that_a_task_runs_has_no_supervisor(announcing: Announcing) -> None:
    assert not announcing.began("once-1", run_id="another")
    assert not announcing.began("unknown-1")
    assert announcing.heard() == []


def test_a_process_without_a_supervisor_announces_nothing(announcing: Announcing) -> None:
    announcing.theirs.close()
    announcing.link.end_limit()

    assert announcing.link.is_gone
    assert not announcing.began("once-1")


def test_nothing_listens_when_the_run_is_over() -> None:
    rehearse()

    assert timeouts._listener is None
