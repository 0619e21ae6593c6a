"""What is the case around a run, gathered for `explain`: agents and whether they answer, slots, and the broker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice

import anyio

from headwater.audit.explain import explain
from headwater.audit.explanation import Explanation, RunContext
from headwater.core.errors import ViewsError
from headwater.core.log.health import ask_health
from headwater.core.log.heartbeats import HolderProbe, HolderReply
from headwater.core.log.protocol import Log
from headwater.core.operations.holder_probes import probe_agent
from headwater.core.operations.queues import queue
from headwater.core.operations.run_lookup import load_run, run_in_the_way
from headwater.core.operations.slots import slots
from headwater.core.queries import AgentRow
from headwater.core.queries.requests import ListRuns
from headwater.core.queries.views_client import ViewsClient
from headwater.core.runs.state import Run
from headwater.core.values.labels import agent_accepts

ANSWER_SECONDS = 1.0
ASKED_MAX = 20


async def explain_run(
    log: Log,
    run_id: str,
    *,
    now: datetime | None = None,
    format_time: Callable[[datetime], str] = datetime.isoformat,
    is_heard: Callable[[str], bool] = lambda _: False,
    views: ViewsClient | None = None,
) -> Explanation:
    """Return why the run is as it is. The views need not answer: then it says so where they matter.

    `is_heard` tells of agents, by their ids, that live for sure: those are not asked whether they do.

    Raises:
        InvalidArgument, NotFound: there is no such run.
        LogError: the log could not be read.

    """
    run = await load_run(log.events, run_id)
    health = None if run.state.ended else await ask_health(log)
    if health is not None and health.log.problem is not None:
        around = RunContext(log_problem=health.log.problem)
    else:
        around = await gather_run_context(log, run.state, views or ViewsClient(log), is_heard=is_heard)
    history = await log.events.read(run.subject)
    return explain(history, around, now or datetime.now(UTC), format_time=format_time)


async def gather_run_context(log: Log, run: Run, views: ViewsClient, *, is_heard: Callable[[str], bool] = lambda _: False) -> RunContext:
    """Gather what matters for a run in this state."""
    if not run.exists or run.ended:
        return RunContext()
    created = run.created
    if run.held:
        answer = await probe_agent(log, run.agent_id, HolderProbe(created.run_id, run.attempt), timeout_seconds=ANSWER_SECONDS)
        return RunContext(holds=None if answer is None else answer.holds, lease_seconds=None if answer is None else answer.lease_seconds)
    try:
        agents: list[AgentRow] | None = await views.agents(status="working", limit=None)
    except ViewsError:
        agents = None
    limit = (await queue(log.events, created.queue_id).refresh()).limit
    found = await slots(log.events, created.flow_group_id).refresh()
    answering, troubles = await _answering(
        log, [agent.id for agent in agents or () if agent_accepts(agent.labels, created.labels)], is_heard
    )
    earlier = await run_in_the_way(log.events, run)
    return RunContext(
        earlier_run=None if earlier is None else (earlier, (await load_run(log.events, earlier)).state.name),
        agents=agents,
        answering=answering,
        troubles=troubles,
        slots=found,
        slot_names={each: (await load_run(log.events, each)).state.name for each in found.attempts},
        waits_in_broker=await log.queues.is_waiting(created.run_id, generation=run.generation),
        queue_limit=limit,
        queue_runs=await _held_in_queue(views, created.queue_id) if limit is not None else (),
    )


async def _held_in_queue(views: ViewsClient, queue_id: str) -> list[str]:
    """Return the names of the queue's runs that are executed now; nothing where the views do not answer."""
    try:
        runs = await views.runs(ListRuns(states=("Submitted", "Running", "Cancelling"), limit=None))
    except ViewsError:
        return []
    return [row.name for row in runs if row.queue_id == queue_id]


async def _answering(log: Log, agent_ids: list[str], is_heard: Callable[[str], bool]) -> tuple[frozenset[str], dict[str, str]]:
    """Return those of the agents that answer, and what those say that cannot start processes.

    Of very many, those that were not asked count as answering. Those that were heard are asked last, and need not answer.
    """
    unheard = [agent_id for agent_id in agent_ids if not is_heard(agent_id)]
    heard = [agent_id for agent_id in agent_ids if agent_id not in {*unheard}]
    answers = await ask_agents(log, [*unheard, *heard])
    answered = {*agent_ids} - {*unheard[:ASKED_MAX]} | answers.keys()
    return frozenset(answered), {agent_id: said.trouble for agent_id, said in answers.items() if said.trouble}


async def ask_agents(log: Log, agent_ids: Iterable[str]) -> dict[str, HolderReply]:
    """Ask agents how they are, all at once and at most so many; return what those said that answered in a second."""
    answers: dict[str, HolderReply] = {}

    async def ask(agent_id: str) -> None:
        if (said := await probe_agent(log, agent_id, timeout_seconds=ANSWER_SECONDS)) is not None:
            answers[agent_id] = said

    async with anyio.create_task_group() as group:
        for agent_id in islice(agent_ids, ASKED_MAX):
            group.start_soon(ask, agent_id)
    return answers
