"""A schedule on a log in memory whose time stands still until it is moved, and servers that look at it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness.scenario import metadata
from headwater.core.aggregates import Actor
from headwater.core.calendar import Schedule
from headwater.core.events import AnyEvent, ParameterSpec, ScheduleFired
from headwater.core.log import subjects
from headwater.core.log.memory import ManualClock, MemoryLog
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_lookup import run
from headwater.core.runs.state import Run
from headwater.core.values.identifiers import schedule_id
from headwater.server.planner.schedule_keeper import ScheduleKeeper

START = datetime(2026, 11, 28, 6, tzinfo=UTC)


async def events_of(log: MemoryLog, planned: str) -> list[AnyEvent]:
    return [event for recorded in await log.events.read(subjects.schedule(planned)) for event in recorded.events]


async def fired(log: MemoryLog, planned: str) -> list[ScheduleFired]:
    return [event for event in await events_of(log, planned) if isinstance(event, ScheduleFired)]


class Planned:
    """A flow with a schedule from 6:00 on, and servers that look at it."""

    def __init__(self, servers: int = 1) -> None:
        self.clock = ManualClock(START)
        self.log = MemoryLog(clock=self.clock)
        self.actor = Actor("planner", self.clock.now)
        self.servers = [ScheduleKeeper(self.log, self.actor) for _ in range(servers)]
        self.headwater = Headwater(self.log, self.actor)
        self.schedule_id = ""
        self._folded = 0

    async def register(self, schedule: Schedule, **more: Any) -> None:
        await self.headwater.projects.create("tutorial", skip_if_exists=True)
        told = metadata("hello-flow", schedule=schedule.serialize(), **more)
        done = await self.headwater.flows.register(told, project_name="tutorial")
        self.schedule_id = schedule_id(done.flow_group_id)

    async def after(self, seconds: float) -> list[AnyEvent]:
        """Let so much time pass, and a server look; return what it recorded."""
        known = len(await events_of(self.log, self.schedule_id))
        self.clock.advance(seconds)
        await self.follow()
        await self.servers[0].look(self.schedule_id)
        return (await events_of(self.log, self.schedule_id))[known:]

    async def follow(self) -> None:
        """Let the servers hear what happened in the log, as they do by following it."""
        async for batch in self.log.events.read_all(after=self._folded):
            for recorded in batch:
                for server in self.servers:
                    server.runs.fold(recorded)
                self._folded = recorded.position

    async def run(self, event: ScheduleFired) -> Run:
        return await run(self.log.events, event.run_id).refresh()


def asks_for(name: str, **more: Any) -> tuple[ParameterSpec, ...]:
    """The parameters of a flow that has one of this name."""
    return (ParameterSpec(name, **(more or {"required": True})),)
