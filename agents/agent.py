"""The agent: takes the runs of every queue that its labels match, executes them, and answers for them.

It asks for nothing on a schedule: queues, runs and cancels are told to it. While it is idle it sends its heartbeat, and asks each
queue anew every five minutes.
"""

from __future__ import annotations

import logging
import os
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version

import anyio
import msgspec
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.agents.custody import Custody, Prepare
from headwater.agents.flow_slots import FlowSlots
from headwater.agents.held_runs import HeldRuns
from headwater.agents.launching import Launcher
from headwater.agents.leases import Leases
from headwater.agents.perseverance import until_done
from headwater.agents.questions import answer, question_in
from headwater.agents.slots import Slots
from headwater.agents.taking import Taking
from headwater.core import subjects
from headwater.core.aggregates import Author
from headwater.core.commands import RegisterAgent
from headwater.core.concurrency import single_error
from headwater.core.errors import InvalidArgument, LogError
from headwater.core.events import QueueLimitSet, QueueOpened
from headwater.core.identifiers import new_id
from headwater.core.labels import label_set, takes
from headwater.core.log.protocol import Log, QueueBinding
from headwater.core.operations.agents import register_agent, stop_agent
from headwater.core.operations.queues import queue
from headwater.core.presence import Heartbeat

HEARTBEATS_PER_LEASE = 3
"""Two lost heartbeats are no loss of the agent: it counts as gone after a whole lease of silence."""
_FAREWELL_SECONDS = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """What an agent is. `lease_seconds`: how long after its death its runs wait at most; `grace_seconds`: from SIGTERM to SIGKILL.

    `attempts_max`: how many lost attempts fail a run here; None leaves that to the run.
    """

    name: str
    kind: str
    labels: tuple[str, ...] = ()
    limit: int | None = None
    lease_seconds: float = 10.0
    grace_seconds: float = 10.0
    attempts_max: int | None = None
    agent_id: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        if self.lease_seconds < 1:
            raise InvalidArgument(f"An agent's lease must be at least 1 second, not {self.lease_seconds:g}.")


