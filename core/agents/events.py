"""What can have happened to an agent. Its presence is a heartbeat, not an event; its loss is an event."""

from __future__ import annotations

from headwater.core.event import Event
from headwater.core.values.limits import Int32, Int64, Token


class AgentRegistered(Event, tag="agent.registered", frozen=True):
    """An agent process took up work. Each start of an agent is an agent of its own, with its own id."""

    agent_id: Token
    name: str
    kind: str
    labels: tuple[str, ...] = ()
    hostname: str = ""
    pid: Int64 = 0
    version: str = ""
    limit: Int32 | None = None


class AgentStopped(Event, tag="agent.stopped", frozen=True):
    """The agent ended in order."""

    reason: str = ""


class AgentLost(Event, tag="agent.lost", frozen=True):
    """The agent sent no heartbeat for longer than its lease."""

    reason: str = ""


AgentEvent = AgentRegistered | AgentStopped | AgentLost
