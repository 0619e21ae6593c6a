"""The rules of a flow's slots: no more runs have one than there are, but for those that had one before the limit was lowered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headwater.core.commands import FreeSlot, SetConcurrency, SlotCommand, TakeSlot
from headwater.core.errors import InvalidArgument, SlotsFull
from headwater.core.events import AnyEvent, ConcurrencySet, SlotFreed, SlotTaken
from headwater.core.rules.aggregate import Rules


@dataclass(frozen=True)
class Slots:
    """The slots of one flow as their events leave them. `limit` None: nobody counts.

    `attempts` maps each run that has a slot to the attempt it has it for. So a slot is freed only by those who know what it was for, and
    no late hand frees that of a newer attempt.
    """

    limit: int | None = None
    attempts: Mapping[str, int] = field(default_factory=dict)

    @property
    def free(self) -> int | None:
        """How many more runs may have one; None: as many as come."""
        return None if self.limit is None else max(0, self.limit - len(self.attempts))


def evolve(slots: Slots, event: AnyEvent) -> Slots:
    match event:
        case ConcurrencySet():
            return Slots(event.limit, {} if event.limit is None else slots.attempts)
        case SlotTaken():
            return Slots(slots.limit, {**slots.attempts, event.run_id: event.attempt})
        case SlotFreed():
            return Slots(slots.limit, {run_id: attempt for run_id, attempt in slots.attempts.items() if run_id != event.run_id})
        case _:
            return slots


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
