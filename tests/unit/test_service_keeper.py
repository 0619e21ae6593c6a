"""Keeping the parts of a server running: what dies is started again, alone, and told once."""

from __future__ import annotations

import logging
from collections.abc import Callable

import anyio
import pytest
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.errors import CommitUnreadable, StreamMismatch
from headwater.core.program.service_keeper import Parts, RestartPolicy, ServiceKeeper

AT_ONCE = RestartPolicy(first_delay_seconds=0.0)


class Part:
    """Says when it started; ends as the test wants it to."""

    def __init__(self, before_ready: BaseException | None = None, *, after_ready: Exception | None = None, ends: bool = False) -> None:
        self._before, self._after, self._ends = before_ready, after_ready, ends
        self.started = anyio.Event()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        if self._before is not None:
            raise self._before
        task_status.started()
        self.started.set()
        if self._after is not None:
            raise self._after
        if not self._ends:
            await anyio.sleep_forever()


def in_turn(*parts: Part) -> Callable[[], Part]:
    left = list(parts)
    return lambda: left.pop(0)


@pytest.mark.parametrize(
    "first",
    [
        Part(after_ready=OverflowError("value out of int32 range")),
        Part(after_ready=RecursionError()),
        Part(after_ready=ExceptionGroup("several", [ValueError("one"), ExceptionGroup("more", [KeyError("two")])])),
        Part(after_ready=StreamMismatch("made anew by somebody")),
        Part(OSError("before it was ready")),
        Part(CommitUnreadable("what lies in the log is not a wrong setting")),
        Part(ends=True),
    ],
    ids=["once", "too deep", "a group", "on purpose, later", "before ready", "unreadable", "by itself"],
)
async def test_a_part_that_dies_is_started_again(first: Part) -> None:
    second, parts = Part(), Parts()
    async with anyio.create_task_group() as group:
        await group.start(ServiceKeeper("part", in_turn(first, second), parts, restart=AT_ONCE).serve)
        await second.started.wait()
        await anyio.wait_all_tasks_blocked()
        assert parts.running == {"part": True}
        group.cancel_scope.cancel()


async def test_a_wrong_setting_at_the_first_start_is_reported_and_not_tried_again() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with anyio.create_task_group() as group:
            await group.start(ServiceKeeper("part", in_turn(Part(StreamMismatch("older"))), Parts()).serve)
    assert raised.group_contains(StreamMismatch, match="older")


async def test_while_a_part_is_away_the_reason_is_shown_and_its_traceback_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    parts, deaths = Parts(), 0
    died_often = anyio.Event()

    def make() -> Part:
        nonlocal deaths
        deaths += 1
        if deaths > 5:
            died_often.set()
            return Part()
        return Part(ValueError(f"number {deaths} of a kind"))

    async with anyio.create_task_group() as group:
        keeper = ServiceKeeper("projector", make, parts, restart=AT_ONCE)
        with caplog.at_level(logging.ERROR):
            await group.start(keeper.serve)
            assert parts.problems == {"projector": "It ended unexpectedly (ValueError: number 1 of a kind), and is started again."}
            await died_often.wait()
        group.cancel_scope.cancel()
    told = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [bool(record.exc_info) for record in told] == [True, False, False, False, False]


async def test_the_others_do_not_notice_that_a_part_dies() -> None:
    steady, second, parts = Part(), Part(), Parts()
    async with anyio.create_task_group() as group:
        await group.start(ServiceKeeper("steady", in_turn(steady), parts).serve)
        await group.start(ServiceKeeper("dying", in_turn(Part(after_ready=ValueError()), second), parts, restart=AT_ONCE).serve)
        await second.started.wait()
        await anyio.wait_all_tasks_blocked()
        assert parts.running == {"steady": True, "dying": True}
        group.cancel_scope.cancel()


def test_pauses_grow_until_a_part_has_proven_itself() -> None:
    policy = RestartPolicy(first_delay_seconds=0.5, delay_seconds_max=10)

    assert [policy.delay_seconds(failures) for failures in (1, 2, 3, 4, 5, 6, 7, 1000)] == [0, 0.5, 1, 2, 4, 8, 10, 10]
