"""From a run in the log to its flow in this process, checked to be the one that was registered."""

from __future__ import annotations

import msgspec

from headwater.core.events import RunCreated, StorageReference
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flow_lookup import flow_group, tasks_and_edges
from headwater.core.values.identifiers import split_flow_id


def is_sealed(storage: StorageReference) -> bool:
    """Tell whether the stored code is checked byte for byte, so that its tasks need not be compared with those registered."""
    return storage.sha256 is not None and not storage.stored_as_script


async def registered_slugs(log: EventLog, created: RunCreated) -> list[str] | None:
    """Return the slugs of the tasks that were registered; None where the log holds no such version any more."""
    group_id, version = split_flow_id(created.flow_id)
    registered = (await flow_group(log, group_id).refresh()).versions.get(version)
    if registered is None:
        return None
    tasks, _ = await tasks_and_edges(log, registered)
    return [task.slug for task in tasks]


def reference_of(storage: StorageReference) -> dict[str, object]:
    """Return the reference as storage wants it."""
    return msgspec.to_builtins(storage)  # type: ignore[no-any-return]
