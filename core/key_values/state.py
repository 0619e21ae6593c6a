"""A key of a project as its events leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.core.events import AnyEvent, KeyValueDeleted, KeyValueSet


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
