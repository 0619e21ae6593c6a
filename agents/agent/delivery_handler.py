"""Handles each wake-up that a queue gives an agent: from the item to the attempt, or to why there is none."""

from __future__ import annotations

import logging
from enum import Enum, auto

import anyio

from headwater.agents.agent.agent_context import AgentContext
from headwater.agents.agent.attempt_supervisor import AttemptOutcome, AttemptSupervisor
from headwater.agents.agent.capacity import Capacity
from headwater.agents.agent.delivery_plan import (
    AlreadyHeld,
    Claim,
    Discard,
    Plan,
    ProbeHolder,
    ReportOwnLost,
    Reschedule,
    RetryLater,
    plan_delivery,
    time_now,
)
from headwater.agents.agent.flow_concurrency import FlowConcurrency
from headwater.agents.agent.held_runs import HeldRun, HeldRuns
from headwater.agents.agent.holder_probe import probe_holder
from headwater.agents.agent.leases import Leases
from headwater.core.aggregates import Aggregate
from headwater.core.errors import CommandRejected, CommitTooLarge, CommitUnreadable, HeadwaterError, IllegalTransition, LogError
from headwater.core.log.protocol import Delivery, WorkItem
from headwater.core.operations.holder_notices import notify_holder
from headwater.core.runs.commands import ClaimRun, MarkAttemptLost, RunCommand
from headwater.core.runs.state import Run
from headwater.core.values.identifiers import new_id

LAGGING_REPLICA_SECONDS = 0.5
REJECTED_RETRY_DELAY_SECONDS = 30.0
RELEASE_TIMEOUT_SECONDS = 5.0
"""An item that could not be done with so long comes again, and is dropped then."""

_log = logging.getLogger(__name__)
_RunAggregate = Aggregate[Run, RunCommand]


class _Next(Enum):
    """What follows when a plan was carried out."""

    DONE = auto()
    """The item is out of this agent's hands."""
    PLAN_AGAIN = auto()
    """The run has changed: what to do with the item is planned again."""
    ATTACH = auto()
    """A run that this agent holds lives on the item."""


