"""How many runs an agent takes."""

from __future__ import annotations

import pytest

from headwater.agents.agent.capacity import Capacity
from headwater.core.errors import InvalidArgument


def slots(limit: int | None = None, *, starting_max: int = 100) -> tuple[Capacity, list[bool]]:
    changes: list[bool] = []
    return Capacity(limit, changes.append, starting_max=starting_max), changes


def test_no_more_than_the_limit_are_taken() -> None:
    made, changes = slots(2)

    first, second, third = made.take(), made.take(), made.take()

    assert first is not None
    assert second is not None
    assert third is None
    assert changes == [False]


def test_a_slot_given_back_is_free_again_once() -> None:
    made, changes = slots(1)
    slot = made.take()
    assert slot is not None

    slot.release()
    slot.release()

    assert changes == [False, True]
    assert made.take() is not None
    assert made.take() is None


def test_a_run_that_has_started_makes_room_for_another_to_start() -> None:
    made, changes = slots(starting_max=1)
    slot = made.take()
    assert slot is not None
    assert made.take() is None

    slot.mark_started()
    slot.mark_started()

    assert changes == [False, True]
    assert made.take() is not None
    assert made.take() is None


def test_closed_slots_stay_taken() -> None:
    made, changes = slots(2)
    slot = made.take()
    assert slot is not None
    made.close()
    slot.release()

    assert made.take() is None
    assert changes == [False]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    with pytest.raises(InvalidArgument, match="at least 1"):
        slots(limit)


def test_a_pause_leaves_no_slot_free_and_what_follows_it_one_at_a_time_until_all_is_well() -> None:
    made, changes = slots()

    made.pause()
    assert made.take() is None
    made.resume(one_at_a_time=True)
    first = made.take()
    assert first is not None
    assert made.take() is None
    first.mark_started()
    made.resume()

    assert all(made.take() is not None for _ in range(3))
    assert changes == [False, True, False, True]
