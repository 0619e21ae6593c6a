"""The rules of a flow's slots: no more runs have one than there are, but for those that had one before the limit was lowered."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from headwater.core.commands import FreeSlot, SetConcurrency, SlotCommand, TakeSlot
from headwater.core.errors import InvalidArgument, SlotsFull
from headwater.core.events import AnyEvent, ConcurrencySet, SlotFreed, SlotTaken
from headwater.core.rules.aggregate import Rules


@dataclass(frozen=True)
class Slots:
    """The slots of one flow as their events leave them. `limit` None: nobody counts. `runs`: who has one, the longest first."""

    limit: int | None = None
    runs: tuple[str, ...] = ()

    @property
    def free(self) -> int | None:
        """How many more runs may have one; None: as many as come."""
        return None if self.limit is None else max(0, self.limit - len(self.runs))


def evolve(slots: Slots, event: AnyEvent) -> Slots:
    match event:
        case ConcurrencySet():
            return Slots(event.limit, () if event.limit is None else slots.runs)
        case SlotTaken():
            return dataclasses.replace(slots, runs=(*slots.runs, event.run_id))
        case SlotFreed():
            return dataclasses.replace(slots, runs=tuple(each for each in slots.runs if each != event.run_id))
        case _:
            return slots


def decide(slots: Slots, command: SlotCommand) -> Sequence[AnyEvent]:
    match command:
        case SetConcurrency():
            if command.limit is not None and command.limit < 1:
                raise InvalidArgument(f"A flow's limit must be at least 1, not {command.limit}.", hint="`none` takes the limit away.")
            return [] if command.limit == slots.limit else [ConcurrencySet(command.limit)]
        case TakeSlot():
            if slots.limit is None or command.run_id in slots.runs:
                return []
            if len(slots.runs) >= slots.limit and not command.running:
                raise SlotsFull(slots.limit, slots.runs)
            return [SlotTaken(command.run_id)]
        case FreeSlot():
            return [SlotFreed(command.run_id)] if command.run_id in slots.runs else []


RULES = Rules(Slots(), evolve, decide)
