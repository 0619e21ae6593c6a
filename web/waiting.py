"""Why a run waits, in words: whether it is due, and which agents could take it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from headwater.core.labels import takes
from headwater.core.queries import AgentRow, RunRow
from headwater.core.states import StateName

NEAR_SHOWN = 3


def why_waiting(run: RunRow, agents: Sequence[AgentRow], heard: Mapping[str, datetime | None], now: datetime) -> list[str]:
    """Return why the run is not running, most important first; nothing where it does not wait."""
    if run.state != StateName.SCHEDULED:
        return []
    reasons: list[str] = []
    if run.attempt:
        reasons.append(f"Attempt {run.attempt} was lost; the run waits for attempt {run.attempt + 1}.")
    if run.scheduled_start_time is not None and run.scheduled_start_time > now:
        return [*reasons, "It is not due yet."]
    matching = [agent for agent in agents if takes(agent.labels, run.labels)]
    if not matching:
        return [*reasons, *_nobody(run, agents)]
    names = _listed(agent.name for agent in matching)
    free = [agent for agent in matching if agent.limit is None or agent.held_runs < agent.limit]
    if not free:
        return [*reasons, f"Every agent that takes its labels is full: {names}."]
    silent = [agent for agent in free if heard.get(agent.id) is None]
    if len(silent) == len(free):
        return [*reasons, f"It is offered to {names}, but nothing has been heard of {'it' if len(free) == 1 else 'them'} lately."]
    return [*reasons, f"It is offered to {names}; one of them takes it when it can."]


def _nobody(run: RunRow, agents: Sequence[AgentRow]) -> Iterable[str]:
    wanted = f"labels {_listed(run.labels)}" if run.labels else "no labels"
    if not agents:
        yield "No agent is at work. Start one with “headwater agent local start”."
        return
    yield f"No agent at work takes runs with {wanted}."
    nearest = sorted(agents, key=lambda agent: (len(set(run.labels) - set(agent.labels)), agent.name))
    for agent in nearest[:NEAR_SHOWN]:
        missing = sorted(set(run.labels) - set(agent.labels))
        if missing:
            yield f"Agent {agent.name} lacks {_listed(missing)}."
        else:
            yield f"Agent {agent.name} has labels ({_listed(agent.labels)}) and so takes labelled runs only."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
