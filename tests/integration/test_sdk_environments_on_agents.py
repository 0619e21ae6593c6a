"""What an environment calls before and after a run, in the run's process on an agent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from harness.agent_harness import AgentHarness, hosted, running_agent

from headwater.agents.local import LocalAgent
from headwater.core.states import StateName
from headwater.sdk.context.context import context
from headwater.sdk.environments import LocalEnvironment
from headwater.sdk.executors import LocalDaskExecutor
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
async def agent(harness: AgentHarness) -> AsyncIterator[LocalAgent]:
    async with hosted(running_agent(harness.url, labels=["gpu"])) as working:
        yield working


def note(file: Path, what: str) -> None:
    with file.open("a") as notes:
        notes.write(f"{what} {os.getpid()} {context.get('flow_run_id')}\n")


def noted(file: Path) -> list[list[str]]:
    return [line.split() for line in file.read_text().splitlines()]


def flow_around(
    file: Path, *, fails: bool = False, start: Callable[[], object] | None = None, end: Callable[[], object] | None = None
) -> Flow:
    @task
    def work() -> None:
        note(file, "run")
        if fails:
            raise ValueError("no luck")

    environment = LocalEnvironment(
        executor=LocalDaskExecutor(),
        labels=["gpu"],
        on_start=start or (lambda: note(file, "start")),
        on_exit=end or (lambda: note(file, "exit")),
    )
    with Flow("environment-flow", environment=environment) as flow:
        work()
    return flow


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("fails", [False, True])
async def test_both_are_called_in_the_process_of_the_run(harness: AgentHarness, tmp_path: Path, fails: bool) -> None:
    file = tmp_path / "notes"

    run_id = await harness.run(await harness.register(flow_around(file, fails=fails)))
    run = await harness.ended(run_id)

    what, processes, runs = zip(*noted(file), strict=True)
    assert what == ("start", "run", "exit")
    assert len(set(processes)) == 1
    assert set(runs) == {run_id}
    assert run.state == (StateName.FAILED if fails else StateName.SUCCESS)


@pytest.mark.usefixtures("agent")
async def test_an_error_before_the_flow_fails_the_run_and_nothing_runs(harness: AgentHarness, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.touch()

    run = await harness.ended(await harness.run(await harness.register(flow_around(file, start=lambda: 1 // 0))))

    assert run.state is StateName.FAILED
    assert str(run.message).startswith("Failed to load and execute Flow's environment: ZeroDivisionError(")
    assert noted(file) == []


@pytest.mark.usefixtures("agent")
async def test_an_error_after_the_flow_fails_the_run(harness: AgentHarness, tmp_path: Path) -> None:
    file = tmp_path / "notes"

    run = await harness.ended(await harness.run(await harness.register(flow_around(file, end=lambda: 1 // 0))))

    assert run.state is StateName.FAILED
    assert str(run.message).startswith("Failed to load and execute Flow's environment: ZeroDivisionError(")
    assert [each[0] for each in noted(file)] == ["start", "run"]
