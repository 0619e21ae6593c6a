"""What can have happened to a key of a project's key-value store. All of it lies on the subject of that one key."""

from __future__ import annotations

from typing import Any

from headwater.core.event import Event
from headwater.core.values.limits import Name, Uuid


class KeyValueSet(Event, tag="key_value.set", frozen=True):
    """The key of this project has this value from here on; a value that it had before is gone."""

    project_id: Uuid
    key: Name
    value: Any


class KeyValueDeleted(Event, tag="key_value.deleted", frozen=True):
    """The key of this project has no value any more."""

    project_id: Uuid
    key: Name


KeyValueEvent = KeyValueSet | KeyValueDeleted
