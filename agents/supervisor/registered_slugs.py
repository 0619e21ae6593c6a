"""The tasks of the flow version that a run belongs to, as they were registered."""

from __future__ import annotations

from headwater.core.events import RunCreated
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flow_lookup import flow_group, tasks_and_edges
from headwater.core.values.identifiers import split_flow_id


async def registered_slugs(log: EventLog, created: RunCreated) -> list[str] | None:
    """Return the slugs of the tasks that were registered; None where the log holds no such version any more."""
    group_id, version = split_flow_id(created.flow_id)
    registered = (await flow_group(log, group_id).refresh()).versions.get(version)
    if registered is None:
        return None
    tasks, _ = await tasks_and_edges(log, registered)
    return [task.slug for task in tasks]
