"""The slots of a flow whose runs are limited."""

from __future__ import annotations

from random import Random

import pytest
from harness.run_history import NOON
from msgspec.structs import replace

from headwater.core.errors import InvalidArgument, SlotsFull
from headwater.core.events import AnyEvent, ConcurrencySet, SlotFreed, SlotTaken
from headwater.core.log.codec import encode
from headwater.core.log.commit import new_commit
from headwater.core.slots.commands import FreeSlot, SetConcurrency, SlotCommand, TakeSlot
from headwater.core.slots.rules import RULES, TOLD_MAX, tells_all
from headwater.core.slots.state import Slots


def given(*events: AnyEvent) -> Slots:
    return RULES.fold(events)


def decided(slots: Slots, command: SlotCommand) -> list[AnyEvent]:
    """What happens, without what each event tells of how it is after it."""
    return [replace(event, after=None) for event in RULES.decide(slots, command)]


def test_without_a_limit_slots_are_not_counted() -> None:
    assert decided(given(), TakeSlot("r-1", 1)) == []
    assert given().free is None


def test_a_run_takes_a_slot_once() -> None:
    limited = given(ConcurrencySet(1))

    assert decided(limited, TakeSlot("r-1", 1)) == [SlotTaken("r-1", 1)]
    assert decided(given(ConcurrencySet(1), SlotTaken("r-1", 1)), TakeSlot("r-1", 1)) == []


def test_when_all_slots_are_taken_the_next_run_is_refused_and_told_by_whom() -> None:
    with pytest.raises(SlotsFull) as refused:
        RULES.decide(given(ConcurrencySet(2), SlotTaken("r-1", 1), SlotTaken("r-2", 1)), TakeSlot("r-3", 1))

    assert (refused.value.limit, refused.value.runs) == (2, ("r-1", "r-2"))


def test_a_freed_slot_may_be_taken_again() -> None:
    freed = given(ConcurrencySet(1), SlotTaken("r-1", 1), SlotFreed("r-1"))

    assert decided(freed, TakeSlot("r-2", 1)) == [SlotTaken("r-2", 1)]
    assert decided(freed, FreeSlot("r-1", 1)) == []


def test_the_next_attempt_of_a_run_goes_on_with_its_slot_and_no_late_hand_frees_it() -> None:
    full = given(ConcurrencySet(1), SlotTaken("r-1", 1))

    assert decided(full, TakeSlot("r-1", 2)) == [SlotTaken("r-1", 2)]
    assert decided(given(ConcurrencySet(1), SlotTaken("r-1", 1), SlotTaken("r-1", 2)), FreeSlot("r-1", 1)) == []


def test_runs_under_way_when_the_limit_comes_or_falls_keep_their_slots() -> None:
    running = given(ConcurrencySet(1), SlotTaken("r-1", 1))

    assert decided(running, TakeSlot("r-2", 1, running=True)) == [SlotTaken("r-2", 1)]
    assert given(ConcurrencySet(3), SlotTaken("r-1", 1), SlotTaken("r-2", 1), ConcurrencySet(1)).free == 0


def test_taking_the_limit_away_frees_every_run() -> None:
    assert given(ConcurrencySet(1), SlotTaken("r-1", 1), ConcurrencySet(None)) == Slots()


def test_the_limit_is_at_least_one() -> None:
    with pytest.raises(InvalidArgument):
        RULES.decide(given(), SetConcurrency(0))


def test_the_last_event_tells_how_it_is_where_few_runs_have_a_slot() -> None:
    chance = Random(3)
    slots, history = given(), list[AnyEvent]()
    for _ in range(600):
        run_id = f"r-{chance.randrange(2 * TOLD_MAX)}"
        limit = SetConcurrency(chance.choice([None, *[2 * TOLD_MAX] * 60]))
        commands: list[SlotCommand] = [limit, *[TakeSlot(run_id, chance.randrange(3))] * 9, *[FreeSlot(run_id, chance.randrange(3))] * 5]
        command = chance.choice(commands)
        for event in RULES.decide(slots, command):
            history.append(event)
            slots = RULES.evolve(slots, event)
            assert tells_all(event) == (len(slots.attempts) <= TOLD_MAX)
            if tells_all(event):
                assert given(event) == slots

    assert given(*(replace(event, after=None) for event in history)) == slots
    assert {tells_all(event) for event in history} == {True, False}
    assert max(len(encode(new_commit([event], at=NOON, actor="agent:x"))) for event in history) < 4096
