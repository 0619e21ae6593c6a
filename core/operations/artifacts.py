"""Create, update and delete artifacts of task runs, from wherever; in a run its own process records them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.core.aggregates import Actor, Aggregate
from headwater.core.errors import NotFound
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flow_lookup import registration, tasks_and_edges
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs import artifact as artifact_rules
from headwater.core.runs.artifact_commands import CreateArtifact, DeleteArtifact, UpdateArtifact
from headwater.core.runs.commands import RunCommand
from headwater.core.runs.state import Run
from headwater.core.values.identifiers import artifact_address, new_id, split_artifact_address


@dataclass(frozen=True)
class ArtifactChange:
    """An artifact after a command. `id` is that of its run and its own."""

    id: str
    position: Position


class Artifacts:
    """The artifacts of task runs, as one actor creates and changes them."""

    def __init__(self, log: EventLog, actor: Actor) -> None:
        self._log = log
        self._actor = actor

    async def create(self, run_id: str, slug: str, map_index: int, kind: str, data: dict[str, Any]) -> ArtifactChange:
        """Give a task run an artifact.

        Raises:
            InvalidArtifact: it is of no known kind, or its data is not what this kind shows, or too large.
            InvalidArgument, NotFound: there is no such run, or no such task in it.
            IllegalTransition: the run was deleted.

        """
        artifact_rules.valid_data(kind, data)
        loaded = await load_run(self._log, run_id)
        created = loaded.state.created
        specs, _ = await tasks_and_edges(self._log, await registration(self._log, created.flow_id))
        command = CreateArtifact(self._actor.clock(), slug, map_index, new_id(), kind, data, tuple(spec.slug for spec in specs))
        outcome = await loaded.execute(command, self._actor, refresh=False)
        return ArtifactChange(artifact_address(created.run_id, command.artifact_id), outcome.position)

    async def update(self, address: str, data: dict[str, Any]) -> ArtifactChange:
        """Let an artifact show something else; it stays of its kind.

        Raises:
            InvalidArtifact: the data is not what this kind shows, or too large.
            InvalidArgument, NotFound: there is no such artifact.
            IllegalTransition: the run was deleted.

        """
        loaded, artifact_id = await self._of(address)
        outcome = await loaded.execute(UpdateArtifact(self._actor.clock(), artifact_id, data), self._actor, refresh=False)
        return ArtifactChange(address, outcome.position)

    async def delete(self, address: str) -> ArtifactChange:
        """Take an artifact off its task run. Its history stays.

        Raises:
            InvalidArgument, NotFound: there is no such artifact.
            IllegalTransition: the run was deleted.

        """
        loaded, artifact_id = await self._of(address)
        outcome = await loaded.execute(DeleteArtifact(self._actor.clock(), artifact_id), self._actor, refresh=False)
        return ArtifactChange(address, outcome.position)

    async def _of(self, address: str) -> tuple[Aggregate[Run, RunCommand], str]:
        run_id, artifact_id = split_artifact_address(address)
        loaded = await load_run(self._log, run_id)
        if artifact_id not in loaded.state.artifacts:
            raise NotFound("artifact", address)
        return loaded, artifact_id
