"""Register agents, and record their end."""

from __future__ import annotations

from headwater.core.agents import rules as agent_rules
from headwater.core.agents.commands import AgentCommand, LoseAgent, RegisterAgent, StopAgent
from headwater.core.agents.state import Agent
from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.log import subjects
from headwater.core.log.protocol import EventLog


def _agent(log: EventLog, agent_id: str) -> Aggregate[Agent, AgentCommand]:
    return Aggregate(log, subjects.agent(agent_id), agent_rules.RULES)


async def register_agent(log: EventLog, command: RegisterAgent, actor: Actor) -> CommandResult[Agent]:
    """Record that this agent took up work."""
    return await _agent(log, command.agent_id).execute(command, actor, refresh=False)


async def stop_agent(log: EventLog, agent_id: str, actor: Actor, *, reason: str = "") -> CommandResult[Agent]:
    """Record that the agent ended in order."""
    return await _agent(log, agent_id).execute(StopAgent(reason), actor)


async def lose_agent(log: EventLog, agent_id: str, actor: Actor, *, reason: str) -> CommandResult[Agent]:
    """Record that nothing is heard of the agent any more; nothing changes where it had stopped."""
    return await _agent(log, agent_id).execute(LoseAgent(reason), actor)
