"""The rules of a flow's slots: no more runs have one than there are, but for those that had one before the limit was lowered.

Each event tells how it is after it, where few runs have a slot: a flow that has had a million runs is read as quickly as a new one.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from headwater.core.errors import InvalidArgument, SlotsFull
from headwater.core.events import AnyEvent, ConcurrencySet, SlotEvent, SlotFreed, SlotsAfter, SlotTaken
from headwater.core.rules import Rules
from headwater.core.slots.commands import FreeSlot, SetConcurrency, SlotCommand, TakeSlot
from headwater.core.slots.state import Slots, evolve

TOLD_MAX = 64
"""So many runs with a slot are named in each event, which then has less than 4 KiB."""


def decide(slots: Slots, command: SlotCommand) -> Sequence[AnyEvent]:
    return [_with_what_is_after(slots, event) for event in _decide(slots, command)]


def _with_what_is_after(slots: Slots, event: SlotEvent) -> SlotEvent:
    after = evolve(slots, event)
    return replace(event, after=SlotsAfter(after.limit, dict(after.attempts))) if len(after.attempts) <= TOLD_MAX else event


def tells_all(event: AnyEvent) -> bool:
    """Tell whether the event says how the slots are after it."""
    return isinstance(event, SlotEvent) and event.after is not None


def _decide(slots: Slots, command: SlotCommand) -> Sequence[SlotEvent]:
    match command:
        case SetConcurrency():
            if command.limit is not None and command.limit < 1:
                raise InvalidArgument(f"A flow's limit must be at least 1, not {command.limit}.", hint="`none` takes the limit away.")
            return [] if command.limit == slots.limit else [ConcurrencySet(command.limit)]
        case TakeSlot():
            had = slots.attempts.get(command.run_id)
            if slots.limit is None or had == command.attempt:
                return []
            if had is None and not slots.free and not command.running:
                raise SlotsFull(slots.limit, tuple(slots.attempts))
            return [SlotTaken(command.run_id, command.attempt)]
        case FreeSlot():
            return [SlotFreed(command.run_id)] if slots.attempts.get(command.run_id) == command.attempt else []


RULES = Rules(Slots(), evolve, decide, tells_all)
