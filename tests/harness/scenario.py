"""Things that happen in a log, told briefly: for tests of whatever is folded from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from headwater.core.agents.commands import RegisterAgent
from headwater.core.aggregates import Actor
from headwater.core.events import EdgeSpec, StorageReference, TaskRunEvent, TaskRunStarted, TaskRunSucceeded, TaskSpec
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log
from headwater.core.operations.flow_registration import FlowMetadata, Registration
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import CreatedRun, RunRequest
from headwater.core.operations.run_lookup import run
from headwater.core.runs.commands import ClaimRun, FinishRun, MarkAttemptLost, RecordTaskRuns, StartRun
from headwater.core.values.identifiers import new_id

ACTOR = Actor("test")


def now() -> datetime:
    return datetime.now(UTC)


async def create_test_project(log: Log, name: str = "tutorial") -> str:
    return (await Headwater(log, ACTOR).projects.create(name, skip_if_exists=True)).project_id


def metadata(name: str, tasks: int = 2, **more: Any) -> FlowMetadata:
    """A flow of so many tasks, `task-0` to `task-n`, each after the one before."""
    specs = tuple(TaskSpec(f"task-{n}", f"task {n}", reference=n == tasks - 1) for n in range(tasks))
    edges = tuple(EdgeSpec(f"task-{n}", f"task-{n + 1}") for n in range(tasks - 1))
    return FlowMetadata(name=name, storage=StorageReference("Local", "/flows/x"), tasks=specs, edges=edges, **more)


async def create_flow(log: Log, name: str = "hello-flow", *, tasks: int = 2, project: str = "tutorial", **more: Any) -> Registration:
    await create_test_project(log, project)
    return await Headwater(log, ACTOR).flows.register(metadata(name, tasks, **more), project_name=project)


async def create_run(log: Log, flow_id: str, **request: Any) -> CreatedRun:
    return await Headwater(log, ACTOR).runs.create(flow_id, RunRequest(**request))


async def claimed(log: Log, run_id: str, *, agent_id: str = "agent-1") -> Position:
    found = run(log.events, run_id)
    state = await found.refresh()
    claim = ClaimRun(state.generation, agent_id, "an agent")
    return (await found.execute(claim, Actor(f"agent:{agent_id}"), refresh=False)).position


async def lost(log: Log, run_id: str, *, reason: str = "The agent is gone.") -> Position:
    found = run(log.events, run_id)
    attempt = (await found.refresh()).attempt
    return (await found.execute(MarkAttemptLost(attempt, reason, now()), ACTOR, refresh=False)).position


async def recorded(log: Log, run_id: str, *events: TaskRunEvent) -> Position:
    """Let the run's process record these events of its task runs; it starts the run first if that was not done."""
    found = run(log.events, run_id)
    state = await found.refresh()
    actor = Actor(f"run:{run_id}#{state.attempt}")
    await found.execute(StartRun(state.attempt, now()), actor, refresh=False)
    return (await found.execute(RecordTaskRuns(state.attempt, events), actor, refresh=False)).position


def succeeding(slugs: Sequence[str]) -> list[TaskRunEvent]:
    events: list[TaskRunEvent] = []
    for slug in slugs:
        events.append(TaskRunStarted(slug=slug, at=now(), message="Starting task run."))
        events.append(TaskRunSucceeded(slug=slug, at=now() + timedelta(milliseconds=1), message="Task run succeeded."))
    return events


async def finished(log: Log, run_id: str, *, failed: bool = False) -> Position:
    found = run(log.events, run_id)
    attempt = (await found.refresh()).attempt
    message = "Some reference tasks failed." if failed else "All reference tasks succeeded."
    finish = FinishRun(attempt, now(), failed=failed, message=message)
    return (await found.execute(finish, Actor(f"run:{run_id}#{attempt}"), refresh=False)).position


async def executed(log: Log, run_id: str, *, tasks: int = 2, failed: bool = False) -> Position:
    """A run from its claim to its end."""
    await claimed(log, run_id)
    await recorded(log, run_id, *succeeding([f"task-{n}" for n in range(tasks)]))
    return await finished(log, run_id, failed=failed)


async def an_agent(log: Log, name: str = "an agent", **more: Any) -> tuple[str, Position]:
    agent_id = new_id()
    outcome = await Headwater(log, ACTOR).agents.register(RegisterAgent(agent_id, name, "local", **more))
    return agent_id, outcome.position
