"""The page of agents: which are online, which are silent, and what each holds."""

from __future__ import annotations

from headwater.core.program.concurrency import gather
from headwater.core.queries import ListRuns, RunRow
from headwater.core.states import StateName
from headwater.web.pages.page import Page, Params, Sources

ENDED_SHOWN = 20
HELD_SHOWN = 300
_HELD = (StateName.SUBMITTED, StateName.RUNNING, StateName.CANCELLING)


async def agents_page(sources: Sources, _: Params, query: Params) -> Page:
    """Show agents with their labels, their health and their runs; those that ended below."""
    working, held, everyone = await gather(
        sources.views.agents(status="working", limit=None),
        sources.views.ask(ListRuns(states=_HELD, brief=True, limit=HELD_SHOWN), RunRow),
        sources.views.agents(limit=100),
    )
    label = query.get("label", "")
    shown = [agent for agent in working if not label or label in agent.labels]
    lively = sources.heartbeats.lively(agent.id for agent in working)
    holds: dict[str, list[RunRow]] = {}
    for run in held:
        if run.agent_id is not None:
            holds.setdefault(run.agent_id, []).append(run)
    context = {
        "agents": sorted(shown, key=lambda agent: (lively[agent.id] is not None, agent.name)),
        "ended": [agent for agent in everyone if agent.status != "working"][:ENDED_SHOWN],
        "holds": holds,
        "lively": lively,
        "warnings": {
            agent.id: heard.warnings for agent in working if (heard := sources.heartbeats.last_heard(agent.id)) and lively[agent.id]
        },
        "query": query,
        "labels": sorted({found for agent in working for found in agent.labels}),
    }
    silence = sources.heartbeats.next_silence(agent.id for agent in working)
    return Page(template="agents.html", title="Agents", context=context, changes_at=silence)
