"""Which agents would take a run with given labels, in words for the user who creates one."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from headwater.command_lines import start_agent_command
from headwater.core.errors import ViewsError
from headwater.core.values.labels import agent_accepts

if TYPE_CHECKING:
    from headwater.core.queries.rows import AgentRow
    from headwater.sdk.client.async_client import AsyncClient


async def no_agent_words(client: AsyncClient, labels: Sequence[str]) -> str | None:
    """Return a warning where no online agent takes runs with these labels; None where one does, or where it cannot be determined."""
    try:
        agents = await client.views.agents(status="working", limit=None, at_least=client.position)
    except ViewsError:
        return None
    if any(agent_accepts(agent.labels, labels) for agent in agents):
        return None
    return why_not_taken(labels, agents)


def why_not_taken(labels: Sequence[str], agents: Sequence[AgentRow]) -> str:
    """Return in words which agents match the labels, or come near, and what to do."""
    matching = [agent for agent in agents if agent_accepts(agent.labels, labels)]
    if matching:
        held = sum(agent.held_runs for agent in matching)
        verbs = ("takes", "holds") if len(matching) == 1 else ("take", "hold")
        return f"{_named(matching)} {verbs[0]} runs with labels {_listed(labels)}, and {verbs[1]} {held} now."
    if not agents:
        return f"No agent is online. Start one with {_start(labels)}."
    nearest = min(agents, key=lambda agent: len(set(agent.labels) ^ set(labels)))
    missing = sorted(set(labels) - set(nearest.labels))
    near = (
        f"the nearest, {nearest.name!r}, lacks {_listed(missing)}"
        if missing
        else f"{nearest.name!r} has labels, and takes labelled runs only"
    )
    return f"No online agent takes runs with labels {_listed(labels)}: {near}. Start one with {_start(labels)}."


def _named(agents: Sequence[AgentRow]) -> str:
    names = ", ".join(repr(agent.name) for agent in agents[:3])
    more = f" and {len(agents) - 3} more" if len(agents) > 3 else ""  # noqa: PLR2004 - as many as fit into a line
    return f"Agent{'' if len(agents) == 1 else 's'} {names}{more}"


def _listed(labels: Iterable[str]) -> str:
    return str(sorted(labels))


def _start(labels: Iterable[str]) -> str:
    return f"`{start_agent_command(labels, here=socket.gethostname())}`"
