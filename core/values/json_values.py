"""Which values of users can be stored, as JSON that every program can read back.

Flows are built with this at hand: it imports nothing that takes time.
"""

from __future__ import annotations

from enum import Enum
from math import isfinite
from typing import Any

from headwater.core.text import is_utf8, shown, type_name

VALUE_DEPTH_MAX = 180
"""How deep lists and dicts of one value may nest: less than `limits.DEPTH_MAX`, since what lies around it in a message has levels, too."""

INT64_MAX = 2**63 - 1

_SHOWN_CHARACTERS = 100


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
    return f"{type_name(kind)} is not a JSON type"
