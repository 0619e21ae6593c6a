"""A project is deleted, a flow is, a version archived, a parent cancelled: `headwater explain` says which, and what can be done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from harness.command_line import CommandLine
from harness.scenario import ACTOR, claimed, create_flow, create_run, now, recorded
from harness.views_fixtures import eventually, hosted, opened, views_of

from headwater.core.events import CancelCause, ResultReference, TaskRunStarted, TaskRunSucceeded
from headwater.core.log.protocol import Log
from headwater.core.operations.cancellation import CHILD_RUN_RESULT
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_lookup import load_run, run
from headwater.core.queries.views_client import ViewsClient
from headwater.core.runs.commands import ConfirmCancelled

Explain = Callable[[str], Awaitable[Any]]


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


@pytest.fixture
async def views(log: Log, database_url: str) -> AsyncIterator[ViewsClient]:
    async with hosted(views_of(log, database_url)) as views:
        yield views


@pytest.fixture
def explain(nats_url: str, tmp_path: Path) -> Explain:
    command = CommandLine(tmp_path, nats_url=nats_url)

    async def explained(run_id: str) -> Any:
        return (await anyio.to_thread.run_sync(lambda: command("explain", run_id, "--output", "json"))).json

    return explained


async def cause_of_the_end(log: Log, run_id: str) -> str:
    """Waits until the run is to end; returns its cause."""

    async def asked() -> str | None:
        request = (await load_run(log.events, run_id)).state.cancel_request
        return None if request is None else request.cause

    return await eventually(asked, f"run {run_id} is cancelled")


async def a_parent_of(log: Log, child_id: str, flow_id: str) -> str:
    """A run that is executed, and whose task created the child."""
    parent_id = (await create_run(log, flow_id)).run_id
    await claimed(log, parent_id)
    made = TaskRunSucceeded(slug="task-0", at=now(), result=ResultReference(CHILD_RUN_RESULT, value=child_id))
    await recorded(log, parent_id, TaskRunStarted(slug="task-0", at=now()), made)
    return parent_id


async def test_a_newer_version_took_its_place(log: Log, views: ViewsClient, explain: Explain) -> None:
    flow = await create_flow(log)
    waiting = await create_run(log, flow.flow_id)
    await create_flow(log)

    assert await cause_of_the_end(log, waiting.run_id) == CancelCause.FLOW_ARCHIVED
    told = await explain(waiting.run_id)
    assert (told["reason"], told["words"]) == ("flow archived", f"It was cancelled by server: Flow {flow.flow_id} was archived.")
    assert told["hint"] == f"Create a run of the newest version instead: `headwater run --id {flow.flow_group_id}`."


async def test_its_flow_was_deleted(log: Log, views: ViewsClient, explain: Explain) -> None:
    flow = await create_flow(log)
    waiting = await create_run(log, flow.flow_id)
    await views.projects(at_least=waiting.position)
    await Headwater(log, ACTOR).flows.delete(flow.flow_group_id)

    assert await cause_of_the_end(log, waiting.run_id) == CancelCause.FLOW_DELETED
    told = await explain(waiting.run_id)
    assert (told["reason"], told["words"]) == ("flow deleted", "It was cancelled by server: Flow hello-flow was deleted.")
    assert told["hint"].startswith("Register the flow again; ")


async def test_its_project_was_deleted_with_its_flow_its_parent_and_all(log: Log, views: ViewsClient, explain: Explain) -> None:
    flow = await create_flow(log, project="the archive")
    elsewhere = await create_run(log, (await create_flow(log)).flow_id)
    waiting, child = [await create_run(log, flow.flow_id) for _ in range(2)]
    parent_id = await a_parent_of(log, child.run_id, flow.flow_id)
    other_parent_id = await a_parent_of(log, elsewhere.run_id, flow.flow_id)
    await views.projects(at_least=(await log.events.tail()).position)
    await Headwater(log, ACTOR).projects.delete(flow.project_id)

    for run_id in (waiting.run_id, child.run_id, parent_id, other_parent_id):
        assert await cause_of_the_end(log, run_id) == CancelCause.PROJECT_DELETED
    assert await cause_of_the_end(log, elsewhere.run_id) == CancelCause.PARENT_CANCELLED
    await run(log.events, parent_id).execute(ConfirmCancelled(1, now()), ACTOR)
    for run_id in (waiting.run_id, child.run_id, parent_id):
        told = await explain(run_id)
        assert (told["reason"], told["words"]) == ("project deleted", "It was cancelled by server: Project the archive was deleted.")
        assert "restart" not in told["hint"]


async def test_its_parent_was_cancelled(log: Log, views: ViewsClient, explain: Explain) -> None:
    flow = await create_flow(log)
    child = await create_run(log, flow.flow_id)
    parent_id = await a_parent_of(log, child.run_id, flow.flow_id)
    await Headwater(log, ACTOR).runs.cancel(parent_id, reason="enough")

    assert await cause_of_the_end(log, parent_id) == CancelCause.USER
    assert await cause_of_the_end(log, child.run_id) == CancelCause.PARENT_CANCELLED
    told = await explain(child.run_id)
    name = (await load_run(log.events, parent_id)).state.name
    assert (told["reason"], told["words"]) == ("parent run cancelled", f"It was cancelled by test: Its parent run {name!r} was cancelled.")
    assert told["hint"].startswith(f"`headwater restart {child.run_id}` executes it after all; ")
