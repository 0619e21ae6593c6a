"""What the server does by itself when versions are archived and projects deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from harness.scenario import ACTOR, claimed, create_flow, create_run, finished, lost, now, recorded
from harness.views_fixtures import eventually, hosted, opened, views_of

from headwater.core.events import TaskRunPaused, TaskRunStarted
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_lookup import load_run
from headwater.core.queries.requests import ListFlows
from headwater.core.queries.views_client import ViewsClient
from headwater.core.runs.commands import RecordTaskRuns, RunCommand, StartRun, SuspendRun
from headwater.core.states import StateName


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


async def ends(log: Log, run_id: str) -> str:
    """Waits for the run's end; returns its state and message."""

    async def ended() -> str | None:
        run = (await load_run(log.events, run_id)).state
        return f"{run.state}: {run.message}" if run.ended else None

    return await eventually(ended, f"run {run_id} ends")


async def test_runs_that_wait_on_an_archived_version_are_cancelled_and_running_ones_go_on(log: Log, database_url: str) -> None:
    flow = await create_flow(log)
    waiting, running, interrupted = [(await create_run(log, flow.flow_id)).run_id for _ in range(3)]
    await claimed(log, running)
    await recorded(log, running, TaskRunStarted(slug="task-0", at=now()))
    await claimed(log, interrupted)
    await lost(log, interrupted)
    async with views_of(log, database_url):
        await create_flow(log)

        assert await ends(log, waiting) == f"Cancelled: Flow {flow.flow_id} was archived."
        await finished(log, running)
        assert (await load_run(log.events, running)).state.state is StateName.SUCCESS
        assert (await load_run(log.events, interrupted)).state.state is StateName.SCHEDULED


async def test_what_was_archived_while_no_server_ran_is_cancelled_at_its_start(log: Log, database_url: str) -> None:
    flow = await create_flow(log)
    run = await create_run(log, flow.flow_id)
    await create_flow(log)
    async with views_of(log, database_url):
        assert await ends(log, run.run_id) == f"Cancelled: Flow {flow.flow_id} was archived."


async def test_a_deleted_flow_starts_no_run_that_waits(log: Log, database_url: str) -> None:
    flow = await create_flow(log)
    run = await create_run(log, flow.flow_id)
    async with views_of(log, database_url) as views:
        await views.projects(at_least=run.position)
        outcome = await Headwater(log, ACTOR).flows.delete(flow.flow_group_id)
        assert await ends(log, run.run_id) == "Cancelled: Flow hello-flow was deleted."
        assert await views.flows(at_least=outcome.position) == []
        assert [found.name for found in await views.flows(ListFlows(include_deleted=True))] == ["hello-flow"]


async def test_a_deleted_project_takes_its_flows_and_unfinished_runs_along(log: Log, database_url: str) -> None:
    flow = await create_flow(log)
    other = await create_flow(log, project="another")
    waiting, running, paused, elsewhere = [await create_run(log, flow_id) for flow_id in (*[flow.flow_id] * 3, other.flow_id)]
    await claimed(log, running.run_id)
    await claimed(log, paused.run_id)
    waits = RecordTaskRuns(1, (TaskRunStarted(slug="approve-1", at=now()), TaskRunPaused(slug="approve-1", at=now())))
    begun: tuple[RunCommand, ...] = (StartRun(1, now()), waits, SuspendRun(1, now(), None, "It waits for a user."))
    for command in begun:
        await (await load_run(log.events, paused.run_id)).execute(command, ACTOR)
    async with views_of(log, database_url) as views:
        await views.projects(at_least=(await log.events.tail()).position)
        deleted = await Headwater(log, ACTOR).projects.delete(flow.project_id)

        assert await ends(log, waiting.run_id) == "Cancelled: Project tutorial was deleted."
        assert await ends(log, paused.run_id) == "Cancelled: Project tutorial was deleted."
        await eventually(lambda: _is_cancelling(views, running.run_id), "the running one is asked to end")
        assert [project.name for project in await views.projects(at_least=deleted.position)] == ["another"]
        assert [found.project_name for found in await views.flows()] == ["another"]
        assert (await views.run(elsewhere.run_id)).state == "Scheduled"


async def _is_cancelling(views: ViewsClient, run_id: str) -> bool:
    return (await views.run(run_id)).state == "Cancelling"
