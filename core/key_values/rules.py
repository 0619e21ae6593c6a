"""The rules of a key in a project's key-value store: it is set, set again, and deleted.

Each event tells all there is, so the last one suffices: a key that was set 100,000 times is read as quickly as a new one.
"""

from __future__ import annotations

from collections.abc import Sequence

from headwater.core.errors import KeyNotFound
from headwater.core.events import AnyEvent, KeyValueDeleted, KeyValueSet
from headwater.core.key_values.commands import DeleteKeyValue, KeyValueCommand, SetKeyValue
from headwater.core.key_values.state import KeyValue, evolve
from headwater.core.key_values.validation import valid_key, valid_value
from headwater.core.rules import Rules
from headwater.core.values.json_bytes import json_bytes


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


def tells_all(event: AnyEvent) -> bool:
    """Tell whether the event says the whole state: each that is known does."""
    return isinstance(event, KeyValueSet | KeyValueDeleted)


RULES = Rules(KeyValue(), evolve, decide, tells_all)
