"""Histories of projects, flows and runs, played into a log at times of one's own choosing, by the operations that all programs use.

For tests of what is shown, for screenshots, and for measurements: runs need no agent, and yesterday needs no waiting.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from headwater.core.agents.commands import RegisterAgent
from headwater.core.aggregates import Actor, Aggregate
from headwater.core.events import (
    EdgeSpec,
    Failure,
    Frame,
    ParameterSpec,
    ScheduleFired,
    StorageReference,
    TaskRunEvent,
    TaskRunFailed,
    TaskRunMapped,
    TaskRunRetryScheduled,
    TaskRunStarted,
    TaskRunSucceeded,
    TaskRunTriggerFailed,
    TaskSpec,
)
from headwater.core.log import subjects
from headwater.core.log.protocol import Log, LogLine
from headwater.core.operations.flow_registration import FlowMetadata, Registration
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import RunRequest
from headwater.core.operations.run_lookup import run
from headwater.core.runs.commands import ClaimRun, FinishRun, RecordTaskRuns, RunCommand, StartRun
from headwater.core.runs.state import Run
from headwater.core.values.identifiers import new_id
from headwater.server.planner.schedule_keeper import ScheduleKeeper

LOST = Failure("ConnectionError", "the warehouse did not answer", (Frame("etl.py", 41, "load"), Frame("warehouse.py", 118, "send")))


@dataclass
class Clock:
    """A clock that goes when told to."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


def chain(names: Sequence[str], *, extra: Sequence[tuple[str, str]] = (), mapped: Sequence[str] = ()) -> dict[str, Any]:
    """Tasks that follow each other, with extra edges between them by name."""
    slugs = {name: f"{name}-1" for name in names}
    tasks = tuple(TaskSpec(slug=slugs[name], name=name, type="FunctionTask", mapped=name in mapped, max_retries=2) for name in names)
    pairs = [*itertools.pairwise(names), *extra]
    return {"tasks": tasks, "edges": tuple(EdgeSpec(slugs[a], slugs[b], key=None, mapped=b in mapped) for a, b in pairs)}


@dataclass
class History:
    """Plays a history into a log by a clock of its own."""

    log: Log
    clock: Clock = field(default_factory=Clock)
    random: random.Random = field(default_factory=lambda: random.Random(7))

    def headwater(self, name: str = "cli:ana@river") -> Headwater:
        return Headwater(self.log, self.actor(name))

    def actor(self, name: str = "cli:ana@river") -> Actor:
        return Actor(name, self.clock)

    async def project(self, name: str, description: str = "") -> str:
        change = await self.headwater().projects.create(name, description=description, skip_if_exists=True)
        return change.project_id

    async def flow(self, name: str, *, project: str, parameters: Sequence[ParameterSpec] = (), **metadata: Any) -> Registration:
        storage = StorageReference(type="Local", location=f"/home/ana/.headwater/flows/{name}", flow_name=name, sha256="ab" * 32)
        made = FlowMetadata(name=name, storage=storage, parameters=tuple(parameters), **metadata)
        return await self.headwater().flows.register(made, project_name=project)

    async def agent(self, name: str, labels: Sequence[str] = ()) -> str:
        agent_id = new_id()
        command = RegisterAgent(
            agent_id=agent_id, name=name, kind="local", labels=tuple(labels), hostname="river", pid=4711, version="0.1.0"
        )
        await self.headwater(f"agent:{agent_id}").agents.register(command)
        return agent_id

    async def run(self, flow_id: str, **request: Any) -> PlayedRun:
        created = await self.headwater().runs.create(flow_id, RunRequest(**request))
        return self.played(created.run_id)

    def played(self, run_id: str) -> PlayedRun:
        """A run that is there already, to be moved on."""
        return PlayedRun(self, run_id, run(self.log.events, run_id))

    async def plan(self, schedule_id: str) -> list[PlayedRun]:
        """Let the schedule have what is due by this history's clock, as a server does; returns the runs that it made."""
        before = await self.fired(schedule_id)
        await ScheduleKeeper(self.log, self.actor("planner")).look(schedule_id)
        return [self.played(run_id) for run_id in (await self.fired(schedule_id))[len(before) :]]

    async def fired(self, schedule_id: str) -> list[str]:
        """The ids of the runs that a schedule had, in order."""
        events = [event for recorded in await self.log.events.read(subjects.schedule(schedule_id)) for event in recorded.events]
        return [event.run_id for event in events if isinstance(event, ScheduleFired)]


