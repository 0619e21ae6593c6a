"""What all events share. An event is a fact in the past tense, stored under a chosen name that outlives its class."""

from __future__ import annotations

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", gc=False):
    """A fact. Subclasses choose their stored name with `tag=`; it never changes, whatever becomes of the class."""


class UnknownEvent(Event, tag="?", frozen=True):
    """An event of a type this version does not know, kept as it was read. Folds pass over it; it is never written."""

    name: str
    data: dict[str, Any]


def event_type(event: Event) -> str:
    """Return the stored name of the event, such as `run.created`."""
    if isinstance(event, UnknownEvent):
        return event.name
    tag = event.__struct_config__.tag
    assert isinstance(tag, str)
    return tag
