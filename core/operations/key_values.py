"""Set, get and delete the keys of a project. They are read from the log itself, so a value that was set is found at once."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import anyio

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.errors import Conflict, KeyNotFound
from headwater.core.hints import ListKeysAction, hint
from headwater.core.key_values import rules as key_value_rules
from headwater.core.key_values.commands import DeleteKeyValue, KeyValueCommand, SetKeyValue
from headwater.core.key_values.state import KeyValue
from headwater.core.key_values.validation import valid_key, valid_value
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.operations.project_lookup import existing_project
from headwater.core.values.identifiers import key_value_id, parsed_uuid

TRIES_MAX = 200
FIRST_PAUSE_SECONDS = 0.01
PAUSE_SECONDS_MAX = 1.0


@dataclass(frozen=True)
class KeyValueChange:
    """A key after a command. `changed` is false where it had this value already."""

    id: str
    key: str
    changed: bool
    position: Position


def key_value(log: EventLog, pair_id: str) -> Aggregate[KeyValue, KeyValueCommand]:
    return Aggregate(log, subjects.key_value(pair_id), key_value_rules.RULES)


class KeyValues:
    """The keys of projects, as one actor sets and deletes them."""

    def __init__(self, log: EventLog, actor: Actor) -> None:
        self._log = log
        self._actor = actor

    async def set(self, project_id: str, key: str, value: Any) -> KeyValueChange:
        """Give the key of this project a value, whatever it had before.

        Raises:
            InvalidKeyValue: the key or the value cannot be stored; nothing was written.
            NotFound: there is no such project.

        """
        valid_value(valid_key(key), value)
        project = await existing_project(self._log, project_id)
        pair_id = key_value_id(project.project_id, key)
        outcome = await self._executed(pair_id, SetKeyValue(project.project_id, key, value))
        return KeyValueChange(pair_id, key, outcome.changed, outcome.position)

    async def get(self, project_id: str, key: str) -> Any:
        """Return the value of the key of this project.

        Raises:
            InvalidKeyValue: this cannot be a key.
            KeyNotFound: it has no value.
            NotFound: there is no such project.

        """
        project = await existing_project(self._log, project_id)
        found = await key_value(self._log, key_value_id(project.project_id, valid_key(key))).refresh()
        if not found.exists:
            raise key_not_found(key, project.name)
        return found.value

    async def delete(self, project_id: str, key: str) -> KeyValueChange:
        """Delete the key of this project. Its history stays.

        Raises:
            InvalidKeyValue: this cannot be a key.
            KeyNotFound: it has no value.
            NotFound: there is no such project.

        """
        project = await existing_project(self._log, project_id)
        pair_id = key_value_id(project.project_id, valid_key(key))
        try:
            outcome = await self._executed(pair_id, DeleteKeyValue(key))
        except KeyNotFound:
            raise key_not_found(key, project.name) from None
        return KeyValueChange(pair_id, key, outcome.changed, outcome.position)

    async def delete_by_id(self, pair_id: str) -> KeyValueChange:
        """Delete the key whose pair of key and value has this id.

        Raises:
            InvalidArgument: this is not an id.
            KeyNotFound: there is no such pair.
            NotFound: its project was deleted.

        """
        pair_id = str(parsed_uuid(pair_id, kind="key value id"))
        state = await key_value(self._log, pair_id).refresh()
        if state.exists:
            await existing_project(self._log, state.project_id)
        outcome = await self._executed(pair_id, DeleteKeyValue(state.key or pair_id))
        return KeyValueChange(pair_id, state.key, outcome.changed, outcome.position)

    async def _executed(self, pair_id: str, command: KeyValueCommand) -> CommandResult[KeyValue]:
        """Execute the command, however many writers want the same key: hundreds of tasks may set it in the same moment.

        A writer that lost a race waits for a random while, longer each time, so that fewer compete.
        """
        pause = FIRST_PAUSE_SECONDS
        for _ in range(TRIES_MAX):
            pair = key_value(self._log, pair_id)
            await pair.refresh()
            try:
                return await pair.execute(command, self._actor, refresh=False, expected_position=pair.position)
            except Conflict as conflict:
                last = conflict
            await anyio.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
            pause = min(2 * pause, PAUSE_SECONDS_MAX)
        raise last


def key_not_found(key: str, project_name: str) -> KeyNotFound:
    return KeyNotFound(key, project_name, hint=hint("{} lists the keys of a project.", ListKeysAction()))
