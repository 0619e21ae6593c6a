"""The rules of an agent: it registers, and then it stops or is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from headwater.core.commands import AgentCommand, LoseAgent, RegisterAgent, StopAgent
from headwater.core.errors import NotFound
from headwater.core.events import AgentLost, AgentRegistered, AgentStopped, AnyEvent
from headwater.core.labels import label_set
from headwater.core.names import valid_name
from headwater.core.rules.aggregate import Rules


class AgentStatus(StrEnum):
    """Where an agent is in its life."""

    UNKNOWN = "unknown"
    ONLINE = "working"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True)
class Agent:
    """An agent as its events leave it."""

    agent_id: str = ""
    name: str = ""
    labels: tuple[str, ...] = ()
    status: AgentStatus = AgentStatus.UNKNOWN


def evolve(agent: Agent, event: AnyEvent) -> Agent:
    match event:
        case AgentRegistered():
            return Agent(event.agent_id, event.name, event.labels, AgentStatus.ONLINE)
        case AgentStopped():
            return dataclasses.replace(agent, status=AgentStatus.STOPPED)
        case AgentLost():
            return dataclasses.replace(agent, status=AgentStatus.LOST)
        case _:
            return agent


def decide(agent: Agent, command: AgentCommand) -> Sequence[AnyEvent]:
    if isinstance(command, RegisterAgent):
        if agent.status is AgentStatus.ONLINE:
            return []
        name = valid_name(command.name, kind="agent")
        return [
            AgentRegistered(
                command.agent_id,
                name,
                command.kind,
                label_set(command.labels),
                command.hostname,
                command.pid,
                command.version,
                command.limit,
            )
        ]
    if agent.status is AgentStatus.UNKNOWN:
        raise NotFound("agent", agent.agent_id)
    match command:
        case StopAgent():
            return [] if agent.status is AgentStatus.STOPPED else [AgentStopped(command.reason)]
        case LoseAgent():
            return [AgentLost(command.reason)] if agent.status is AgentStatus.ONLINE else []


RULES = Rules(Agent(), evolve, decide)
