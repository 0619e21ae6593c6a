"""The planner as a service: the broker wakes it for each schedule whose time has come, and the log tells it of schedules that change.

Two servers share the work: each wake-up goes to one of them. A wake-up that was lost with the broker's stream costs seconds: each
server knows when the schedules that it looked at are due next.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime

import anyio
import anyio.lowlevel
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.core.aggregates import Actor, utc_now
from headwater.core.errors import CommitTooLarge, HeadwaterError, LogError
from headwater.core.events import (
    AnyEvent,
    BackfillCancelRequested,
    BackfillEnded,
    BackfillRequested,
    FlowRegistered,
    PauseCause,
    ScheduleDeleted,
    SchedulePaused,
    ScheduleResumed,
    ScheduleSet,
)
from headwater.core.log import subjects
from headwater.core.log.protocol import Delivery, Log, Recorded
from headwater.core.operations.log_clock import LogClock
from headwater.core.operations.run_lookup import may_tell_of_runs
from headwater.core.program.deadlines import Deadlines
from headwater.server.planner.backfill_keeper import BackfillKeeper
from headwater.server.planner.schedule_keeper import ScheduleKeeper

LEASE_SECONDS = 10.0
GRACE_SECONDS = 2.0
"""So long after a time its wake-up is missed: then the schedule is looked at without one."""
RETRY_SECONDS = 1.0
GIVES_WAY_SECONDS = 5.0
"""A backfill that lets other runs go first is looked at after so long, where nothing happens."""
BACKFILL_SECONDS = 0.2
"""A backfill that lets other runs go first is looked at so soon after something happened to any run."""
_RETRY_SECONDS_MAX = 60.0
_AT_ONCE = 64
_ITEMS_AT_ONCE = 256

_log = logging.getLogger(__name__)


class Planner:
    """One for a server; several on one log do no harm. `clock` is this machine's; times are due by the log's, where the two differ."""

    def __init__(
        self,
        log: Log,
        *,
        actor: str = "planner",
        clock: Callable[[], datetime] = utc_now,
        observe: Callable[[str, AnyEvent, datetime], None] = lambda *_: None,
    ) -> None:
        self._log = log
        self._actor = Actor(actor, clock)
        self._log_clock = LogClock(log, clock, console_log=_log)
        self._clock = self._log_clock.now
        self._keeper = ScheduleKeeper(log, self._actor, clock=self._clock, observe=observe)
        self._backfill_keeper = BackfillKeeper(log, self._actor, self._keeper.runs, self._keeper.flows)
        self._backfills: set[str] = set()
        """Backfills that go on."""
        self._deadlines: Deadlines[str] = Deadlines()
        self._locks: dict[str, anyio.Lock] = {}
        self._backoff: dict[str, float] = {}
        self._told: set[str] = set()
        """Schedules that something happened to since the last look at them began."""
        self._of_group: defaultdict[str, set[str]] = defaultdict(set)
        self._by_the_flow: set[str] = set()
        """Schedules that were paused because their flow takes no runs."""
        self._turns = anyio.Semaphore(_AT_ONCE)

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Plan until cancelled. Ready when every change to come is sure to be seen; what is past is looked at behind that."""
        async with AsyncExitStack() as stack:
            tail = await self._log.events.tail()
            news = await stack.enter_async_context(self._log.events.follow(subjects.EVENTS_ALL, after=tail.position))
            losses = await stack.enter_async_context(self._log.queues.work_lost())
            queue = self._log.queues.bind(subjects.SCHEDULES_QUEUE, lease_seconds=LEASE_SECONDS, at_once=_ITEMS_AT_ONCE)
            items = await stack.enter_async_context(queue)
            stack.callback(self._log.on_reconnect(self._keeper.forget_what_is_followed))
            group = await stack.enter_async_context(anyio.create_task_group())
            await group.start(self._log_clock.serve)
            group.start_soon(self._look_when_due, group)
            group.start_soon(self._take_items, items, group)
            group.start_soon(self._hear_losses, losses)
            group.start_soon(self._begin)
            task_status.started()
            async for batch in news:
                for recorded in batch:
                    self._note(recorded)

    # What is to be looked at

    async def _begin(self) -> None:
        """Look at every schedule that nothing would wake, and note when the others are due; as soon as the log answers."""
        while True:
            try:
                return await self._look_at_all()
            except LogError as error:
                _log.debug("Schedules cannot be listed now: %s", error)
            await anyio.sleep(RETRY_SECONDS)

    async def _look_at_all(self) -> None:
        waiting = await self._log.queues.waiting_runs()
        for last in await self._log.events.last_of_each(subjects.SCHEDULES_ALL):
            address = subjects.parse(last.subject)
            if address is None:
                continue
            self._note_schedule(address.id, last)
            if address.id not in waiting or not last.events:
                self._deadlines.advance(address.id, 0)
                continue
            # Its timer is set: it is looked at then, or when that was missed.
            known, due = self._keeper.next_time(address.id, last.events[-1])
            if known and address.id not in self._deadlines:
                self._expect(address.id, due)
            elif not known:
                self._deadlines.advance(address.id, GRACE_SECONDS)
            await anyio.lowlevel.checkpoint()
        for last in await self._log.events.last_of_each(subjects.BACKFILLS_ALL):
            if (address := subjects.parse(last.subject)) is not None:
                self._note_backfill(address.id, last)
        for backfill_id in self._backfills:
            self._deadlines.advance(backfill_id, 0)

    async def _hear_losses(self, losses: object) -> None:
        async for _ in losses:  # type: ignore[attr-defined]
            await self._begin()

    def _note(self, recorded: Recorded) -> None:
        """Take in a commit of the log."""
        address = subjects.parse(recorded.subject)
        if address is None:
            return
        match address.kind:
            case "run":
                schedule_id = self._keeper.runs.fold(recorded)
                if self._backfills and may_tell_of_runs(recorded.data):
                    self._look_at_backfills(schedule_id)
                if schedule_id is not None and self._keeper.needs_ends_of_runs(schedule_id):
                    self._tell(schedule_id)
            case "schedule":
                self._note_schedule(address.id, recorded)
                if any(isinstance(event, ScheduleSet | ScheduleDeleted | SchedulePaused | ScheduleResumed) for event in recorded.events):
                    self._tell(address.id)
            case "backfill":
                self._note_backfill(address.id, recorded)
            case "project" | "flow":
                self._keeper.flows.forget(address.kind, address.id)
                if any(isinstance(event, FlowRegistered) for event in recorded.events):
                    for schedule_id in self._of_group[address.id] & self._by_the_flow:
                        self._tell(schedule_id)
            case _:
                pass

    def _tell(self, schedule_id: str) -> None:
        """Something happened to the schedule, or to what it depends on: it is to be looked at, also where that is being done just now."""
        self._told.add(schedule_id)
        self._deadlines.advance(schedule_id, 0)

    def _note_backfill(self, backfill_id: str, recorded: Recorded) -> None:
        if any(isinstance(event, BackfillEnded) for event in recorded.events):
            self._backfills.discard(backfill_id)
        elif recorded.events:
            self._backfills.add(backfill_id)
            if any(isinstance(event, BackfillRequested | BackfillCancelRequested) for event in recorded.events):
                self._tell(backfill_id)

    def _look_at_backfills(self, ended: str | None) -> None:
        """A run was created, taken by an agent, or ended: backfills that wait for that may go on."""
        for backfill_id in self._backfills:
            self._deadlines.advance(backfill_id, 0 if backfill_id == ended else BACKFILL_SECONDS)

    def _note_schedule(self, schedule_id: str, recorded: Recorded) -> None:
        for event in recorded.events:
            definition = getattr(event, "definition", None)
            if isinstance(event, ScheduleSet):
                self._of_group[event.flow_group_id].add(schedule_id)
            elif definition is not None:
                self._of_group[definition.flow_group_id].add(schedule_id)
            after = getattr(event, "after", None)
            if after is not None:
                self._keeper.runs.keep_only(schedule_id, {run.run_id for run in after.open_runs})
                paused = after.pause is not None and after.pause.cause in {PauseCause.FLOW_ARCHIVED, PauseCause.PROJECT_DELETED}
                (self._by_the_flow.add if paused else self._by_the_flow.discard)(schedule_id)

    # Looking

    async def _take_items(self, items: object, group: TaskGroup) -> None:
        items.resume()  # type: ignore[attr-defined]
        async for delivery in items:  # type: ignore[attr-defined]
            await self._turns.acquire()
            group.start_soon(self._handle, delivery)

    async def _handle(self, delivery: Delivery) -> None:
        try:
            if await self._look(delivery.item.run_id, at_least=delivery.offered_at, refresh=delivery.redelivered):
                await delivery.ack(confirmed=False)  # a look more does no harm
            else:
                await delivery.nack(delay_seconds=RETRY_SECONDS)
        except LogError as error:
            _log.debug("The wake-up of schedule %s comes again: %s", delivery.item.run_id, error)
        finally:
            self._turns.release()

    async def _look_when_due(self, group: TaskGroup) -> None:
        while True:
            for schedule_id in await self._deadlines.wait():
                await self._turns.acquire()
                group.start_soon(self._look_late, schedule_id)

    async def _look_late(self, schedule_id: str) -> None:
        try:
            await self._look(schedule_id, at_least=None, refresh=True)
        finally:
            self._turns.release()

    async def _look(self, schedule_id: str, *, at_least: datetime | None, refresh: bool) -> bool:
        """Look at the schedule, and note when it is due next; tell whether that was done. Whatever goes wrong, others go on."""
        lock = self._locks.setdefault(schedule_id, anyio.Lock())
        try:
            async with lock:
                self._told.discard(schedule_id)
                if schedule_id in self._backfills:
                    if await self._backfill_keeper.look(schedule_id):
                        self._deadlines.advance(schedule_id, GIVES_WAY_SECONDS)
                    return True
                if schedule_id in self._by_the_flow:
                    await self._keeper.resume_with_flow(schedule_id)
                due = await self._keeper.look(schedule_id, at_least=at_least, refresh=refresh)
        except CommitTooLarge as error:
            self._look_later(schedule_id, error)
        except LogError as error:
            _log.debug("Schedule %s cannot be looked at now: %s", schedule_id, error)
            self._deadlines.advance(schedule_id, RETRY_SECONDS)
            return False
        except HeadwaterError as error:
            self._look_later(schedule_id, error)
        except Exception as error:  # noqa: BLE001 - one of many
            self._look_later(schedule_id, error, with_traceback=True)
        else:
            self._backoff.pop(schedule_id, None)
            self._expect(schedule_id, due)
        finally:
            if not lock.locked():
                self._locks.pop(schedule_id, None)
        if schedule_id in self._told:
            self._deadlines.advance(schedule_id, 0)  # it changed while it was looked at
        return True

    def _look_later(self, schedule_id: str, error: Exception, *, with_traceback: bool = False) -> None:
        """Look at it again, after pauses that grow: what is wrong may be set right by a user."""
        seconds = self._backoff[schedule_id] = min(2 * self._backoff.get(schedule_id, RETRY_SECONDS), _RETRY_SECONDS_MAX)
        traceback = error if with_traceback else None
        _log.error("Schedule %s cannot go on (tried again in %d s): %s", schedule_id, seconds, error, exc_info=traceback)
        self._deadlines.set(schedule_id, seconds)

    def _expect(self, schedule_id: str, due: datetime | None) -> None:
        if due is None:
            self._deadlines.clear(schedule_id)
        else:
            self._deadlines.set(schedule_id, (due - self._clock()).total_seconds() + GRACE_SECONDS)
