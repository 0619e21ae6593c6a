"""What every kind of agent promises, however it starts runs. A new kind is listed in KINDS, and has to keep these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from harness.agent_harness import AgentHarness, hosted
from harness.gates import gated_flow

from headwater.agents.agent.agent_program import AgentProgram
from headwater.agents.local import LocalAgent
from headwater.core.events import RunAttemptLost
from headwater.core.operations.run_creation import RunRequest
from headwater.core.states import StateName
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

pytestmark = pytest.mark.usefixtures("home")

KINDS: dict[str, Callable[..., AgentProgram]] = {"local": LocalAgent}
"""Each kind of agent, made with these arguments: nats_url, grace_seconds."""


@asynccontextmanager
async def running(made: AgentProgram) -> AsyncIterator[AgentProgram]:
    async with anyio.create_task_group() as group:
        await group.start(made.serve)
        yield made
        group.cancel_scope.cancel()


@pytest.fixture(params=KINDS)
async def agent(request: pytest.FixtureRequest, harness: AgentHarness) -> AsyncIterator[AgentProgram]:
    """A running agent of the kind."""
    async with hosted(running(KINDS[request.param](nats_url=harness.url, grace_seconds=0.5))) as opened:
        yield opened


async def created(harness: AgentHarness, flow: Flow, agent: AgentProgram, **request: Any) -> str:
    return await harness.run(await harness.register(flow), labels=agent.labels, **request)


def test_each_kind_of_agent_is_listed() -> None:
    assert {*AgentProgram.__subclasses__()} == {*KINDS.values()}


async def test_it_is_registered_with_its_kind_and_executes_a_run(harness: AgentHarness, agent: AgentProgram) -> None:
    @task
    def answer() -> int:
        return 42

    run = await harness.ended(await created(harness, Flow("answering-flow", tasks=[answer]), agent))

    assert (run.state, run.agent_id) == (StateName.SUCCESS, agent.settings.agent_id)
    assert agent.settings.kind in KINDS


async def test_it_ends_a_run_that_is_cancelled(harness: AgentHarness, agent: AgentProgram, tmp_path: Path) -> None:
    run_id = await created(harness, gated_flow(tmp_path / "never"), agent)
    await harness.happened(run_id, "task_run.started")

    await harness.client.headwater.runs.cancel(run_id)

    assert (await harness.ended(run_id)).state is StateName.CANCELLED


async def test_it_hands_its_runs_back_when_it_is_asked_to(harness: AgentHarness, agent: AgentProgram, tmp_path: Path) -> None:
    run_id = await created(harness, gated_flow(tmp_path / "never"), agent)
    await harness.happened(run_id, "task_run.started")

    assert agent.agent is not None
    await agent.agent.release_runs()

    (*_, lost) = await harness.happened(run_id, "run.attempt_lost")
    assert isinstance(lost, RunAttemptLost)
    assert lost.released
    await harness.client.headwater.runs.cancel(run_id)


async def test_it_fails_a_run_that_it_can_never_launch_and_says_why(harness: AgentHarness, agent: AgentProgram) -> None:
    @task
    def answer() -> int:
        return 42

    flow_id = await harness.register(Flow("elsewhere-flow", tasks=[answer]))
    request = RunRequest(run_config={"type": "RunOnTheMoon"}, labels=agent.labels)
    run = await harness.ended((await harness.client.create_run(flow_id, request)).run_id)

    assert run.state is StateName.FAILED
    assert "RunOnTheMoon" in run.message
