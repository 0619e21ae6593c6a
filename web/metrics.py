"""Numbers for Prometheus: how long appends take, how far the views are behind, what runs, who works, what waits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

import anyio.lowlevel
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from headwater.core.errors import HeadwaterError, LogError
from headwater.core.log import subjects
from headwater.core.log.health import ServerHealth
from headwater.core.log.protocol import Log, Recorded
from headwater.core.queries import CountRow, CountRows, ListSchedules
from headwater.core.queries.views_client import ViewsClient
from headwater.core.states import StateName
from headwater.web.heartbeats import Heartbeats
from headwater.web.schedules.next_times import LATE_AFTER, first_due

_RUN_STATES = ("Scheduled", "Paused", "Submitted", "Running", "Cancelling", "Success", "Failed", "Cancelled")
SCHEDULES_MAX = 5_000
"""So many schedules are looked at for those that are overdue."""
_AT_ONCE = 50
_LATENCIES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """The numbers of one web server. Those of the log are counted as commits come; those of the views are asked for when wanted.

    `collectors` hold numbers of other parts of the same server.
    """

    def __init__(self, collectors: Iterable[Collector] = ()) -> None:
        self.registry = CollectorRegistry()
        for collector in collectors:
            self.registry.register(collector)
        self._commits = Counter("headwater_commits", "Commits since this server started, by kind.", ["kind"], registry=self.registry)
        self._append = Histogram(
            "headwater_append_seconds",
            "From a writer's decision to the log's receipt, by the clocks of both.",
            buckets=_LATENCIES,
            registry=self.registry,
        )
        self._log_position = self._gauge("headwater_log_position", "The last position of the log that this server heard of.")
        self._views_up = self._gauge("headwater_views_up", "Whether the views answer: 1 or 0.")
        self._views_position = self._gauge("headwater_views_position", "The position that the views show.")
        self._lag = self._gauge("headwater_projector_lag_commits", "How many commits the views are behind the log.")
        self._set_aside = self._gauge("headwater_set_aside_commits", "Commits that could not be applied.")
        self._dead_letters = self._labelled("headwater_dead_letters", "Messages set aside, by where they lay.", "source")
        self._runs = Gauge("headwater_runs", "Runs of all time, by state.", ["state"], registry=self.registry)
        self._agents = Gauge("headwater_agents", "Online agents: healthy or silent.", ["health"], registry=self.registry)
        self._queues = Gauge("headwater_queue_waiting_runs", "Runs that wait in a queue.", ["labels"], registry=self.registry)
        self._schedules = self._labelled("headwater_schedules", "Schedules, by whether they are active: true or false.", "active")
        self._overdue = self._gauge(
            "headwater_schedules_overdue", "Active schedules with a time that is 5 seconds over, without an outcome."
        )
        self._next_due = self._gauge(
            "headwater_schedule_next_due_seconds",
            "In how many seconds the next time of any active schedule is due; negative where one is overdue, NaN where none is to come.",
        )
        self._messages = Gauge("headwater_stream_messages", "Messages that a stream of the log holds.", ["stream"], registry=self.registry)
        self._bytes = Gauge("headwater_stream_bytes", "Bytes that a stream of the log holds.", ["stream"], registry=self.registry)
        self._pages = self._gauge("headwater_web_open_pages", "Pages that are kept up to date now.")
        self._writable = self._gauge("headwater_log_writable", "Whether the log takes writes: 1 or 0.")
        self._free = self._gauge("headwater_log_free_bytes", "Bytes free where the log is stored; NaN where that is not known.")
        self._limit = self._gauge("headwater_log_limit_bytes", "The most bytes that the log may take; NaN where that is not known.")
        self._ready = self._gauge("headwater_ready", "Whether this server is ready: 1 or 0.")
        self._parts = self._labelled("headwater_part_up", "Whether a part of this server runs: 1 or 0.", "part")

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self.registry)

    def _labelled(self, name: str, meaning: str, label: str) -> Gauge:
        return Gauge(name, meaning, [label], registry=self.registry)

    def _note(self, health: ServerHealth) -> None:
        self._ready.set(health.ready)
        self._writable.set(health.log.writable)
        self._free.set(math.nan if health.log.free_bytes is None else health.log.free_bytes)
        self._limit.set(math.nan if health.log.limit_bytes is None else health.log.limit_bytes)
        for part, runs in health.parts.items():
            self._parts.labels(part).set(runs)

    def heard(self, recorded: Recorded) -> None:
        """Count a commit that came."""
        address = subjects.parse(recorded.subject)
        # Anyone may write any word into a subject, and each label is kept for ever.
        self._commits.labels(address.kind if address is not None and address.kind in subjects.KINDS else "other").inc()
        self._log_position.set(recorded.position)
        if recorded.dead_letter is None:
            self._append.observe(max(0.0, (recorded.recorded_at - recorded.commit.at).total_seconds()))

    async def collect(self, log: Log, views: ViewsClient, heartbeats: Heartbeats, health: ServerHealth, *, open_pages: int) -> bytes:
        """Return all numbers as Prometheus reads them. Where the views, or the log, do not answer, theirs are left out."""
        self._pages.set(open_pages)
        self._note(health)
        for gauge in (self._runs, self._agents, self._queues, self._messages, self._bytes):
            gauge.clear()
        # What hangs is not asked: the collector waits for seconds, not for our time-out.
        if health.log_position is not None:
            with suppress(LogError):
                for size in await log.sizes():
                    self._messages.labels(size.name).set(size.messages)
                    self._bytes.labels(size.name).set(size.bytes)
        self._views_up.set(0)
        if health.views_position is not None:
            with suppress(HeadwaterError):
                await self._ask(views, heartbeats)
                self._views_up.set(1)
        return generate_latest(self.registry)

    async def _ask(self, views: ViewsClient, heartbeats: Heartbeats) -> None:
        status = await views.status(set_aside_limit=0)
        self._views_position.set(status.position)
        self._lag.set(status.lag)
        self._set_aside.set(status.set_aside_count)
        for source, count in (("events", status.set_aside_count), ("logs", status.log_dead_letters), ("work", status.work_dead_letters)):
            self._dead_letters.labels(source).set(count)
        counts = await views.run_counts()
        for state in {*_RUN_STATES, *counts}:
            self._runs.labels(str(StateName(state))).set(counts.get(state, 0))
        agents = await views.agents(status="working", limit=None)
        lively = heartbeats.lively(agent.id for agent in agents)
        healthy = sum(at is not None for at in lively.values())
        self._agents.labels("healthy").set(healthy)
        self._agents.labels("silent").set(len(agents) - healthy)
        for queue in await views.queues():
            self._queues.labels(",".join(queue.labels)).set(queue.scheduled_runs)
        await self._ask_schedules(views)

    async def _ask_schedules(self, views: ViewsClient) -> None:
        for active in (True, False):
            (row,) = await views.ask(CountRows(table="schedules", where={"active": {"_eq": active}}), CountRow)
            self._schedules.labels(str(active).lower()).set(row.count)
        now, overdue, first = datetime.now(UTC), 0, math.inf
        for number, schedule in enumerate(await views.schedules(ListSchedules(limit=SCHEDULES_MAX))):
            if number % _AT_ONCE == 0:
                await anyio.lowlevel.checkpoint()
            if (due := first_due(schedule)) is not None:
                overdue += due.due + LATE_AFTER < now
                first = min(first, (due.due - now).total_seconds())
        self._overdue.set(overdue)
        self._next_due.set(first if math.isfinite(first) else math.nan)
