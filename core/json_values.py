"""Values as JSON: what becomes bytes, and which values of users can be stored so that every program can read them back."""

from __future__ import annotations

from enum import Enum
from math import isfinite
from typing import Any

import msgspec

from headwater.core.limits import DEPTH_MAX, INT64_MAX
from headwater.core.text import escaped, is_utf8, shown, type_name

VALUE_DEPTH_MAX = DEPTH_MAX - 20
"""How deep lists and dicts of one value may nest; what lies around it in a message needs some levels too."""

_SHOWN_CHARACTERS = 100
_encode = msgspec.json.Encoder().encode


def json_problem(value: Any) -> str | None:
    """Return what keeps the value from being stored as JSON, or None. Nothing of the value's own is called."""
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        each, depth = waiting.pop()
        kind = type(each)
        if issubclass(kind, list | tuple):
            inside = list(list.__iter__(each) if issubclass(kind, list) else tuple.__iter__(each))
        elif issubclass(kind, dict):
            if (problem := _key_problem(each)) is not None:
                return problem
            inside = list(dict.values(each))
        elif (problem := _plain_problem(each)) is not None:
            return problem
        else:
            continue
        if depth > VALUE_DEPTH_MAX:
            return f"it nests deeper than {VALUE_DEPTH_MAX} levels"
        # In the order in which a reader would come upon them.
        waiting.extend((part, depth + 1) for part in reversed(inside))
    return None


def _key_problem(value: dict[Any, Any]) -> str | None:
    for key in dict.keys(value):
        if type(key) is not str:
            return f"the key {shown(key)[:_SHOWN_CHARACTERS]} is not a string"
        if not is_utf8(key):
            return f"the key {key[:_SHOWN_CHARACTERS]!r} holds what is not UTF-8"
    return None


def _plain_problem(value: Any) -> str | None:
    if value is None or value is True or value is False:
        return None
    if issubclass(type(value), Enum):
        value = value._value_
    kind = type(value)
    if kind is str:
        return None if is_utf8(value) else f"{value[:_SHOWN_CHARACTERS]!r} holds what is not UTF-8"
    if kind is int:
        return None if -INT64_MAX - 1 <= value <= INT64_MAX else f"a whole number of {value.bit_length()} bits is too large; it may have 64"
    if kind is float:
        return None if isfinite(value) else f"{value} is not a JSON number"
    return f"{type_name(kind)} is no JSON type"


def json_bytes(value: Any) -> bytes:
    """Return the value, made of what messages are made of, as JSON; text that is not UTF-8 is escaped in it."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return _encode(_escaped_inside(msgspec.to_builtins(value)))


def _escaped_inside(value: Any) -> Any:
    match value:
        case str():
            return escaped(value)
        case dict():
            return {_escaped_inside(key): _escaped_inside(each) for key, each in value.items()}
        case list() | tuple():
            return [_escaped_inside(each) for each in value]
        case _:
            return value
