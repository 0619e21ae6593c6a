"""The rules of a flow's slots: no more runs have one than there are, but for those that had one before the limit was lowered."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.core.errors import InvalidArgument, SlotsFull
from headwater.core.events import AnyEvent, ConcurrencySet, SlotFreed, SlotTaken
from headwater.core.rules import Rules
from headwater.core.slots.commands import FreeSlot, SetConcurrency, SlotCommand, TakeSlot
from headwater.core.slots.state import Slots, evolve


def decide(slots: Slots, command: SlotCommand) -> Sequence[AnyEvent]:
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


RULES = Rules(Slots(), evolve, decide)
