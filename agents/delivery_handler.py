"""From a wake-up to an attempt: what an agent does with each item that a queue hands it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import anyio

from headwater.agents.attempt_supervisor import AttemptOutcome, AttemptSupervisor
from headwater.agents.capacity import Capacity
from headwater.agents.delivery_plan import (
    Action,
    AlreadyHeld,
    Claim,
    Discard,
    ProbeHolder,
    ReportOwnLost,
    Reschedule,
    RetryLater,
    plan_delivery,
    time_now,
)
from headwater.agents.flow_concurrency import FlowConcurrency
from headwater.agents.held_runs import HeldRun, HeldRuns
from headwater.agents.holder_probe import probe_holder
from headwater.agents.leases import Leases
from headwater.agents.outage import Outage
from headwater.agents.shutdown_deadline import ShutdownDeadline
from headwater.core.aggregates import Actor, Aggregate
from headwater.core.commands import ClaimRun, MarkAttemptLost, RegisterAgent, RunCommand
from headwater.core.errors import CommandRejected, CommitTooLarge, CommitUnreadable, HeadwaterError, IllegalTransition, LogError
from headwater.core.identifiers import new_id
from headwater.core.log.protocol import Delivery, Log, WorkItem
from headwater.core.operations.run_creation import complete_creation
from headwater.core.operations.runs import schedule_wake_up
from headwater.core.rules.run import Run

LAGGING_REPLICA_SECONDS = 0.5
REJECTED_RETRY_DELAY_SECONDS = 30.0
RELEASE_TIMEOUT_SECONDS = 5.0
"""An item that could not be done with so long comes again, and is dropped then."""

_log = logging.getLogger(__name__)
_RunAggregate = Aggregate[Run, RunCommand]


class DeliveryHandler:
    """Takes wake-ups: drops, keeps, asks about or claims each. One for an agent; `take` runs once for each item, all at once.

    `now` is the log's clock.
    """

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        log: Log,
        agent: RegisterAgent,
        actor: Actor,
        capacity: Capacity,
        leases: Leases,
        held: HeldRuns,
        supervisor: AttemptSupervisor,
        flow_concurrency: FlowConcurrency,
        now: Callable[[], datetime],
        outage: Outage,
        deadline: ShutdownDeadline,
        console_log: logging.Logger,
    ) -> None:
        self._log = log
        self._now = now
        self._outage = outage
        self._deadline = deadline
        self._agent_id = agent.agent_id
        self._agent_name = agent.name
        self._console_log = console_log
        self._actor = actor
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
                keep = await self._settle(delivery)
        except HeadwaterError as error:
            self._console_log.error("A wake-up of run %s cannot be used now: %s", delivery.item.run_id, error)
            await self._give_back(delivery, delay_seconds=REJECTED_RETRY_DELAY_SECONDS)
            return
        if keep:
            self._held.attach(delivery.item.run_id, delivery)

    async def _settle(self, delivery: Delivery) -> bool:
        """Decide and act until nothing is left to decide. Returns True where the item is another copy of one that a held run lives on."""
        try:
            run = await self._outage.retry_until_available(lambda: complete_creation(self._log.events, delivery.item), "the run's creation")
        except (CommitUnreadable, CommitTooLarge, CommandRejected) as error:
            self._console_log.error("A wake-up of run %s cannot be used, and is set aside: %s", delivery.item.run_id, error)
            await delivery.set_aside(str(error))
            return False
        while True:
            action = self._action(run, delivery)
            if isinstance(action, AlreadyHeld):
                return True
            if run is None or isinstance(action, Discard | Reschedule | RetryLater):
                await self._dispose(action, run, delivery)
                return False
            undecided = self._claim_and_execute if isinstance(action, Claim) else self._take_over
            if not await undecided(action, run, delivery):
                return False

    def _action(self, run: _RunAggregate | None, delivery: Delivery) -> Action:
        return plan_delivery(
            None if run is None else run.state,
            delivery.item.generation,
            agent_id=self._agent_id,
            holds=self._held.attempts(delivery.item.run_id),
            now=time_now(self._now(), delivery.offered_at, delivery.item.creation),
            own=self._actor.clock(),
        )

    async def _dispose(self, action: Action, run: _RunAggregate | None, delivery: Delivery) -> None:
        match action:
            case RetryLater():
                await self._give_back(delivery, delay_seconds=LAGGING_REPLICA_SECONDS)
                return
            case Reschedule(due=due):
                assert run is not None
                again = WorkItem(run_id=delivery.item.run_id, queue_id=delivery.item.queue_id, generation=run.state.generation)
                await self._outage.retry_until_available(lambda: self._log.queues.set_timer(again, due=due), "the run's timer")
            case Discard():
                _log.debug("run %s: wake-up dropped, %s", delivery.item.run_id, action.why)
        await self._outage.retry_until_available(delivery.ack, "a wake-up")

    async def _take_over(self, action: Action, run: _RunAggregate, delivery: Delivery) -> bool:
        """Find out whether somebody still holds the run. Returns False where somebody does, and the item is given back."""
        match action:
            case ProbeHolder():
                holds = await probe_holder(
                    self._log, action.agent_id, delivery.item.run_id, action.attempt, patience_seconds=self._patience_seconds
                )
                if holds:
                    # The holder's own handle of the item goes on renewing it; this only lets go of ours.
                    await self._give_back(delivery, delay_seconds=self._patience_seconds)
                    return False
                attempt = action.attempt
                reason = (
                    "its agent does not hold it any more" if holds is False else f"its agent was silent for {self._patience_seconds:g} s"
                )
            case ReportOwnLost():
                attempt, reason = action.attempt, "its agent does not hold it any more"
            case _:
                raise AssertionError(action)
        commit_id = new_id()
        await self._outage.retry_until_available(
            lambda: run.execute(MarkAttemptLost(attempt, reason, self._actor.clock()), self._actor, commit_id=commit_id), "a lost attempt"
        )
        return True

    async def _claim_and_execute(self, _: Action, run: _RunAggregate, delivery: Delivery) -> bool:
        """Claim the run and execute the attempt. Returns True where there is something left to decide about the item."""
        slot = self._capacity.take()
        if slot is None:
            await self._give_back(delivery)
            return False
        created = run.state.created
        assert created is not None
        held = HeldRun(created, run.state.name, run.state.attempt + 1, slot)
        self._held.begin(held, delivery)
        outcome = AttemptOutcome.RELEASED  # what a cancelled attempt comes to
        try:
            outcome = await self._execute(run, held, delivery)
        finally:
            slot.release()
            with anyio.move_on_after(self._deadline.left(RELEASE_TIMEOUT_SECONDS), shield=True):
                await self._release_items(held, delivery, outcome)
        if outcome is AttemptOutcome.NO_FLOW_SLOT and await self._flow_concurrency.any_free(created.flow_group_id):
            # One became free before the item was done with: whoever freed it saw the item, and woke nobody.
            await self._outage.retry_until_available(lambda: schedule_wake_up(self._log.queues, run.state, now=self._now()), "a wake-up")
        return outcome is AttemptOutcome.LOST

    async def _execute(self, run: _RunAggregate, held: HeldRun, delivery: Delivery) -> AttemptOutcome:
        """Claim the run, with a slot of its flow where these are limited, and execute the attempt."""
        if not await self._flow_concurrency.take(held.created, held.attempt):
            _log.debug("run %s waits for a slot of its flow", held.created.run_id)
            return AttemptOutcome.NO_FLOW_SLOT
        commit_id = new_id()
        claim = ClaimRun(delivery.item.generation, self._agent_id, self._agent_name)
        try:
            await self._outage.retry_until_available(lambda: run.execute(claim, self._actor, commit_id=commit_id, refresh=False), "a claim")
        except IllegalTransition:
            return AttemptOutcome.LOST  # a race, to somebody who may have cancelled, rescheduled or claimed it
        held.attempt = run.state.attempt
        try:
            # Once more: had the claim taken very long, the slot would have been given to another run.
            if not await self._flow_concurrency.take(held.created, held.attempt):
                return await self._supervisor.release(run, held, "the flow's limit was reached before it")
            return await self._supervisor.supervise(run, held)
        finally:
            with anyio.move_on_after(self._deadline.left(RELEASE_TIMEOUT_SECONDS), shield=True):
                await self._flow_concurrency.free(held.created, held.attempt)

    async def _release_items(self, held: HeldRun, delivery: Delivery, outcome: AttemptOutcome) -> None:
        """Do with the items of an attempt what its end means for them."""
        for item in self._held.end(held):
            if item.item.generation > delivery.item.generation:
                # Restarted or resumed while this attempt was being let go of: the wake-up is for the attempt to come.
                await self._give_back(item)
                continue
            match outcome:
                case AttemptOutcome.ENDED | AttemptOutcome.NO_FLOW_SLOT:
                    await self._outage.retry_until_available(item.ack, "a wake-up")
                case AttemptOutcome.RELEASED:
                    await self._give_back(item)
                case AttemptOutcome.LOST if item is not delivery:
                    await self._give_back(item, delay_seconds=self._patience_seconds)
                case _:
                    pass
        if outcome is AttemptOutcome.LOST:
            self._leases.add(delivery)

    async def _give_back(self, delivery: Delivery, *, delay_seconds: float = 0.0) -> None:
        try:
            await delivery.nack(delay_seconds=delay_seconds)
        except LogError as error:
            _log.debug("%r comes again by itself, after half a lease: %s", delivery, error)
