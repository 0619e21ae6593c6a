"""Small values that runs leave for later runs: JSON under a key, kept on the log, one store for each project.

    from headwater.backend import get_key_value, set_key_value

    set_key_value("last_day", "2026-11-26")
    get_key_value("last_day")

In a run the keys are those of the run's project, elsewhere those of the project that `HEADWATER_PROJECT` names; `project` names another.
What was set is found by every `get_key_value` that begins afterwards, from wherever.
"""

from __future__ import annotations

import json
from typing import Any

from headwater.core.aggregates import Actor
from headwater.core.errors import InvalidArgument
from headwater.core.key_values.validation import valid_key, valid_value
from headwater.core.operations.project_lookup import find_project
from headwater.core.program.settings import PROJECT
from headwater.core.queries import KeyValueRow, ListKeyValues
from headwater.sdk.backend.connection import shared_client
from headwater.sdk.client.async_client import AsyncClient
from headwater.sdk.context.context import context


def set_key_value(key: str, value: Any, project: str | None = None) -> str:
    """Give a key a value, whatever it had before.

    Args:
        key: printable text of 1 to 255 characters.
        value: what JSON can say, of at most 10,000 characters as JSON (10 KB).
        project: the name of the project; see above.

    Returns:
        The id of the key in this project, always the same one.

    Raises:
        InvalidKeyValue: the key or the value cannot be stored; nothing was written. It is a ValueError.
        NotFound: there is no such project.
        InvalidArgument: there is no project that could be meant.

    """
    stored = valid_value(valid_key(key), _as_json(value))

    async def work(client: AsyncClient) -> str:
        change = await client.headwater.acting_as(_actor(client)).key_values.set(await _project_id(client, project), key, stored)
        client.note_position(change.position)
        return change.id

    return shared_client().call(work)


def get_key_value(key: str, project: str | None = None) -> Any:
    """Return the value of a key.

    Args:
        key: which.
        project: the name of the project; see above.

    Raises:
        KeyNotFound: the key has no value. It is a ValueError.
        NotFound: there is no such project.
        InvalidArgument: there is no project that could be meant, or no such key could be.

    """

    async def work(client: AsyncClient) -> Any:
        return await client.headwater.key_values.get(await _project_id(client, project), key)

    return shared_client().call(work)


def delete_key(key: str, project: str | None = None) -> bool:
    """Delete a key with its value.

    Args:
        key: which.
        project: the name of the project; see above.

    Returns:
        True; what cannot be deleted raises.

    Raises:
        KeyNotFound: the key has no value. It is a ValueError.
        NotFound: there is no such project.
        InvalidArgument: there is no project that could be meant, or no such key could be.

    """

    async def work(client: AsyncClient) -> bool:
        change = await client.headwater.acting_as(_actor(client)).key_values.delete(await _project_id(client, project), key)
        client.note_position(change.position)
        return change.changed

    return shared_client().call(work)


def list_keys(project: str | None = None) -> list[str]:
    """Return the keys that have a value, sorted. What this process set before is among them.

    Args:
        project: the name of the project; see above.

    Raises:
        NotFound: there is no such project.
        InvalidArgument: there is no project that could be meant.
        ViewsUnavailable, ViewsBehind: the views do not answer, or not in time.

    """

    async def work(client: AsyncClient) -> list[str]:
        project_id = await _project_id(client, project)
        found = await client.views.ask(ListKeyValues(project_id=project_id), KeyValueRow, at_least=client.position)
        return sorted(row.key for row in found)

    return shared_client().call(work)


def _as_json(value: Any) -> Any:
    """Return the value as JSON says it: subclasses of standard types, such as numbers of NumPy, become these.

    What JSON cannot say comes back as it is; the rules refuse it with the reason.
    """
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return value


def _actor(client: AsyncClient) -> Actor:
    """Return who sets a key: the attempt of the run, in one."""
    if context.get("running_with_backend"):
        return Actor(f"run:{context.flow_run_id}#{context.attempt}")
    return client.actor


async def _project_id(client: AsyncClient, project: str | None) -> str:
    if project is None and context.get("running_with_backend"):
        project_id: str = context.project_id
        return project_id
    name = project or PROJECT.value()
    if name is None:
        raise InvalidArgument(
            "Which project's keys are meant was not said, and this is not a run of a project.",
            hint="Give project='...', or set HEADWATER_PROJECT.",
        )
    return await find_project(client.log.events, name)
