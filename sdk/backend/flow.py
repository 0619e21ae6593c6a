"""A registered flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import msgspec

from headwater.core.errors import Ambiguous, NotFound
from headwater.core.queries.rows import FlowRow
from headwater.sdk.backend.connection import shared_client
from headwater.sdk.client import Client


@dataclass(frozen=True)
class FlowView:
    """A version of a flow, as the views show it.

    Raises (all constructors):
        NotFound: there is no such flow.
        ViewsUnavailable: no server answers.

    """

    flow_id: str
    flow_group_id: str
    name: str
    version: int
    project_name: str
    archived: bool
    created: datetime
    parameters: tuple[Mapping[str, Any], ...]
    flow_labels: tuple[str, ...]
    run_config: Mapping[str, Any]
    storage: Mapping[str, Any]
    schedule: Mapping[str, Any] | None
    settings: Mapping[str, Any]
    core_version: str

    @classmethod
    def from_id(cls, flow_id: str, *, client: Client | None = None) -> Self:
        """Return the version of this id, or of a flow group's id the newest version that takes runs."""
        connected = client or shared_client()
        return cls._of(connected.call(lambda c: c.views.flow(flow_id, at_least=c.position)))

    @classmethod
    def from_flow_id(cls, flow_id: str, *, client: Client | None = None) -> Self:
        """As `from_id`, given a version's id."""
        return cls.from_id(flow_id, client=client)

    @classmethod
    def from_flow_group_id(cls, flow_group_id: str, *, client: Client | None = None) -> Self:
        """As `from_id`, given a flow group's id."""
        return cls.from_id(flow_group_id, client=client)

    @classmethod
    def from_flow_name(cls, flow_name: str, project_name: str = "", last_updated: bool = False, *, client: Client | None = None) -> Self:
        """Return the newest version of the flow of this name.

        Raises:
            Ambiguous: several projects have such a flow, no project was named, and the one that was registered last was not asked for.

        """
        connected = client or shared_client()
        found = connected.get_flows(flow_name, project_name or None)
        if not found:
            within = f" in project {project_name!r}" if project_name else ""
            raise NotFound("flow", flow_name, hint=f"No flow of this name takes runs{within}; `headwater get flows` lists flows.")
        if len(found) > 1 and not last_updated:
            projects = ", ".join(sorted(repr(row.project_name) for row in found))
            raise Ambiguous(f"Several projects have a flow {flow_name!r}: {projects}.", hint="Name the project: project_name=...")
        return cls._of(max(found, key=lambda row: row.created))

    @classmethod
    def _of(cls, row: FlowRow) -> Self:
        return cls(
            flow_id=row.id,
            flow_group_id=row.flow_group_id,
            name=row.name,
            version=row.version,
            project_name=row.project_name,
            archived=row.archived,
            created=row.created,
            parameters=tuple(msgspec.to_builtins(row.parameters)),
            flow_labels=row.labels,
            run_config=row.run_config,
            storage=msgspec.to_builtins(row.storage),
            schedule=row.schedule,
            settings={"serialized_hash": row.serialized_hash, "idempotency_key": row.idempotency_key},
            core_version=str(row.environment.get("headwater_version", "")),
        )
