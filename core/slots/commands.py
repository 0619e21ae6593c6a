"""Commands about the slots of a flow whose runs are limited."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SetConcurrency:
    limit: int | None


@dataclass(frozen=True)
class TakeSlot:
    """Take a slot for this attempt of the run. `running`: it is executed already, and counts whatever the limit."""

    run_id: str
    attempt: int
    running: bool = False


@dataclass(frozen=True)
class FreeSlot:
    """Free the slot that the run has for this attempt; one that it has for another stays."""

    run_id: str
    attempt: int


SlotCommand = SetConcurrency | TakeSlot | FreeSlot
