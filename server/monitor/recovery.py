"""What the run monitor does about what it finds. Each step reads the log again and appends conditionally: two monitors may race."""

from __future__ import annotations

import logging
from collections import Counter

from headwater.core.agents.commands import RegisterAgent
from headwater.core.agents.state import AgentStatus
from headwater.core.aggregates import Actor
from headwater.core.events import AgentRegistered
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.holder_notices import notify_holder
from headwater.core.operations.holder_probes import probe_agent
from headwater.core.operations.run_lookup import load_run, run_in_the_way
from headwater.core.runs.commands import MarkAttemptLost
from headwater.core.runs.run_head import RunHead
from headwater.server.monitor.run_index import IndexedAgent

ANSWER_SECONDS = 0.4
"""How long an agent that was not heard of may take to answer when it is asked."""

_log = logging.getLogger(__name__)


class Recovery:
    """What can be done, on one log. Every method may be repeated; all raise LogError where the log is away."""

    def __init__(self, log: Log, actor: Actor) -> None:
        self._log = log
        self._actor = actor
        self._headwater = Headwater(log, actor)

    async def answers(self, agent_id: str) -> bool:
        """Tell whether the agent answers. Silence counts only if the log itself answers right before."""
        await self._log.events.tail()
        return await probe_agent(self._log, agent_id, timeout_seconds=ANSWER_SECONDS) is not None

    async def mark_lost(self, agent: IndexedAgent, held: list[RunHead], *, silent_seconds: float) -> None:
        """Record that the agent is gone, and that its attempts are."""
        name = agent.registered.name if agent.registered is not None else agent.agent_id
        if agent.status is AgentStatus.STOPPED:
            reason = f"agent {name!r} stopped without it"
        else:
            reason = f"agent {name!r} sent no heartbeat for {silent_seconds:.0f} s"
            if agent.status is AgentStatus.ONLINE:
                said = f"It sent no heartbeat for {silent_seconds:.0f} s."
                await self._headwater.agents.mark_lost(agent.agent_id, reason=said)
                _log.warning("Agent %r (%s) was lost. %s", name, agent.agent_id, said)
        for run in held:
            await self._lose_attempt(run.created.run_id, agent.agent_id, reason)

    async def _lose_attempt(self, run_id: str, agent_id: str, reason: str) -> None:
        run = await load_run(self._log.events, run_id)
        if not run.state.held or run.state.agent_id != agent_id:
            return
        attempt, before = run.state.attempt, run.state
        outcome = await run.execute(MarkAttemptLost(attempt, reason, self._actor.clock()), self._actor, refresh=False)
        await notify_holder(self._log, before)
        if outcome.state.ended:
            await self._log.queues.cancel_timer(run_id)
        _log.warning("Run %r (%s): attempt %d was lost: %s. It is %s now.", run.state.name, run_id, attempt, reason, outcome.state.state)
        await self._headwater.slots.free(run.state.created.flow_group_id, run_id, attempt)

    async def mark_recovered(self, registered: AgentRegistered) -> None:
        """Record that an agent that was lost is online again."""
        fields = {name: getattr(registered, name) for name in registered.__struct_fields__}
        await self._headwater.agents.register(RegisterAgent(**fields))

    async def read(self, run_id: str) -> tuple[RunHead | None, Position]:
        """Return the run as the log has it, and up to where; None where it has ended."""
        loaded = await load_run(self._log.events, run_id)
        return None if loaded.state.ended else loaded.state.head, loaded.position

    async def enqueue(self, run_id: str) -> None:
        """Give the run the wake-up it needs, if it waits and has none."""
        state = (await load_run(self._log.events, run_id)).state
        if state.queued_after is not None:
            await self.release(state.head)
            return
        if not state.waits or await self._log.queues.is_waiting(run_id, generation=state.generation):
            return
        _log.info("Run %r (%s) waited, and nothing would have woken it: it does now.", state.name, run_id)
        await self._headwater.runs.schedule_wake_up(state)

    async def release(self, run: RunHead) -> None:
        """Wake the run that its schedule made to wait for another one, if none that was before it goes on."""
        waiting = await self._log.queues.is_waiting(run.created.run_id, generation=run.generation)
        if not waiting and await run_in_the_way(self._log.events, run) is None:
            await self._headwater.runs.schedule_wake_up((await load_run(self._log.events, run.created.run_id)).state, released=True)

    async def reconcile_slots(self, group_id: str, unfinished: list[RunHead]) -> bool:
        """Free slots of runs that do not run, count runs that run without one, and wake runs for those that are free.

        Returns whether runs wait although slots are free.
        """
        found = self._headwater.slots.of(group_id)
        state = await found.refresh()
        if state.limit is None:
            for run in unfinished:
                if run.waits:
                    await self.enqueue(run.created.run_id)
            return False
        for run_id, attempt in state.attempts.items():
            if await self._is_over(run_id, attempt):
                await self._headwater.slots.free(group_id, run_id, attempt)
        for run in unfinished:
            run_id = run.created.run_id
            if run.held and run_id not in state.attempts and await self._is_executed(run_id, run.attempt):
                await self._headwater.slots.take(group_id, run_id, run.attempt, running=True)
        return await self._wake_for_slots((await found.refresh()).free or 0, unfinished)

    async def _is_over(self, run_id: str, attempt: int) -> bool:
        """Tell whether the attempt that has the slot is over. One that is yet to be claimed is not."""
        state = (await load_run(self._log.events, run_id)).state
        return state.ended or state.attempt > attempt or (state.attempt == attempt and not state.held)

    async def _is_executed(self, run_id: str, attempt: int) -> bool:
        """Tell whether the attempt is executed now: what is known of it may be of some time ago."""
        state = (await load_run(self._log.events, run_id)).state
        return state.held and state.attempt == attempt

    async def release_stale_slot(self, group_id: str, run_id: str, attempt: int) -> None:
        """Free the slot of an attempt that is not executed: who took it died before the claim, or it was over already."""
        if not await self._is_executed(run_id, attempt):
            await self._headwater.slots.free(group_id, run_id, attempt)

    async def _wake_for_slots(self, free: int, unfinished: list[RunHead]) -> bool:
        """Wake as many of each queue as could have a slot: of some queues no agent may be online."""
        now = self._actor.clock()
        due = sorted(
            (run.due_at, run.created.run_id, run.created.queue_id)
            for run in unfinished
            if run.waits and run.due_at is not None and run.due_at <= now and run.queued_after is None
        )
        woken: Counter[str] = Counter()
        for _, run_id, queue_id in due:
            if woken[queue_id] < free:
                woken[queue_id] += 1
                await self.enqueue(run_id)
        return bool(woken)
