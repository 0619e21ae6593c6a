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


async def set_concurrency(log: EventLog, group_id: str, limit: int | None, actor: Actor) -> CommandResult[Slots]:
    """Let at most `limit` runs of the flow be executed at once; None: as many as come.

    Raises:
        InvalidArgument: the limit is below 1.

    """
    return await slots(log, group_id).execute(SetConcurrency(limit), actor)


async def take_slot(
    log: EventLog, group_id: str, run_id: str, attempt: int, actor: Actor, *, running: bool = False
) -> CommandResult[Slots]:
    """Take a slot for this attempt of the run. `running`: it is executed already, and counts whatever the limit.

    Raises:
        SlotsFull: all are taken.

    """
    return await slots(log, group_id).execute(TakeSlot(run_id, attempt, running), actor)


async def free_slot(log: EventLog, group_id: str, run_id: str, attempt: int, actor: Actor) -> CommandResult[Slots]:
    """Free the slot that the run has for this attempt, if it has one."""
    return await slots(log, group_id).execute(FreeSlot(run_id, attempt), actor)
