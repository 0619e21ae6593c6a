"""What happened to the slots of a flow, in words."""

from __future__ import annotations

from headwater.core import events as e
from headwater.core.events import AnyEvent


def describe(event: AnyEvent) -> str | None:
    """Return what the event says, for people; None where it is none of these."""
    match event:
        case e.ConcurrencySet():
            if event.limit is None:
                return "any number of the flow's runs may be executed at once"
            return f"at most {event.limit} {'run' if event.limit == 1 else 'runs'} of the flow may be executed at once"
        case e.SlotTaken():
            return f"attempt {event.attempt} of run {event.run_id} took a slot"
        case e.SlotFreed():
            return f"the slot of run {event.run_id} became free"
    return None
