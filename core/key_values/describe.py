"""What happened to a key of a project, in words."""

from __future__ import annotations

from headwater.core import events as e
from headwater.core.events import AnyEvent
from headwater.core.values.phrases import shorten


def describe(event: AnyEvent) -> str | None:
    """Return what the event says, for people; None where it is none of these."""
    match event:
        case e.KeyValueSet():
            return f"key {event.key!r} was set to {shorten(repr(event.value))}"
        case e.KeyValueDeleted():
            return f"key {event.key!r} was deleted"
    return None
