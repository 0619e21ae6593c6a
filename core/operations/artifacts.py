"""Create, update and delete artifacts of task runs, from wherever; in a run its own process records them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.core.aggregates import Actor, Aggregate
from headwater.core.errors import NotFound
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flows import registration, tasks_and_edges
from headwater.core.operations.runs import load_run
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


async def create_artifact(  # noqa: PLR0917 - as the event has them
    log: EventLog, run_id: str, slug: str, map_index: int, kind: str, data: dict[str, Any], actor: Actor
) -> ArtifactChange:
    """Give a task run an artifact.

    Raises:
        InvalidArtifact: it is of no known kind, or its data is not what this kind shows, or too large.
        InvalidArgument, NotFound: there is no such run, or no such task in it.
        IllegalTransition: the run was deleted.

    """
    artifact_rules.valid_data(kind, data)
    loaded = await load_run(log, run_id)
    created = loaded.state.created
    assert created is not None
    specs, _ = await tasks_and_edges(log, await registration(log, created.flow_id))
    command = CreateArtifact(actor.clock(), slug, map_index, new_id(), kind, data, tuple(spec.slug for spec in specs))
    outcome = await loaded.execute(command, actor, refresh=False)
    return ArtifactChange(artifact_address(created.run_id, command.artifact_id), outcome.position)


async def update_artifact(log: EventLog, address: str, data: dict[str, Any], actor: Actor) -> ArtifactChange:
    """Let an artifact show something else; it stays of its kind.

    Raises:
        InvalidArtifact: the data is not what this kind shows, or too large.
        InvalidArgument, NotFound: there is no such artifact.
        IllegalTransition: the run was deleted.

    """
    loaded, artifact_id = await _of(log, address)
    outcome = await loaded.execute(UpdateArtifact(actor.clock(), artifact_id, data), actor, refresh=False)
    return ArtifactChange(address, outcome.position)


async def delete_artifact(log: EventLog, address: str, actor: Actor) -> ArtifactChange:
    """Take an artifact off its task run. Its history stays.

    Raises:
        InvalidArgument, NotFound: there is no such artifact.
        IllegalTransition: the run was deleted.

    """
    loaded, artifact_id = await _of(log, address)
    outcome = await loaded.execute(DeleteArtifact(actor.clock(), artifact_id), actor, refresh=False)
    return ArtifactChange(address, outcome.position)


async def _of(log: EventLog, address: str) -> tuple[Aggregate[Run, RunCommand], str]:
    run_id, artifact_id = split_artifact_address(address)
    loaded = await load_run(log, run_id)
    if artifact_id not in loaded.state.artifacts:
        raise NotFound("artifact", address)
    return loaded, artifact_id
