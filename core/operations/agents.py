"""Register agents, and record their end."""

from __future__ import annotations

from headwater.core.agents import rules as agent_rules
from headwater.core.agents.commands import AgentCommand, LoseAgent, RegisterAgent, StopAgent
from headwater.core.agents.state import Agent
from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.log import subjects
from headwater.core.log.protocol import EventLog


class Agents:
    """The agents of one log, as one actor records what becomes of them."""

    def __init__(self, log: EventLog, actor: Actor) -> None:
        self._log = log
        self._actor = actor

    async def register(self, command: RegisterAgent) -> CommandResult[Agent]:
        """Record that this agent is online."""
        return await self._aggregate(command.agent_id).execute(command, self._actor, refresh=False)

    async def stop(self, agent_id: str, *, reason: str = "") -> CommandResult[Agent]:
        """Record that the agent ended in order.

        Raises:
            NotFound: no such agent was registered.

        """
        return await self._aggregate(agent_id).execute(StopAgent(reason), self._actor)

    async def mark_lost(self, agent_id: str, *, reason: str) -> CommandResult[Agent]:
        """Record that the agent sends no heartbeats any more; nothing changes where it had stopped.

        Raises:
            NotFound: no such agent was registered.

        """
        return await self._aggregate(agent_id).execute(LoseAgent(reason), self._actor)

    def _aggregate(self, agent_id: str) -> Aggregate[Agent, AgentCommand]:
        return Aggregate(self._log, subjects.agent(agent_id), agent_rules.RULES)
