"""What can have happened to the slots of a flow whose runs are limited: how many there are, and which runs have one."""

from __future__ import annotations

import msgspec

from headwater.core.event import Event
from headwater.core.values.limits import Int32, Uuid


class SlotsAfter(msgspec.Struct, frozen=True):
    """How the slots are after an event: how many there are, and which runs have one, each for this attempt."""

    limit: Int32 | None
    attempts: dict[Uuid, Int32]


class ConcurrencySet(Event, tag="slots.limit_set", frozen=True):
    """At most so many runs of the flow may be executed at once; None: as many as come. Runs that have a slot keep it.

    `after` is there where few runs have one: the last event suffices then to know how it is.
    """

    limit: Int32 | None
    after: SlotsAfter | None = None


class SlotTaken(Event, tag="slots.taken", frozen=True):
    """The run has a slot from here on, for this attempt, which may now be claimed. One that it had for another attempt goes on as this."""

    run_id: Uuid
    attempt: Int32
    after: SlotsAfter | None = None


class SlotFreed(Event, tag="slots.freed", frozen=True):
    """The run's slot is free again."""

    run_id: Uuid
    after: SlotsAfter | None = None


SlotEvent = ConcurrencySet | SlotTaken | SlotFreed
