"""Limit how many runs of a flow are executed at once, and take and free the slots for them."""

from __future__ import annotations

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.log import subjects
from headwater.core.log.protocol import EventLog
from headwater.core.slots import rules as slot_rules
from headwater.core.slots.commands import FreeSlot, SetConcurrency, SlotCommand, TakeSlot
from headwater.core.slots.state import Slots


def slots(log: EventLog, group_id: str) -> Aggregate[Slots, SlotCommand]:
    return Aggregate(log, subjects.slots(group_id), slot_rules.RULES)


class FlowSlots:
    """The slots of flows whose runs are limited, as one actor takes and frees them. A group id is that of a flow over its versions."""

    def __init__(self, log: EventLog, actor: Actor) -> None:
        self._log = log
        self._actor = actor

    def of(self, group_id: str) -> Aggregate[Slots, SlotCommand]:
        """Return the slots of this flow, to be read."""
        return slots(self._log, group_id)

    async def limit(self, group_id: str, limit: int | None) -> CommandResult[Slots]:
        """Let at most `limit` runs of the flow be executed at once; None: as many as come.

        Raises:
            InvalidArgument: the limit is below 1.

        """
        return await self.of(group_id).execute(SetConcurrency(limit), self._actor)

    async def take(self, group_id: str, run_id: str, attempt: int, *, running: bool = False) -> CommandResult[Slots]:
        """Take a slot for this attempt of the run. `running`: it is executed already, and counts whatever the limit.

        Raises:
            SlotsFull: all are taken.

        """
        return await self.of(group_id).execute(TakeSlot(run_id, attempt, running), self._actor)

    async def free(self, group_id: str, run_id: str, attempt: int) -> CommandResult[Slots]:
        """Free the slot that the run has for this attempt, if it has one."""
        return await self.of(group_id).execute(FreeSlot(run_id, attempt), self._actor)