class DeliveryHandler:
    """Handles wake-ups by the plan made for each. One for an agent; `handle` runs once for each item, all at once."""

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        context: AgentContext,
        capacity: Capacity,
        leases: Leases,
        held: HeldRuns,
        supervisor: AttemptSupervisor,
        flow_concurrency: FlowConcurrency,
    ) -> None:
        self._context = context
        self._headwater = context.headwater
        self._log = context.headwater.log
        self._actor = context.headwater.actor
        self._retry = context.outage.retry_until_available
        self._capacity = capacity
        self._leases = leases
        self._held = held
        self._supervisor = supervisor
        self._flow_concurrency = flow_concurrency
        self._patience_seconds = leases.lease_seconds / 2

    async def handle(self, delivery: Delivery) -> None:
        """Do with the item what the log says of its run. Returns when the item is out of this agent's hands, or kept for the run it has."""
        try:
            with self._leases.keeping(delivery):
                end = await self._settle(delivery)
        except HeadwaterError as error:
            self._context.console_log.error("A wake-up of run %s cannot be used now: %s", delivery.item.run_id, error)
            await self._nack(delivery, delay_seconds=REJECTED_RETRY_DELAY_SECONDS)
            return
        if end is _Next.ATTACH:
            self._held.attach(delivery.item.run_id, delivery)

    async def _settle(self, delivery: Delivery) -> _Next:
        """Plan and carry out until nothing is left to plan; return DONE or ATTACH."""
        try:
            run = await self._retry(lambda: self._headwater.runs.complete_creation(delivery.item), "the run's creation")
        except (CommitUnreadable, CommitTooLarge, CommandRejected) as error:
            self._context.console_log.error("A wake-up of run %s cannot be used, and is set aside: %s", delivery.item.run_id, error)
            await delivery.set_aside(str(error))
            return _Next.DONE
        if run is None:
            return await self._discard(delivery, "there is no such run")
        while True:
            end = await self._carry_out(self._plan(run.state, delivery), run, delivery)
            if end is not _Next.PLAN_AGAIN:
                return end

    def _plan(self, run: Run, delivery: Delivery) -> Plan:
        return plan_delivery(
            run,
            delivery.item.generation,
            agent_id=self._context.settings.agent_id,
            holds=self._held.attempts(delivery.item.run_id),
            now=time_now(self._context.now(), delivery.offered_at, delivery.item.creation),
            own=self._actor.clock(),
        )

    async def _carry_out(self, plan: Plan, run: _RunAggregate, delivery: Delivery) -> _Next:
        match plan:
            case Discard(why=why):
                return await self._discard(delivery, why)
            case RetryLater():
                await self._nack(delivery, delay_seconds=LAGGING_REPLICA_SECONDS)
                return _Next.DONE
            case Reschedule(due=due):
                again = WorkItem(run_id=delivery.item.run_id, queue_id=delivery.item.queue_id, generation=run.state.generation)
                await self._retry(lambda: self._log.queues.set_timer(again, due=due), "the run's timer")
                return await self._ack(delivery)
            case AlreadyHeld():
                return _Next.ATTACH
            case ProbeHolder(agent_id=agent_id, attempt=attempt):
                return await self._probe(run, agent_id, attempt, delivery)
            case ReportOwnLost(attempt=attempt):
                return await self._mark_lost(run, attempt, "its agent does not hold it any more")
            case Claim():
                return await self._claim_and_execute(run, delivery)

    async def _probe(self, run: _RunAggregate, agent_id: str, attempt: int, delivery: Delivery) -> _Next:
        """Find out whether another agent still holds the run: where it does, the item is given back; else its attempt is lost."""
        holds = await probe_holder(self._log, agent_id, delivery.item.run_id, attempt, patience_seconds=self._patience_seconds)
        if holds:
            # The holder's own handle of the item goes on renewing it; this only lets go of this agent's.
            await self._nack(delivery, delay_seconds=self._patience_seconds)
            return _Next.DONE
        silent = f"its agent was silent for {self._patience_seconds:g} s"
        return await self._mark_lost(run, attempt, silent if holds is None else "its agent does not hold it any more")

    async def _mark_lost(self, run: _RunAggregate, attempt: int, reason: str) -> _Next:
        commit_id = new_id()
        lost, before = MarkAttemptLost(attempt, reason, self._actor.clock()), run.state
        await self._retry(lambda: run.execute(lost, self._actor, commit_id=commit_id), "a lost attempt")
        await notify_holder(self._log, before)
        return _Next.PLAN_AGAIN

    async def _claim_and_execute(self, run: _RunAggregate, delivery: Delivery) -> _Next:
        """Claim the run and execute the attempt. A lost race, or a lost attempt, leaves something to plan about the item."""
        slot = self._capacity.take()
        if slot is None:
            await self._nack(delivery)
            return _Next.DONE
        created = run.state.created
        held = HeldRun(created, run.state.name, run.state.attempt + 1, slot)
        self._held.begin(held, delivery)
        outcome = AttemptOutcome.RELEASED  # what a cancelled attempt results in
        try:
            outcome = await self._execute(run, held, delivery)
        finally:
            slot.release()
            with anyio.move_on_after(self._context.deadline.left(RELEASE_TIMEOUT_SECONDS), shield=True):
                await self._release_items(held, delivery, outcome)
        if outcome is AttemptOutcome.NO_FLOW_SLOT and await self._flow_concurrency.any_free(created.flow_group_id):
            # One became free before the item was done with: the one who freed it saw the item, and woke no agent.
            await self._retry(lambda: self._headwater.runs.schedule_wake_up(run.state, now=self._context.now()), "a wake-up")
        return _Next.PLAN_AGAIN if outcome is AttemptOutcome.LOST else _Next.DONE

    async def _execute(self, run: _RunAggregate, held: HeldRun, delivery: Delivery) -> AttemptOutcome:
        """Claim the run, with a slot of its flow where these are limited, and execute the attempt."""
        if not await self._flow_concurrency.take(held.created, held.attempt):
            _log.debug("run %s waits for a slot of its flow", held.created.run_id)
            return AttemptOutcome.NO_FLOW_SLOT
        commit_id = new_id()
        claim = ClaimRun(delivery.item.generation, self._context.settings.agent_id, self._context.settings.name)
        try:
            await self._retry(lambda: run.execute(claim, self._actor, commit_id=commit_id, refresh=False), "a claim")
        except IllegalTransition:
            return AttemptOutcome.LOST  # a race, to a writer that may have cancelled, rescheduled or claimed it
        held.attempt = run.state.attempt
        try:
            # Once more: had the claim taken very long, the slot would have been given to another run.
            if not await self._flow_concurrency.take(held.created, held.attempt):
                return await self._supervisor.release(run, held, "the flow's limit was reached before it")
            return await self._supervisor.supervise(run, held)
        finally:
            with anyio.move_on_after(self._context.deadline.left(RELEASE_TIMEOUT_SECONDS), shield=True):
                await self._flow_concurrency.free(held.created, held.attempt)

    async def _release_items(self, held: HeldRun, delivery: Delivery, outcome: AttemptOutcome) -> None:
        """Do with the items of an attempt what its end means for them."""
        for item in self._held.end(held):
            if item.item.generation > delivery.item.generation:
                # Restarted or resumed while this attempt was being let go of: the wake-up is for the attempt to come.
                await self._nack(item)
                continue
            match outcome:
                case AttemptOutcome.ENDED | AttemptOutcome.NO_FLOW_SLOT:
                    await self._retry(item.ack, "a wake-up")
                case AttemptOutcome.RELEASED:
                    await self._nack(item)
                case AttemptOutcome.LOST if item is not delivery:
                    await self._nack(item, delay_seconds=self._patience_seconds)
                case _:
                    pass
        if outcome is AttemptOutcome.LOST:
            self._leases.add(delivery)

    async def _nack(self, delivery: Delivery, *, delay_seconds: float = 0.0) -> None:
        try:
            await delivery.nack(delay_seconds=delay_seconds)
        except LogError as error:
            _log.debug("%r comes again by itself, after half a lease: %s", delivery, error)

    async def _discard(self, delivery: Delivery, why: str) -> _Next:
        _log.debug("run %s: wake-up dropped, %s", delivery.item.run_id, why)
        return await self._ack(delivery)

    async def _ack(self, delivery: Delivery) -> _Next:
        await self._retry(delivery.ack, "a wake-up")
        return _Next.DONE
