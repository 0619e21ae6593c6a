"""Flows and projects as those who create runs look them up: again and again, and each time only what is new."""

from __future__ import annotations

from typing import Generic

import anyio

from headwater.core.aggregates import Aggregate
from headwater.core.errors import NotFound
from headwater.core.events import FlowRegistered
from headwater.core.flows.commands import FlowCommand
from headwater.core.flows.state import FlowGroup
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flow_lookup import active_version, flow_group
from headwater.core.operations.project_lookup import project
from headwater.core.program.concurrency import gather
from headwater.core.projects.commands import ProjectCommand
from headwater.core.projects.state import Project
from headwater.core.rules import Command, State
from headwater.core.values.identifiers import split_flow_id


class _Shared(Generic[State, Command]):
    """An aggregate that many look up at the same time: one read serves all who asked before it began."""

    def __init__(self, aggregate: Aggregate[State, Command]) -> None:
        self._aggregate = aggregate
        self._turn = anyio.Lock()
        self._begun = self._done = 0

    @property
    def state(self) -> State:
        """As the last look left it."""
        return self._aggregate.state

    @property
    def is_known(self) -> bool:
        """Whether the log had anything of it."""
        return bool(self._aggregate.position)

    async def refresh(self) -> State:
        """Return the state as the log has it now, or had it later than this was called."""
        wanted = self._begun + 1
        async with self._turn:
            if self._done < wanted:
                self._begun += 1
                begun = self._begun
                await self._aggregate.refresh()
                self._done = begun
        return self._aggregate.state


class FlowCatalogue:
    """Flow groups and projects as their events leave them, kept between look-ups so that each reads only what is new; and open queues."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._groups: dict[str, _Shared[FlowGroup, FlowCommand]] = {}
        self._projects: dict[str, _Shared[Project, ProjectCommand]] = {}
        self.open_queues: set[str] = set()
        """Queues that are sure to be known to all agents."""

    async def version(self, flow_id: str) -> FlowRegistered:
        """Return the registration under this id (a version's, or a group's: then the newest that takes runs).

        Raises:
            InvalidArgument: this is not the id of a flow.
            NotFound, FlowArchived: as `active_version`.

        """
        group_id, version = split_flow_id(flow_id)
        return active_version(await self._group(group_id).refresh(), version, flow_id)

    async def group(self, group_id: str) -> FlowGroup:
        """Return the flow over its versions, with its settings; one that `version` looked at is not read again."""
        group = self._group(group_id)
        return group.state if group.is_known else await group.refresh()

    async def project_name(self, project_id: str) -> str:
        """Return the name of the project, also where that was deleted."""
        return (await self._project(project_id).refresh()).name or project_id

    async def resolve_active(self, flow_id: str) -> tuple[FlowRegistered, FlowGroup, str]:
        """Return the registration as `version` does, with its flow's settings and the name of its project.

        Raises:
            InvalidArgument, NotFound, FlowArchived: as `version`; NotFound also where the project was deleted.

        """
        group_id, number = split_flow_id(flow_id)
        group = self._group(group_id)
        if group.state.project_id:  # seen before: both are read at the same time
            await gather(group.refresh(), self._project(group.state.project_id).refresh())
            version = active_version(group.state, number, flow_id)
        else:
            version = active_version(await group.refresh(), number, flow_id)
            await self._project(version.project_id).refresh()
        found = self._project(version.project_id).state
        if not found.exists:
            raise NotFound("project", found.name or version.project_id, hint="It was deleted.")
        return version, group.state, found.name

    def _group(self, group_id: str) -> _Shared[FlowGroup, FlowCommand]:
        if group_id not in self._groups:
            self._groups[group_id] = _Shared(flow_group(self._log, group_id))
        return self._groups[group_id]

    def _project(self, project_id: str) -> _Shared[Project, ProjectCommand]:
        if project_id not in self._projects:
            self._projects[project_id] = _Shared(project(self._log, project_id))
        return self._projects[project_id]
