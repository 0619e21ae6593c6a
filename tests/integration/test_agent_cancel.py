"""Cancelling runs that are being executed: their processes end, with all they started, and only then the run is cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from harness.agent_harness import AgentHarness, eventually, is_alive, running_agent

from headwater.core.aggregates import Actor
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs.commands import CancelRun, RenameRun
from headwater.core.states import StateName
from headwater.sdk.context.context import context
from headwater.sdk.executors import Executor, LocalExecutor, ProcessExecutor, ThreadExecutor
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.language.resource_manager import resource_manager

pytestmark = pytest.mark.usefixtures("home")


async def cancel(harness: AgentHarness, run_id: str) -> None:
    await harness.client.headwater.runs.cancel(run_id, reason="no longer wanted")


async def test_a_sleeping_task_is_interrupted_and_cleans_up_behind_itself(harness: AgentHarness, tmp_path: Path) -> None:
    cleaned = tmp_path / "cleaned"

    @task
    def sleep() -> None:
        try:
            time.sleep(600)
        finally:
            cleaned.write_text("yes")
            context.logger.info("cleaning up")

    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(Flow("sleeping-flow", tasks=[sleep])))
        await harness.happened(run_id, "task_run.started")
        await cancel(harness, run_id)
        run = await harness.ended(run_id)

    assert run.state is StateName.CANCELLED
    assert (await harness.names(run_id))[-3:] == ["run.cancel_requested", "task_run.cancelled", "run.cancelled"]
    assert cleaned.read_text() == "yes"
    assert "cleaning up" in [line.message for line in await harness.lines(run_id)]


@pytest.mark.parametrize("rename", [False, True], ids=["the last commit", "another one after it"])
async def test_a_cancel_of_which_nothing_is_heard_is_found_by_the_holder(harness: AgentHarness, rename: bool) -> None:
    @task
    def sleep() -> None:
        time.sleep(600)

    async with running_agent(harness.url, lease_seconds=1.0):
        run_id = await harness.run(await harness.register(Flow("sleeping-flow", tasks=[sleep])))
        await harness.happened(run_id, "task_run.started")
        # As another version of Headwater does, or one whose notice was lost: only the log has it.
        run = await load_run(harness.log.events, run_id)
        await run.execute(CancelRun(datetime.now(UTC), "no longer wanted"), Actor("test"))
        if rename:
            await run.execute(RenameRun("sleeper"), Actor("test"))
        ended = await harness.ended(run_id)

    assert ended.state is StateName.CANCELLED


async def test_a_process_that_ignores_sigterm_is_killed_after_the_grace_with_all_it_started(harness: AgentHarness, tmp_path: Path) -> None:
    family = tmp_path / "family"

    @task
    def defy() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        family.write_text(f"{os.getpid()} {child.pid}")
        time.sleep(600)

    async with running_agent(harness.url, grace_seconds=0.3):
        run_id = await harness.run(await harness.register(Flow("defiant-flow", tasks=[defy])))
        await eventually(lambda: family.exists() and len(family.read_text().split()) == 2, "the task runs")
        await cancel(harness, run_id)
        run = await harness.ended(run_id)
        process_ids = [int(each) for each in family.read_text().split()]
        await eventually(lambda: not any(map(is_alive, process_ids)), "the process and its child are gone")

    assert run.state is StateName.CANCELLED
    assert run.task_runs["defy-1", -1].state is StateName.CANCELLED


async def test_a_run_cancelled_before_an_agent_takes_it_is_never_started(harness: AgentHarness) -> None:
    @task
    def never() -> None:
        raise AssertionError

    run_id = await harness.run(await harness.register(Flow("unwanted-flow", tasks=[never])))
    await cancel(harness, run_id)
    other = await harness.run(await harness.register(Flow("wanted-flow", tasks=[never])))
    async with running_agent(harness.url):
        await harness.ended(other)

    assert await harness.names(run_id) == ["run.created", "run.scheduled", "run.cancel_requested", "run.cancelled"]


async def test_the_agent_takes_further_runs_after_a_cancelled_one(harness: AgentHarness) -> None:
    @task
    def sleep() -> None:
        time.sleep(600)

    @task
    def quick() -> None: ...

    async with running_agent(harness.url, limit=1):
        run_id = await harness.run(await harness.register(Flow("sleeping-flow", tasks=[sleep])))
        await harness.happened(run_id, "task_run.started")
        following = await harness.run(await harness.register(Flow("quick-flow", tasks=[quick])))
        await cancel(harness, run_id)

        assert (await harness.ended(following)).state is StateName.SUCCESS
        assert (await harness.state(run_id)).state is StateName.CANCELLED


@pytest.mark.parametrize("executor", [LocalExecutor(), ThreadExecutor(2), ProcessExecutor(1)], ids=lambda it: type(it).__name__)
async def test_resources_of_a_cancelled_run_are_cleaned_up(harness: AgentHarness, tmp_path: Path, executor: Executor) -> None:
    trace, began = tmp_path / "trace", tmp_path / "began"

    def note(what: str) -> None:
        with trace.open("a") as file:
            file.write(f"{what} ")

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def setup(self) -> str:
            note(f"+{self.name}")
            return self.name

        def cleanup(self, resource: str) -> None:
            note(f"-{resource}")

    resource: Any = resource_manager(Named)

    @task
    def use(resource: str) -> None:
        began.write_text(resource)
        threading.Event().wait(600)

    with Flow("with-resources", executor=executor) as flow, resource("outer"), resource("inner") as inner:
        use(inner)
    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(flow))
        await eventually(began.exists, "the resource is used")
        await cancel(harness, run_id)
        run = await harness.ended(run_id)

    done = trace.read_text().split()
    assert run.state is StateName.CANCELLED
    assert done.index("-inner") < done.index("-outer")
    assert sorted(done) == ["+inner", "+outer", "-inner", "-outer"]
