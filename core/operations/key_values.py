"""Set, get and delete the keys of a project. Read from the log itself: whoever sets a key finds it set, without the views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.core import subjects
from headwater.core.aggregates import Aggregate, Author
from headwater.core.commands import DeleteKeyValue, KeyValueCommand, SetKeyValue
from headwater.core.commit import Position
from headwater.core.errors import KeyNotFound
from headwater.core.identifiers import key_value_id, parsed_uuid
from headwater.core.log.protocol import EventLog
from headwater.core.operations.projects import existing_project
from headwater.core.rules import key_value as key_value_rules
from headwater.core.rules.key_value import KeyValue


@dataclass(frozen=True)
class KeyValueChange:
    """A key after a command. `changed` is false where it had this value already."""

    id: str
    key: str
    changed: bool
    position: Position


def key_value(log: EventLog, pair_id: str) -> Aggregate[KeyValue, KeyValueCommand]:
    return Aggregate(log, subjects.key_value(pair_id), key_value_rules.RULES)


async def set_key_value(log: EventLog, project_id: str, key: str, value: Any, author: Author) -> KeyValueChange:
    """Give the key of this project a value, whatever it had before.

    Raises:
        InvalidKeyValue: the key or the value cannot be stored; nothing was written.
        NotFound: there is no such project.

    """
    key_value_rules.valid_value(key_value_rules.valid_key(key), value)
    project = await existing_project(log, project_id)
    pair_id = key_value_id(project.project_id, key)
    outcome = await key_value(log, pair_id).execute(SetKeyValue(project.project_id, key, value), author)
    return KeyValueChange(pair_id, key, outcome.changed, outcome.position)


async def get_key_value(log: EventLog, project_id: str, key: str) -> Any:
    """Return the value of the key of this project.

    Raises:
        InvalidKeyValue: this cannot be a key.
        KeyNotFound: it has no value.
        NotFound: there is no such project.

    """
    project = await existing_project(log, project_id)
    found = await key_value(log, key_value_id(project.project_id, key_value_rules.valid_key(key))).refresh()
    if not found.exists:
        raise key_not_found(key, project.name)
    return found.value


async def delete_key_value(log: EventLog, project_id: str, key: str, author: Author) -> KeyValueChange:
    """Delete the key of this project. Its history stays.

    Raises:
        InvalidKeyValue: this cannot be a key.
        KeyNotFound: it has no value.
        NotFound: there is no such project.

    """
    project = await existing_project(log, project_id)
    pair_id = key_value_id(project.project_id, key_value_rules.valid_key(key))
    try:
        outcome = await key_value(log, pair_id).execute(DeleteKeyValue(key), author)
    except KeyNotFound:
        raise key_not_found(key, project.name) from None
    return KeyValueChange(pair_id, key, outcome.changed, outcome.position)


async def delete_key_value_by_id(log: EventLog, pair_id: str, author: Author) -> KeyValueChange:
    """Delete the key whose pair of key and value has this id.

    Raises:
        InvalidArgument: this is not an id.
        KeyNotFound: there is no such pair.
        NotFound: its project was deleted.

    """
    found = key_value(log, str(parsed_uuid(pair_id, kind="key value id")))
    state = await found.refresh()
    if state.exists:
        await existing_project(log, state.project_id)
    outcome = await found.execute(DeleteKeyValue(state.key or pair_id), author, refresh=False)
    return KeyValueChange(pair_id, state.key, outcome.changed, outcome.position)


def key_not_found(key: str, project_name: str) -> KeyNotFound:
    return KeyNotFound(key, project_name, hint="`headwater kv list` lists the keys of a project.")
