"""Commits as bytes and back: JSON, with older shapes lifted at this edge so that nothing inside knows them.

Unknown fields are passed over and unknown event types kept as `UnknownEvent`, so that an older program reads a newer log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from headwater.core.errors import CommitTooLarge, CommitUnreadable
from headwater.core.events import EVENT_TYPES, AnyEvent, Event, UnknownEvent
from headwater.core.log.commit import CATALOGUE_VERSION, Commit
from headwater.core.log.upcasters import UPCASTERS, Upcaster
from headwater.core.values.json_bytes import json_bytes
from headwater.core.values.limits import DEPTH_MAX, Instant, Int32, Token, is_instant, out_of_range

COMMIT_BYTES_MAX = 900 * 1024
"""The broker takes messages of up to 1 MB; the rest is room for headers."""

T = TypeVar("T")
_TOO_DEEP = f"It nests deeper than {DEPTH_MAX} levels."
_KNOWN_TYPES = {kind.__struct_config__.tag for kind in EVENT_TYPES}
_decode_commit = msgspec.json.Decoder(Commit).decode


class _AnyVersion(msgspec.Struct):
    v: Int32
    id: Token
    at: Instant
    actor: str
    events: list[dict[str, Any]]
    cause: str | None = None


def message_decoder(kind: type[T]) -> Callable[[bytes], T]:
    """Return what decodes messages of this kind that are not commits: heartbeats, questions, announcements, work items, log lines.

    Whatever the bytes are, it returns one or raises CommitUnreadable.
    """
    decode_one = msgspec.json.Decoder(kind).decode

    def decode_message(data: bytes) -> T:
        if nests_deeper(data, DEPTH_MAX):
            raise CommitUnreadable(_TOO_DEEP)
        try:
            return decode_one(data)
        except Exception as error:  # bytes may make a decoder raise anything; it is always the bytes' fault
            raise CommitUnreadable(f"{error}.") from error

    return decode_message


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
        CommitUnreadable: the bytes are not a commit, a known event in it lacks what it must have, or a value is out of the limits of
            `headwater.core.values.limits`. The reason depends on the bytes alone.

    """
    if nests_deeper(data, DEPTH_MAX):
        raise CommitUnreadable(_TOO_DEEP)
    try:
        commit = _decode(data)
    except Exception as error:
        raise CommitUnreadable(f"{error}.") from error
    for moment in times_of(commit):
        if not is_instant(moment):
            raise CommitUnreadable(out_of_range(moment))
    return commit


def _decode(data: bytes) -> Commit:
    try:
        commit = _decode_commit(data)
    except msgspec.MsgspecError:
        return _decode_slowly(data)
    return commit if commit.v >= CATALOGUE_VERSION else _decode_slowly(data)


def _decode_slowly(data: bytes) -> Commit:
    """Decode event by event: for commits with old shapes, or with types of a newer version."""
    raw = msgspec.json.decode(data, type=_AnyVersion)
    events = tuple(_event(item, written_by=raw.v) for item in raw.events)
    return Commit(v=raw.v, id=raw.id, at=raw.at, actor=raw.actor, cause=raw.cause, events=events)


def times_of(commit: Commit) -> Iterator[datetime]:
    """Yield every time in the commit."""
    yield commit.at
    for event in commit.events:
        yield from _times_in(event)


def _times_in(value: msgspec.Struct) -> Iterator[datetime]:
    times, parts = _TIME_FIELDS[type(value)]
    for name in times:
        moment = getattr(value, name)
        if moment is not None:
            yield moment
    for name in parts:
        part = getattr(value, name)
        for each in part if isinstance(part, tuple) else () if part is None else (part,):
            yield from _times_in(each)


def _time_fields(kind: type[msgspec.Struct], known: dict[type[msgspec.Struct], tuple[tuple[str, ...], tuple[str, ...]]]) -> bool:
    """Note which fields of the class hold times, and which hold structs that do; tell whether any does."""
    times, parts = [], []
    for name, hint in get_type_hints(kind).items():
        options = (hint, *get_args(hint))
        if datetime in options:
            times.append(name)
        elif any(_time_fields(each, known) for each in options if isinstance(each, type) and issubclass(each, msgspec.Struct)):
            parts.append(name)
    known[kind] = (tuple(times), tuple(parts))
    return bool(times or parts)


_TIME_FIELDS: dict[type[msgspec.Struct], tuple[tuple[str, ...], tuple[str, ...]]] = {}
_time_fields(UnknownEvent, _TIME_FIELDS)
for _kind in EVENT_TYPES:
    _time_fields(_kind, _TIME_FIELDS)


_OUTSIDE_STRINGS = bytes(set(range(256)) - set(b'[]{}"'))


def nests_deeper(data: bytes, limit: int) -> bool:
    """Tell whether JSON nests arrays and objects deeper than `limit`, without recursion: how deep a decoder can go depends on its stack.

    Of bytes that are not JSON the answer means nothing.
    """
    if data.count(b"{") + data.count(b"[") <= limit:
        return False
    unescaped = data.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in data else data
    brackets = b"".join(unescaped.translate(None, _OUTSIDE_STRINGS).split(b'"')[::2])
    for _ in range(limit):
        # One level a turn: what was taken out leaves a mark until the turn is over.
        outer = brackets.replace(b"[]", b".").replace(b"{}", b".").replace(b".", b"")
        if len(outer) == len(brackets):
            break
        brackets = outer
    return bool(brackets)


def _event(item: dict[str, Any], *, written_by: int) -> AnyEvent:
    lifted = upcast(item, written_by=written_by)
    name = lifted["type"]
    if not isinstance(name, str):
        raise TypeError(f"an event's type is a text, not {name!r}")
    if name not in _KNOWN_TYPES:
        return UnknownEvent(name=name, data={key: value for key, value in lifted.items() if key != "type"})
    return msgspec.convert(lifted, AnyEvent)  # type: ignore[no-any-return]


def upcast(item: dict[str, Any], *, written_by: int, upcasters: Mapping[int, Mapping[str, Upcaster]] = UPCASTERS) -> dict[str, Any]:
    """Return the event in today's shape: each version after `written_by` applies its upcaster for the event's type, in order."""
    for version in sorted(number for number in upcasters if number > written_by):
        upcaster = upcasters[version].get(item["type"])
        if upcaster is not None:
            item = upcaster(item)
    return item


def encode_event(event: Event) -> bytes:
    """Return one event as JSON, as it lies inside a commit."""
    return json_bytes(event)
