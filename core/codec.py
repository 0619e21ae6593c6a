"""Commits as bytes and back: JSON, with older shapes lifted at this edge so that nothing inside knows them.

Unknown fields are passed over and unknown event types kept as `UnknownEvent`, so that an older program reads a newer log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from headwater.core.commit import CATALOGUE_VERSION, Commit
from headwater.core.errors import CommitTooLarge, CommitUnreadable
from headwater.core.events import EVENT_TYPES, AnyEvent, Event, UnknownEvent
from headwater.core.json_bytes import json_bytes
from headwater.core.upcasters import UPCASTERS, Upcaster

COMMIT_BYTES_MAX = 900 * 1024
"""The broker takes messages of up to 1 MB; the rest is room for headers."""

_KNOWN_TYPES = {kind.__struct_config__.tag for kind in EVENT_TYPES}
_decode_commit = msgspec.json.Decoder(Commit).decode


class _AnyVersion(msgspec.Struct):
    v: int
    id: str
    at: datetime
    actor: str
    events: list[dict[str, Any]]
    cause: str | None = None


def encode(commit: Commit) -> bytes:
    """Return the commit as the bytes of one message.

    Raises:
        CommitTooLarge: it does not fit into one.

    """
    data = json_bytes(commit)
    if len(data) > COMMIT_BYTES_MAX:
        raise CommitTooLarge(len(data), COMMIT_BYTES_MAX)
    return data


def decode(data: bytes) -> Commit:
    """Return the commit in these bytes, its events in today's shapes.

    Raises:
        CommitUnreadable: the bytes are no commit, or a known event in it lacks what it must have.

    """
    try:
        commit = _decode_commit(data)
    except msgspec.MsgspecError:
        return _decode_slowly(data)
    return commit if commit.v >= CATALOGUE_VERSION else _decode_slowly(data)


def _decode_slowly(data: bytes) -> Commit:
    """Decode event by event: for commits with old shapes, or with types of a newer version."""
    try:
        raw = msgspec.json.decode(data, type=_AnyVersion)
        events = tuple(_event(item, written_by=raw.v) for item in raw.events)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise CommitUnreadable(f"These bytes are not a commit this version can read: {error}") from error
    return Commit(v=raw.v, id=raw.id, at=raw.at, actor=raw.actor, cause=raw.cause, events=events)


def _event(item: dict[str, Any], *, written_by: int) -> AnyEvent:
    lifted = lift(item, written_by=written_by)
    name = lifted["type"]
    if not isinstance(name, str):
        raise TypeError(f"an event's type is a text, not {name!r}")
    if name not in _KNOWN_TYPES:
        return UnknownEvent(name=name, data={key: value for key, value in lifted.items() if key != "type"})
    return msgspec.convert(lifted, AnyEvent)  # type: ignore[no-any-return]


def lift(item: dict[str, Any], *, written_by: int, upcasters: Mapping[int, Mapping[str, Upcaster]] = UPCASTERS) -> dict[str, Any]:
    """Return the event in today's shape: each version after `written_by` applies its upcaster for the event's type, in order."""
    for version in sorted(number for number in upcasters if number > written_by):
        upcaster = upcasters[version].get(item["type"])
        if upcaster is not None:
            item = upcaster(item)
    return item


def encode_event(event: Event) -> bytes:
    """Return one event as JSON, as it lies inside a commit."""
    return json_bytes(event)
