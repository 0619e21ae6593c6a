"""Agents, as they can be read."""

from __future__ import annotations

from datetime import datetime

import strawberry

from headwater.core.queries import AgentRow


@strawberry.type(name="agent")
class AgentType:
    """An agent."""

    id: str
    name: str
    type: str
    labels: list[str]
    core_version: str
    status: str
    created: datetime
    last_queried: datetime | None = strawberry.field(description="when its last heartbeat came, if one came since the server started")
    held_runs: int

    @classmethod
    def of(cls, row: AgentRow, last_heard: datetime | None) -> AgentType:
        return cls(
            id=row.id,
            name=row.name,
            type=row.kind,
            labels=list(row.labels),
            core_version=row.version,
            status=row.status,
            created=row.created,
            last_queried=last_heard,
            held_runs=row.held_runs,
        )
