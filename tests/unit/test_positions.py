"""Waiting for the views to get somewhere, whatever is announced."""

from __future__ import annotations

import anyio
import anyio.lowlevel

from headwater.projections.positions import Positions, What

NO_LOOK = 3600.0
"""So long nothing is looked at by itself: longer than any test runs."""


async def test_an_announcement_that_was_not_true_is_not_believed_twice() -> None:
    positions, done = Positions(look_seconds=NO_LOOK), anyio.Event()
    positions.announced(What.VIEWS, 2**62)
    positions.found(What.VIEWS, 5, announcements=positions.announcements(What.VIEWS))

    async def wait() -> None:
        assert await positions.wait_for(What.VIEWS, 6, deadline=anyio.current_time() + 3600)
        done.set()

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        assert not done.is_set(), "it would look again and again, without a pause"
        positions.announced(What.VIEWS, 6)
        with anyio.fail_after(30):
            await done.wait()


async def test_what_is_announced_while_a_look_finds_less_is_not_waited_for() -> None:
    positions = Positions(look_seconds=NO_LOOK)
    before_the_look = positions.announcements(What.VIEWS)
    positions.announced(What.VIEWS, 8)
    positions.found(What.VIEWS, 7, announcements=before_the_look)

    with anyio.fail_after(30):
        assert await positions.wait_for(What.VIEWS, 8, deadline=anyio.current_time() + NO_LOOK)


async def test_what_a_look_found_is_not_a_reason_to_wait_for_less() -> None:
    positions = Positions()
    positions.announced(What.VIEWS, 4)
    positions.found(What.VIEWS, 9, announcements=positions.announcements(What.VIEWS))

    assert await positions.wait_for(What.VIEWS, 4, deadline=anyio.current_time() + 30)