class Agent:
    """An agent of any kind: a service. `launcher` starts the runs, `prepare` says how, `show` takes the lines for people.

    Cancelling it ends its runs' processes at once and hands the runs back. `stop_taking` and `hand_back` end it gently.
    """

    def __init__(self, log: Log, settings: AgentSettings, launcher: Launcher, prepare: Prepare, *, show: logging.Logger) -> None:
        self.settings = settings
        self.author = Author(f"agent:{settings.agent_id}")
        self._log = log
        self._launcher = launcher
        self._show = show
        self._slots = Slots(settings.limit, self._want)
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
        custody = Custody(
            log,
            launcher,
            prepare,
            self.author,
            show=show,
            grace_seconds=settings.grace_seconds,
            attempts_max=settings.attempts_max,
        )
        self._flow_slots = FlowSlots(log.events, self.author)
        self._taking = Taking(log, self._registration, self.author, self._slots, self._leases, self.held, custody, self._flow_slots, show)
        self._bindings: dict[str, QueueBinding] = {}
        self._queue_limits: dict[str, int | None] = {}
        self._stopping = anyio.Event()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Register, take runs, and go on until cancelled, or until `stop_taking` was called and the last run is over.

        Raises:
            LauncherGone: runs cannot be started here at all.
            HeadwaterError: the log refuses this agent.

        """
        with single_error():
            async with anyio.create_task_group() as services:
                await services.start(self._launcher.serve)
                registration = partial(register_agent, self._log.events, self._registration, self.author)
                await until_done(registration, "the registration", tell=self._show.warning)
                try:
                    await services.start(self._leases.serve)
                    await services.start(self._flow_slots.serve)
                    await services.start(self._answer_questions)
                    services.start_soon(self._beat)
                    await self._take_runs(task_status)
                finally:
                    with anyio.move_on_after(_FAREWELL_SECONDS, shield=True):
                        await until_done(lambda: stop_agent(self._log.events, self.settings.agent_id, self.author), "the agent's end")
                services.cancel_scope.cancel()

    async def _take_runs(self, task_status: TaskStatus[None]) -> None:
        """Take runs until told to stop; return when the last one is over."""
        async with anyio.create_task_group() as runs, anyio.create_task_group() as queues:
            await queues.start(self._follow_queues, queues, runs)
            task_status.started()
            await self._stopping.wait()
            queues.cancel_scope.cancel()

    def stop_taking(self) -> None:
        """Take no more runs. `serve` returns when those that run are over."""
        self._slots.close()
        self._stopping.set()

    async def hand_back(self) -> None:
        """Stop the runs' processes and let other agents take the runs, as their next attempts."""
        self.stop_taking()
        async with anyio.create_task_group() as group:
            for held in self.held:
                held.handing_back = True
                if held.process is not None:
                    group.start_soon(partial(held.process.stop, grace_seconds=self.settings.grace_seconds))

    async def _follow_queues(self, queues: TaskGroup, runs: TaskGroup, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Bind every queue whose labels match, those that are known and those that become known."""
        async with AsyncExitStack() as stack:
            known = await until_done(lambda: stack.enter_async_context(self._log.events.follow(subjects.QUEUES_ALL)), "the queues")
            task_status.started()
            async for batch in known:
                for recorded in batch:
                    for event in recorded.commit.events:
                        if isinstance(event, QueueOpened) and takes(self._registration.labels, event.labels):
                            queues.start_soon(self._take_from, event.queue_id, runs)
                        elif isinstance(event, QueueLimitSet):
                            self._limit_queue(recorded.subject.rpartition(".")[2], event.limit)

    async def _take_from(self, queue_id: str, runs: TaskGroup) -> None:
        async with AsyncExitStack() as stack:
            bind = self._log.queues.bind
            limit = (await until_done(queue(self._log.events, queue_id).refresh, f"queue {queue_id}")).limit
            lease_seconds = self.settings.lease_seconds
            binding = await until_done(
                lambda: stack.enter_async_context(bind(queue_id, lease_seconds=lease_seconds, limit=limit)), f"queue {queue_id}"
            )
            binding.limit(self._queue_limits.get(queue_id, limit))  # it may have been set meanwhile
            self._bindings[queue_id] = binding
            stack.callback(self._bindings.pop, queue_id)
            binding.want(self._slots.free)
            async for delivery in binding:
                runs.start_soon(self._taking.take, delivery)

    def _limit_queue(self, queue_id: str, limit: int | None) -> None:
        self._queue_limits[queue_id] = limit
        if queue_id in self._bindings:
            self._bindings[queue_id].limit(limit)

    def _want(self, wanted: bool) -> None:
        for binding in self._bindings.values():
            binding.want(wanted)

    async def _answer_questions(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Tell other agents which runs are held here."""
        async with self._log.subscribe(subjects.ask_agent(self.settings.agent_id)) as questions:
            task_status.started()
            async for message in questions:
                question = question_in(message)
                if question is None:
                    continue
                try:
                    await answer(message, self.held.holds(question.run_id, question.attempt), lease_seconds=self.settings.lease_seconds)
                except LogError as error:
                    _log.debug("A question was not answered: %s", error)

    async def _beat(self) -> None:
        interval = self.settings.lease_seconds / HEARTBEATS_PER_LEASE
        subject = subjects.agent_heartbeat(self.settings.agent_id)
        while True:
            beat = Heartbeat(
                agent_id=self.settings.agent_id,
                interval_seconds=interval,
                lease_seconds=self.settings.lease_seconds,
                runs=len(self.held),
            )
            try:
                await self._log.publish(subject, msgspec.json.encode(beat))
            except LogError as error:
                _log.debug("No heartbeat now: %s", error)
            await anyio.sleep(interval)
