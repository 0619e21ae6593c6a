"""The rules of an agent: it registers, and then it stops or is lost."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.core.agents.commands import AgentCommand, LoseAgent, RegisterAgent, StopAgent
from headwater.core.agents.state import Agent, AgentStatus, evolve
from headwater.core.errors import NotFound
from headwater.core.events import AgentLost, AgentRegistered, AgentStopped, AnyEvent
from headwater.core.rules import Rules
from headwater.core.values.labels import label_set
from headwater.core.values.names import valid_name


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
