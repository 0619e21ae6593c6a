"""The slots of a flow as its events leave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from headwater.core.events import AnyEvent, ConcurrencySet, SlotFreed, SlotsAfter, SlotTaken


@dataclass(frozen=True)
class Slots:
    """The slots of one flow as their events leave them. `limit` None: slots are not counted.

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
        case ConcurrencySet(after=SlotsAfter() as after) | SlotTaken(after=SlotsAfter() as after) | SlotFreed(after=SlotsAfter() as after):
            return Slots(after.limit, after.attempts)
        case ConcurrencySet():
            return Slots(event.limit, {} if event.limit is None else slots.attempts)
        case SlotTaken():
            return Slots(slots.limit, {**slots.attempts, event.run_id: event.attempt})
        case SlotFreed():
            return Slots(slots.limit, {run_id: attempt for run_id, attempt in slots.attempts.items() if run_id != event.run_id})
        case _:
            return slots
