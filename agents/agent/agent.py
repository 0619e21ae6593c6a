"""The agent: takes the runs of every queue that its labels match, executes them, and answers for them.

It asks for nothing on a schedule: it follows queues, runs and cancels as they come. While it is idle it sends its heartbeat, and asks each
queue again every five minutes.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from datetime import datetime
from functools import partial
from importlib.metadata import version

import anyio
import msgspec
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.agents.agent.agent_context import AgentContext
from headwater.agents.agent.agent_settings import AgentSettings
from headwater.agents.agent.attempt_supervisor import AttemptSupervisor, Prepare
from headwater.agents.agent.capacity import Capacity
from headwater.agents.agent.delivery_handler import DeliveryHandler
from headwater.agents.agent.flow_concurrency import FlowConcurrency
from headwater.agents.agent.followed_queues import FollowedQueues
from headwater.agents.agent.held_runs import HeldRuns
from headwater.agents.agent.holder_probe import answer, notice_in, probe_in
from headwater.agents.agent.leases import Leases
from headwater.agents.agent.outage import Outage, Waiting
from headwater.agents.agent.shutdown_deadline import SHUTDOWN_SECONDS, ShutdownDeadline
from headwater.agents.agent.start_failures import StartFailures
from headwater.agents.launcher import Launcher
from headwater.agents.retry import retry_until_available
from headwater.core.agents.commands import RegisterAgent
from headwater.core.aggregates import Actor, utc_now
from headwater.core.errors import LogError, NotFound
from headwater.core.log import subjects
from headwater.core.log.heartbeats import Heartbeat, HolderProbe, HolderReply
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.log_clock import LogClock
from headwater.core.program.exception_groups import unwrap_exception_group
from headwater.core.values.labels import label_set

HEARTBEATS_PER_LEASE = 3
"""Two lost heartbeats are no loss of the agent: it counts as gone after a whole lease of silence."""

_log = logging.getLogger(__name__)


class Agent:
    """An agent of any kind: a service. `launcher` starts the runs, `prepare` says how, `console_log` takes the lines for people.

    `clock` is the machine's. Cancelling the agent ends its runs' processes at once and hands the runs back; `stop_taking` and
    `release_runs` end it gently.
    """

    def __init__(
        self,
        log: Log,
        settings: AgentSettings,
        launcher: Launcher,
        prepare: Prepare,
        *,
        console_log: logging.Logger,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.settings = settings
        self.actor = Actor(f"agent:{settings.agent_id}", clock)
        self._log = log
        self._headwater = Headwater(log, self.actor)
        self._launcher = launcher
        self._console_log = console_log
        self._capacity = Capacity(settings.limit, self._capacity_changed)
        self._leases = Leases(settings.lease_seconds)
        self.held = HeldRuns(self._leases)
        self._registration = RegisterAgent(
            agent_id=settings.agent_id,
            name=settings.name,
            kind=settings.kind,
            labels=label_set(settings.labels),
            hostname=socket.gethostname(),
            pid=os.getpid(),
            version=version("headwater"),
            limit=settings.limit,
        )
        self._outage = Outage(lambda: len(self.held), console_log=console_log)
        self._deadline = ShutdownDeadline()
        self._clock = LogClock(log, self.actor.clock, console_log=console_log)
        self._stopping = anyio.Event()
        self._start_failures = StartFailures(settings.name, self._capacity, console_log=console_log)
        context = AgentContext(self._headwater, settings, self._clock.now, self._outage, self._deadline, console_log)
        supervisor = AttemptSupervisor(context, launcher, prepare, start_failures=self._start_failures, stopping=self._stopping)
        self._flow_concurrency = FlowConcurrency(self._headwater, self._outage)
        self._delivery_handler = DeliveryHandler(context, self._capacity, self._leases, self.held, supervisor, self._flow_concurrency)
        self._queues = FollowedQueues(
            log,
            self._registration.labels,
            lambda: self._capacity.free,
            self._delivery_handler.handle,
            outage=self._outage,
            lease_seconds=settings.lease_seconds,
        )

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Register, take runs, and go on until cancelled, or until `stop_taking` was called and the last run is over.

        Raises:
            LauncherGone: runs cannot be started here at all.
            HeadwaterError: the log refuses this agent.

        """
        with unwrap_exception_group():
            async with anyio.create_task_group() as services:
                await services.start(self._launcher.serve)
                if not await self._registered():
                    services.cancel_scope.cancel()
                    return
                try:
                    with anyio.CancelScope() as working:
                        services.start_soon(self._stop_at_deadline, working)
                        services.start_soon(self._beat)
                        await services.start(self._clock.serve)
                        await services.start(self._leases.serve)
                        await services.start(self._start_failures.serve)
                        await services.start(self._flow_concurrency.serve)
                        await services.start(self._answer_probes)
                        await services.start(self._hear_notices)
                        await self._take_runs(task_status)
                finally:
                    with anyio.move_on_after(self._deadline.left(SHUTDOWN_SECONDS), shield=True):
                        await self._record_end()
                services.cancel_scope.cancel()

    async def _record_end(self) -> None:
        try:
            await retry_until_available(lambda: self._headwater.agents.stop(self.settings.agent_id), "the agent's end")
        except NotFound:
            self._console_log.warning("This is another log than the one at which this agent registered: its end is not recorded.")

    async def _registered(self) -> bool:
        """Register, however long the log is away; tell whether that was done before the agent was told to stop."""
        registration = partial(self._headwater.agents.register, self._registration)
        done = False
        async with anyio.create_task_group() as group:

            async def register() -> None:
                nonlocal done
                await self._outage.retry_until_available(registration, "the registration")
                done = True
                group.cancel_scope.cancel()

            group.start_soon(register)
            await self._stopping.wait()
            group.cancel_scope.cancel()
        return done

    async def _take_runs(self, task_status: TaskStatus[None]) -> None:
        """Take runs until told to stop; return when the last one is over."""
        async with anyio.create_task_group() as runs, anyio.create_task_group() as queues:
            await queues.start(self._queues.follow, queues, runs)
            task_status.started()
            await self._stopping.wait()
            queues.cancel_scope.cancel()

    async def _stop_at_deadline(self, working: anyio.CancelScope) -> None:
        """Hand the runs back when the log stays away after the agent was told to stop; end the work when the farewell is over."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._release_without_log)
            await self._deadline.over()
            group.cancel_scope.cancel()
        if unrecorded := ", ".join(f"'{held.name}' ({held.created.run_id})" for held in self.held):
            self._console_log.error("Not recorded: how these runs ended here: %s. Who takes them next waits for their leases.", unrecorded)
        working.cancel()

    async def _release_without_log(self) -> None:
        await self._stopping.wait()
        patience = self.settings.away_seconds if len(self.held) else SHUTDOWN_SECONDS
        await self._outage.lasts(patience)
        self._console_log.error("The log has taken nothing for %g s: the agent ends without it.", patience)
        await self.release_runs()

    def stop_taking(self) -> None:
        """Take no more runs. `serve` returns when those that run are over, or when the log stays away."""
        self._capacity.close()
        self._stopping.set()

    async def release_runs(self) -> None:
        """Stop the runs' processes and let other agents take the runs, as their next attempts; end in seconds then."""
        self.stop_taking()
        async with anyio.create_task_group() as group:
            for held in self.held:
                held.releasing = True
                if held.process is not None:
                    group.start_soon(partial(held.process.stop, grace_seconds=self.settings.grace_seconds))
        self._deadline.begin()

    def give_up(self) -> None:
        """End now, whatever is not recorded."""
        self.stop_taking()
        self._deadline.begin(0)

    def _capacity_changed(self, has_room: bool) -> None:
        self._queues.set_accepting(has_room)

    async def _answer_probes(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Tell other agents which runs are held here."""
        async with self._log.subscribe(subjects.ask_agent(self.settings.agent_id)) as probes:
            task_status.started()
            async for message in probes:
                probe = probe_in(message)
                if probe is None:
                    continue
                try:
                    await answer(message, self._reply_to(probe))
                except LogError as error:
                    _log.debug("A question was not answered: %s", error)

    async def _hear_notices(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Hear from others of attempts held here that must end."""
        async with self._log.subscribe(subjects.tell_agent(self.settings.agent_id)) as notices:
            task_status.started()
            async for message in notices:
                if (notice := notice_in(message)) is not None:
                    self.held.tell(notice.run_id, notice.attempt)

    def _reply_to(self, probe: HolderProbe) -> HolderReply:
        return HolderReply(
            self.held.holds(probe.run_id, probe.attempt),
            self.settings.lease_seconds,
            trouble=self._start_failures.words,
            behind_seconds=self._clock.behind.total_seconds(),
        )

    async def _beat(self) -> None:
        interval = self.settings.lease_seconds / HEARTBEATS_PER_LEASE
        subject = subjects.agent_heartbeat(self.settings.agent_id)
        beating = Waiting(self._outage)
        while True:
            beat = Heartbeat(
                agent_id=self.settings.agent_id,
                interval_seconds=interval,
                lease_seconds=self.settings.lease_seconds,
                runs=len(self.held),
                trouble=self._start_failures.words,
                behind_seconds=self._clock.behind.total_seconds(),
            )
            try:
                await self._log.publish(subject, msgspec.json.encode(beat))
            except LogError as error:
                beating.failed(error)
            else:
                beating.recovered()
            await anyio.sleep(interval)
