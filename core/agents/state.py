"""An agent as its events leave it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from headwater.core.events import AgentLost, AgentRegistered, AgentStopped, AnyEvent


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
