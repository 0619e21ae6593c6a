"""The rules of a key in a project's key-value store: it is set, set again, and deleted.

Each event tells all there is, so the last one suffices: a key that was set 100,000 times is read as quickly as a new one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headwater.core.errors import InvalidKeyValue, InvalidName, KeyNotFound
from headwater.core.events import AnyEvent, KeyValueDeleted, KeyValueSet
from headwater.core.json_bytes import json_bytes
from headwater.core.json_values import json_problem
from headwater.core.key_value_commands import DeleteKeyValue, KeyValueCommand, SetKeyValue
from headwater.core.names import valid_name
from headwater.core.plain_values import shortened
from headwater.core.rules.aggregate import Rules

VALUE_CHARACTERS_MAX = 10_000
"""How long a value may be as JSON, in which characters beyond ASCII are escaped: 10 KB."""


@dataclass(frozen=True)
class KeyValue:
    """A key as its events leave it; without a value where `exists` is false."""

    project_id: str = ""
    key: str = ""
    value: Any = None
    exists: bool = False


def evolve(pair: KeyValue, event: AnyEvent) -> KeyValue:
    match event:
        case KeyValueSet():
            return KeyValue(event.project_id, event.key, event.value, exists=True)
        case KeyValueDeleted():
            return KeyValue(event.project_id, event.key)
        case _:
            return pair


def decide(pair: KeyValue, command: KeyValueCommand) -> Sequence[AnyEvent]:
    match command:
        case SetKeyValue():
            key = valid_key(command.key)
            value = valid_value(key, command.value)
            # As bytes: to Python, True, 1 and 1.0 are the same.
            same = pair.exists and json_bytes(pair.value) == json_bytes(value)
            return [] if same else [KeyValueSet(command.project_id, key, value)]
        case DeleteKeyValue():
            if not pair.exists:
                raise KeyNotFound(command.key)
            return [KeyValueDeleted(pair.project_id, pair.key)]


RULES = Rules(KeyValue(), evolve, decide, last_event_tells_all=True)


def valid_key(key: object) -> str:
    """Return the key, if it may be one: printable text of 1 to 255 characters, slashes and spaces included.

    Raises:
        InvalidKeyValue: it is empty, too long, or holds control characters.

    """
    try:
        return valid_name(key, kind="key")
    except InvalidName as error:
        raise InvalidKeyValue(str(error), hint=error.hint) from None


def valid_value(key: str, value: Any) -> Any:
    """Return the value, if it may be stored under the key.

    Raises:
        InvalidKeyValue: it is not JSON, or longer than 10,000 characters as JSON.

    """
    if (problem := json_problem(value)) is not None:
        raise InvalidKeyValue(
            f"The value of key {shortened(key)!r} cannot be stored: {problem}.",
            hint="Texts, numbers, true and false, null, lists, and objects whose keys are texts can be stored.",
        )
    length = len(json.dumps(value))
    if length > VALUE_CHARACTERS_MAX:
        raise InvalidKeyValue(
            f"The value of key {shortened(key)!r} has {length:,} characters as JSON; at most {VALUE_CHARACTERS_MAX:,} are allowed (10 KB).",
            hint="Keep large values elsewhere, as in a file or an object store, and store where they are.",
        )
    return value
