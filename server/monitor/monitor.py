"""The run monitor as a service: it follows heartbeats and the log, waits for deadlines, and recovers runs.

It asks for nothing on a schedule. What it knows it has from the log, from the agents' heartbeats, and from what the broker says when
work items may have been lost; all of it is in memory and made again at the start.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.core.agents.state import AgentStatus
from headwater.core.aggregates import Actor, utc_now
from headwater.core.errors import CommitUnreadable, HeadwaterError, LogError
from headwater.core.events import (
    AgentRegistered,
    AgentStopped,
    AnyEvent,
    ConcurrencySet,
    RunAttemptLost,
    RunCancelled,
    RunFailed,
    RunPaused,
    RunScheduled,
    RunSubmitted,
    RunSucceeded,
    SlotFreed,
    SlotTaken,
)
from headwater.core.log import subjects
from headwater.core.log.codec import message_decoder
from headwater.core.log.commit import Position
from headwater.core.log.heartbeats import Heartbeat
from headwater.core.log.protocol import Log
from headwater.core.program.deadlines import Deadlines
from headwater.server.monitor.monitor_times import MonitorTimes
from headwater.server.monitor.recovery import Recovery
from headwater.server.monitor.run_index import IndexedAgent, RunIndex

_RETRY_SECONDS_MAX = 60.0
_AT_ONCE = 8
AGENTS_HEARD_MAX = 10_000


@dataclass(frozen=True)
class AgentDue:
    """An agent whose heartbeat may be missing."""

    agent_id: str


@dataclass(frozen=True)
class RunDue:
    """A run that may wait without a wake-up."""

    run_id: str


@dataclass(frozen=True)
class SlotsDue:
    """The slots of a flow whose runs at once are limited."""

    group_id: str


@dataclass(frozen=True)
class ClaimDue:
    """A slot that an attempt took, and perhaps never used."""

    group_id: str
    run_id: str
    attempt: int


@dataclass(frozen=True)
class WorkDue:
    """All runs that wait: their wake-ups may have been lost."""


Due = AgentDue | RunDue | SlotsDue | ClaimDue | WorkDue
"""What is to be checked when its deadline is over."""

_decode_heartbeat = message_decoder(Heartbeat)
_log = logging.getLogger(__name__)


async def nothing_known() -> RunIndex:
    """Return that nothing is known: the whole log is read."""
    return RunIndex()


class RunMonitor:
    """One for a server; several on one log do no harm. `clock` is the wall clock by which runs are due.

    `find_known` returns what is known up to some position: the log is read from there on.
    """

    def __init__(
        self,
        log: Log,
        *,
        actor: str = "run-monitor",
        clock: Callable[[], datetime] = utc_now,
        times: MonitorTimes | None = None,
        find_known: Callable[[], Awaitable[RunIndex]] = nothing_known,
    ) -> None:
        self._log = log
        self._find_known = find_known
        self._clock = clock
        self._times = times or MonitorTimes()
        self._recovery = Recovery(log, Actor(actor, clock))
        self._index = RunIndex()
        self._deadlines: Deadlines[Due] = Deadlines()
        self._heard: dict[str, tuple[float, float]] = {}
        self._backoff: dict[Due, float] = {}
        self._at_once = anyio.Semaphore(_AT_ONCE)
        self._start: Position = 0
        self._ready = anyio.Event()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Guard until cancelled. Ready when every heartbeat to come is sure to be heard; what is past is read behind that."""
        async with (
            self._log.subscribe(subjects.AGENT_HEARTBEATS) as heartbeats,
            self._log.queues.work_lost() as losses,
            anyio.create_task_group() as group,
        ):
            self._start = (await self._log.events.tail()).position
            forget = self._log.on_reconnect(self._reset_heartbeat_deadlines)
            try:
                group.start_soon(self._act, group)
                group.start_soon(self._hear_losses, losses)
                group.start_soon(self._hear_heartbeats, heartbeats)
                task_status.started()
                self._index = await self._find_known()
                async with self._log.events.follow(subjects.EVENTS_ALL, after=self._index.position) as commits:
                    if self._index.position >= self._start:
                        await self._begin()
                    async for batch in commits:
                        for recorded in batch:
                            self._handle(self._index.fold(recorded))
                            self._look_at_released()
                        if not self._ready.is_set() and self._index.position >= self._start:
                            await self._begin()
            finally:
                forget()

    async def caught_up(self) -> None:
        """Return when all that had happened before the start is known."""
        await self._ready.wait()

    async def _begin(self) -> None:
        """Act from here on: first on what was left undone while no monitor ran."""
        self._ready.set()
        working = [agent.agent_id for agent in self._index.agents.values() if agent.status is AgentStatus.ONLINE]
        for agent_id in {*working, *self._index.holders()}:
            self._expect_sign_of(agent_id)
        for group_id, slots in self._index.slots.items():
            if slots.limit is not None:
                self._deadlines.set(SlotsDue(group_id), 0)
        for run_id in self._index.unread:
            self._deadlines.set(RunDue(run_id), 0)
        self._deadlines.set(WorkDue(), 0)

    # What happens

    async def _hear_heartbeats(self, heartbeats: object) -> None:
        async for message in heartbeats:  # type: ignore[attr-defined]
            try:
                beat = _decode_heartbeat(message.data)
            except CommitUnreadable:
                continue  # of another version, or not an agent's
            self._heard.pop(beat.agent_id, None)
            self._heard[beat.agent_id] = (anyio.current_time(), min(max(beat.lease_seconds, 1.0), 3600.0))
            if len(self._heard) > AGENTS_HEARD_MAX:
                # Anyone may send heartbeats of agents that never were. An agent that is forgotten so is asked before it counts as lost.
                del self._heard[next(iter(self._heard))]
            agent = self._index.agents.get(beat.agent_id)
            if agent is not None and agent.status is AgentStatus.LOST and self._ready.is_set():
                self._deadlines.advance(AgentDue(beat.agent_id), 0)

    async def _hear_losses(self, losses: object) -> None:
        async for _ in losses:  # type: ignore[attr-defined]
            if self._ready.is_set():
                self._deadlines.set(WorkDue(), 0)

    def _reset_heartbeat_deadlines(self) -> None:
        """After the connection was away no heartbeat can have come: each gets its lease once more."""
        now = anyio.current_time()
        self._heard = {agent_id: (now, lease) for agent_id, (_, lease) in self._heard.items()}

    def _handle(self, news: list[tuple[str, AnyEvent]]) -> None:
        if not self._ready.is_set():
            return
        for about, event in news:
            match event:
                case AgentRegistered():
                    self._expect_sign_of(about)
                case AgentStopped() if self._index.held_by(about):
                    self._expect_sign_of(about)
                case RunSubmitted() if about in self._index.unread:
                    self._deadlines.advance(RunDue(about), 0)  # it was restarted, and nothing else is known of it yet
                case RunSubmitted():
                    self._deadlines.clear(RunDue(about))
                    self._expect_sign_of(event.agent_id)
                    self._count_if_limited(about)
                case RunScheduled():
                    self._deadlines.set(RunDue(about), self._times.wake_up)
                    self._check_slots_of(about)
                case RunAttemptLost():
                    self._deadlines.set(RunDue(about), self._times.wake_up)
                    self._check_slots_of(about)
                case RunSucceeded() | RunFailed() | RunCancelled() | RunPaused():
                    self._deadlines.clear(RunDue(about))
                    self._check_slots_of(about)
                case SlotTaken():
                    self._deadlines.set(ClaimDue(about, event.run_id, event.attempt), self._times.claim)
                case SlotFreed() | ConcurrencySet():
                    self._backoff.pop(SlotsDue(about), None)
                    self._deadlines.advance(SlotsDue(about), 0)
                case _:
                    pass

    def _look_at_released(self) -> None:
        while self._index.released:
            run_id = self._index.released.pop()
            if self._ready.is_set():
                self._deadlines.set(RunDue(run_id), 0)

    def _expect_sign_of(self, agent_id: str) -> None:
        if AgentDue(agent_id) not in self._deadlines:
            now = anyio.current_time()
            _, lease = self._heard.setdefault(agent_id, (now, self._times.lease))
            self._heard[agent_id] = (now, lease)
            self._deadlines.set(AgentDue(agent_id), lease + self._times.probe_grace)

    def _count_if_limited(self, run_id: str) -> None:
        run = self._index.runs.get(run_id)
        if run is None:
            return
        group_id = run.created.flow_group_id
        slots = self._index.slots.get(group_id)
        if slots is not None and slots.limit is not None and slots.attempts.get(run_id) != run.attempt:
            self._deadlines.advance(SlotsDue(group_id), self._times.slot)

    def _check_slots_of(self, run_id: str) -> None:
        """Its holder frees the slot of a run; where that died, this does."""
        for group_id, slots in self._index.slots.items():
            if run_id in slots.attempts:
                self._deadlines.advance(SlotsDue(group_id), self._times.slot)

    # What is done

    async def _act(self, group: TaskGroup) -> None:
        await self._ready.wait()
        while True:
            for due in await self._deadlines.wait():
                await self._at_once.acquire()
                group.start_soon(self._do, due)

    async def _do(self, due: Due) -> None:
        try:
            await self._check(due)
        except LogError as error:
            _log.debug("%s cannot be checked now: %s", due, error)
            self._deadlines.advance(due, self._times.retry)
        except HeadwaterError as error:
            _log.error("%s cannot be recovered: %s", due, error)
        except Exception:  # noqa: BLE001 - one of many
            # An unexpected error; whatever it is about, the others are checked.
            seconds = self._backoff[due] = min(2 * self._backoff.get(due, self._times.retry), _RETRY_SECONDS_MAX)
            _log.exception("%s cannot be checked; tried again in %d s", due, seconds)
            self._deadlines.advance(due, seconds)
        finally:
            self._at_once.release()

    async def _check(self, due: Due) -> None:
        match due:
            case AgentDue(agent_id):
                await self._check_agent(agent_id)
            case RunDue(run_id):
                await self._check_run(run_id)
            case SlotsDue(group_id):
                await self._reconcile_slots(group_id)
            case ClaimDue(group_id, run_id, attempt):
                await self._recovery.release_stale_slot(group_id, run_id, attempt)
            case WorkDue():
                await self._wake_what_is_lost()

    async def _check_agent(self, agent_id: str) -> None:
        agent = self._index.agents.get(agent_id) or IndexedAgent(agent_id)
        heard, lease = self._heard.get(agent_id, (anyio.current_time(), self._times.lease))
        silent = anyio.current_time() - heard
        held = self._index.held_by(agent_id)
        if agent.status in {AgentStatus.STOPPED, AgentStatus.UNKNOWN} and not held:
            return
        if silent < lease and agent.status is AgentStatus.LOST and agent.registered is not None:
            await self._recovery.mark_recovered(agent.registered)
            return
        if agent.status is AgentStatus.LOST and not held:
            return
        left = heard + lease + self._times.probe_grace - anyio.current_time()
        if left > 0:
            self._deadlines.set(AgentDue(agent_id), left)
        elif await self._recovery.answers(agent_id):
            self._heard[agent_id] = (anyio.current_time(), lease)
            self._deadlines.set(AgentDue(agent_id), lease + self._times.probe_grace)
        else:
            await self._recovery.mark_lost(agent, held, silent_seconds=silent)

    async def _check_run(self, run_id: str) -> None:
        if run_id in self._index.unread:
            run, read_to = await self._recovery.read(run_id)
            to_read = self._index.unread.get(run_id)
            if to_read is not None and read_to < to_read:
                self._deadlines.advance(RunDue(run_id), 0)  # more happened to it meanwhile
                return
            if to_read is not None and run is None:
                self._index.unread.pop(run_id)
            elif to_read is not None and run is not None:
                self._index.watch(run, read_to)
                if run.held:
                    self._expect_sign_of(run.agent_id)
        found = self._index.runs.get(run_id)
        if found is None or not found.waits or found.due_at is None:
            return
        if found.queued_after is not None:
            # Another run's end has it looked at again.
            await self._recovery.release(found)
            return
        seconds = (found.due_at - self._clock()).total_seconds()
        if seconds > 0:
            # Once more when it is due: a timer that was set may have been lost with the broker's stream.
            self._deadlines.set(RunDue(run_id), seconds + self._times.wake_up)
        elif self._index.is_kept_waiting(found):
            return
        await self._recovery.enqueue(run_id)

    async def _reconcile_slots(self, group_id: str) -> None:
        due = SlotsDue(group_id)
        if await self._recovery.reconcile_slots(group_id, self._index.of_group(group_id)):
            # Runs wait though slots are free: no agent has room, or a wake-up was on its way out when it was looked for.
            seconds = self._backoff.get(due, 1.0)
            self._backoff[due] = min(2 * seconds, _RETRY_SECONDS_MAX)
            self._deadlines.advance(due, seconds)
        else:
            self._backoff.pop(due, None)

    async def _wake_what_is_lost(self) -> None:
        """Look at every run that waits and that nothing will wake."""
        waiting = await self._log.queues.waiting_runs()
        for run in self._index.waiting():
            seconds = 0.0 if run.due_at is None else (run.due_at - self._clock()).total_seconds()
            run_id = run.created.run_id
            if run_id not in waiting or run.generation > 1:  # of before its rescheduling, perhaps
                self._deadlines.advance(RunDue(run_id), 0)
            elif seconds > 0:
                self._deadlines.advance(RunDue(run_id), seconds + self._times.wake_up)