@dataclass
class PlayedRun:
    """A run, moved on step by step."""

    history: History
    run_id: str
    aggregate: Aggregate[Run, RunCommand]

    async def _do(self, command: RunCommand) -> int:
        return (await self.aggregate.execute(command, self.history.actor(f"run:{self.run_id}#1"))).position

    async def claim(self, agent_id: str = "", agent_name: str = "river-1") -> int:
        return await self._do(ClaimRun(generation=1, agent_id=agent_id or new_id(), agent_name=agent_name))

    async def start(self) -> int:
        return await self._do(StartRun(1, self.history.clock()))

    async def tasks(self, *events: TaskRunEvent) -> int:
        return await self._do(RecordTaskRuns(1, events))

    async def started(self, slug: str, map_index: int = -1, *, run_count: int = 1) -> int:
        return await self.tasks(TaskRunStarted(slug=slug, at=self.history.clock(), map_index=map_index, run_count=run_count))

    async def succeeded(self, slug: str, map_index: int = -1) -> int:
        return await self.tasks(TaskRunSucceeded(slug=slug, at=self.history.clock(), map_index=map_index, message="Task run succeeded."))

    async def failed(self, slug: str, map_index: int = -1) -> int:
        return await self.tasks(TaskRunFailed(slug=slug, at=self.history.clock(), map_index=map_index, failure=LOST, message=LOST.message))

    async def retried(self, slug: str, *, wait_seconds: float = 3) -> int:
        at = self.history.clock()
        retry = TaskRunRetryScheduled(
            slug=slug,
            at=at,
            due_at=at + timedelta(seconds=wait_seconds),
            run_count=1,
            failure=LOST,
            message="Retrying after attempt 1 of 3",
        )
        return await self.tasks(retry)

    async def mapped(self, slug: str, count: int) -> int:
        at = self.history.clock()
        return await self.tasks(TaskRunMapped(slug=slug, at=at, child_count=count, message=f"Mapped into {count} task runs."))

    async def trigger_failed(self, slug: str) -> int:
        return await self.tasks(TaskRunTriggerFailed(slug=slug, at=self.history.clock(), message="Trigger was all_successful."))

    async def finish(self, *, failed: bool = False) -> int:
        message = "Some reference tasks failed." if failed else "All reference tasks succeeded."
        failure = LOST if failed else None
        return await self._do(FinishRun(1, self.history.clock(), failed, message, failure))

    async def log(self, message: str, *, task: str = "", level: int = 20, logger: str = "headwater.FlowRunner") -> int:
        line = LogLine(self.history.clock(), level, logger, message, task)
        return await self.history.log.logs.write(self.run_id, 1, [line])


async def play_etl(
    history: History, flow_id: str, *, fail: bool = False, finish: bool = True, children: int = 12, agent_id: str = ""
) -> PlayedRun:
    """A run of `ETL_TASKS`: extract (retried once), a mapped transform, and what follows."""
    clock, rng = history.clock, history.random
    played = await history.run(flow_id)
    clock.pass_seconds(0.02)
    await played.claim(agent_id)
    clock.pass_seconds(0.2)
    await played.start()
    await played.log("Beginning Flow run for 'etl'")
    await played.started("extract-1")
    await played.log("fetching the orders of the day", task="extract-1", logger="headwater.extract")
    clock.pass_seconds(rng.uniform(0.6, 1.5))
    await played.log("no answer from orders.example, trying again", task="extract-1", level=30, logger="headwater.extract")
    await played.retried("extract-1", wait_seconds=0.8)
    clock.pass_seconds(0.8)
    await played.started("extract-1", run_count=2)
    clock.pass_seconds(rng.uniform(0.5, 2))
    await played.log("4,211 orders", task="extract-1", logger="headwater.extract")
    await played.succeeded("extract-1")
    await played.started("validate-1")
    clock.pass_seconds(rng.uniform(0.2, 0.6))
    await played.succeeded("validate-1")
    await played.mapped("transform-1", children)
    for child in range(children if finish else children // 2):
        await played.started("transform-1", child)
        clock.pass_seconds(rng.uniform(0.1, 0.4))
        await played.succeeded("transform-1", child)
    if not finish:
        await played.started("transform-1", children // 2)
        return played
    await played.started("load-1")
    clock.pass_seconds(rng.uniform(0.8, 2.5))
    if fail:
        await played.log("the warehouse did not answer", task="load-1", level=40, logger="headwater.load")
        await played.failed("load-1")
        await played.trigger_failed("report-1")
    else:
        await played.succeeded("load-1")
        await played.started("report-1")
        clock.pass_seconds(rng.uniform(0.2, 0.8))
        await played.succeeded("report-1")
    await played.log("Flow run FAILED: some reference tasks failed" if fail else "Flow run SUCCESS: all reference tasks succeeded")
    await played.finish(failed=fail)
    return played


ETL_TASKS = chain(
    ["extract", "validate", "transform", "load", "report"], extra=[("extract", "transform"), ("validate", "report")], mapped=["transform"]
)
