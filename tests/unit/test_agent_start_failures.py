"""When an agent that could start no process tries again."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from headwater.agents.agent import start_failures
from headwater.agents.agent.capacity import Capacity
from headwater.agents.agent.start_failures import StartFailures

QUIET = logging.getLogger("a test's agent")


@asynccontextmanager
async def trouble_and_slots() -> AsyncIterator[tuple[StartFailures, Capacity, list[bool]]]:
    changes: list[bool] = []
    slots = Capacity(None, changes.append)
    trouble = StartFailures("vm", slots, console_log=QUIET)
    async with anyio.create_task_group() as group:
        await group.start(trouble.serve)
        yield trouble, slots, changes
        group.cancel_scope.cancel()


async def test_a_place_that_becomes_free_ends_the_pause_and_one_run_is_tried() -> None:
    async with trouble_and_slots() as (trouble, slots, _):
        assert trouble.found("no room") == "agent 'vm' cannot start processes: no room"
        assert not slots.free
        await anyio.wait_all_tasks_blocked()
        trouble.made_room()
        await anyio.wait_all_tasks_blocked()
        assert slots.take() is not None
        assert slots.take() is None
        assert trouble.words


async def test_pauses_grow_while_it_lasts_and_are_short_again_afterwards() -> None:
    async with trouble_and_slots() as (trouble, slots, _):
        pauses = []
        for _ in range(8):
            trouble.found("no room")
            await anyio.wait_all_tasks_blocked()
            pauses.append(trouble.pause_seconds)
            trouble.made_room()
            await anyio.wait_all_tasks_blocked()
        trouble.over(trouble.times)
        assert slots.free
        assert not trouble.words
        assert trouble.pause_seconds == start_failures.PAUSE_SECONDS_MIN
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_a_run_that_started_before_a_failure_does_not_end_the_trouble() -> None:
    async with trouble_and_slots() as (trouble, slots, _):
        asked_for = trouble.times
        trouble.found("no room")
        trouble.over(asked_for)
        assert trouble.words
        assert not slots.free
