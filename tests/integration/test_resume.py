"""A run whose agent or process died goes on where it was: what succeeded, and is at hand, is not executed again."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness.agent_harness import AgentHarness, AgentProcess, agent_harness, eventually, hosted, is_alive, running_agent
from harness.monitor_fixtures import promises_are_kept, running_monitor
from harness.servers import NatsNode

from headwater.core.events import TaskRunSucceeded
from headwater.core.states import StateName
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

pytestmark = pytest.mark.usefixtures("home")

LEASE_SECONDS = 1.0


@pytest.fixture
async def harness(nats_node: NatsNode) -> AsyncIterator[AgentHarness]:
    async with hosted(agent_harness(nats_node.url)) as opened, hosted(running_monitor(nats_node.url)):
        yield opened
        await promises_are_kept(opened.log)


def summing_flow(directory: Path) -> Flow:
    """A flow that notes each execution of a task, and whose last task waits for its gate."""

    def note(what: str) -> None:
        with (directory / "executed").open("a") as file:
            file.write(f"{what}\n")

    @task
    def source() -> list[int]:
        note("source")
        return [1, 2, 3]

    @task
    def double(x: int) -> int:
        note(f"double {x}")
        return 2 * x

    @task
    def total(xs: list[int]) -> int:
        note("total")
        (directory / "process").write_text(str(os.getpid()))
        while not (directory / "gate").exists():
            time.sleep(0.01)
        (directory / "total").write_text(str(sum(xs)))
        return sum(xs)

    with Flow("summing-flow") as flow:
        total(double.map(source()))
    return flow


def executions(directory: Path) -> Counter[str]:
    return Counter((directory / "executed").read_text().split("\n")[:-1])


ONCE = {"source": 1, "double 1": 1, "double 2": 1, "double 3": 1}


async def in_its_last_task(harness: AgentHarness, directory: Path) -> str:
    run_id = await harness.run(await harness.register(summing_flow(directory)))
    await eventually(lambda: (directory / "process").exists() and (directory / "process").read_text() != "", "the last task runs")
    await harness.reached(run_id, lambda names, _: names.count("task_run.succeeded") == 4 and names.count("task_run.started") == 5)
    return run_id


def forget_all(home: Path) -> None:
    """Lose what was kept."""
    (kept,) = home.rglob("values-1-*")
    kept.unlink()


async def test_another_agent_goes_on_with_what_was_kept(harness: AgentHarness, tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path / "agent", harness.url, {"name": "first", "lease_seconds": LEASE_SECONDS})
    agent.start()
    run_id = await in_its_last_task(harness, tmp_path)
    process_id = int((tmp_path / "process").read_text())
    agent.kill()
    await eventually(lambda: not is_alive(process_id), "the attempt's process is gone too")
    (tmp_path / "gate").touch()
    async with running_agent(harness.url, name="second", lease_seconds=LEASE_SECONDS):
        ended = await harness.ended(run_id)

    assert (ended.state, ended.attempt) == (StateName.SUCCESS, 2)
    assert executions(tmp_path) == {**ONCE, "total": 2}
    assert (tmp_path / "total").read_text() == "12"
    successes = [event for event in await harness.happened(run_id, "run.succeeded") if isinstance(event, TaskRunSucceeded)]
    assert len({(event.slug, event.map_index) for event in successes}) == len(successes) == 5
    assert all(event.result is None or event.result.value is None for event in successes)  # references, never values


async def test_what_is_not_at_hand_is_executed_again(harness: AgentHarness, tmp_path: Path, home: Path) -> None:
    async with running_agent(harness.url):
        run_id = await in_its_last_task(harness, tmp_path)
        forget_all(home)
        os.kill(int((tmp_path / "process").read_text()), signal.SIGKILL)
        (tmp_path / "gate").touch()
        ended = await harness.ended(run_id)

    assert (ended.state, ended.attempt) == (StateName.SUCCESS, 2)
    assert executions(tmp_path) == {**dict.fromkeys(ONCE, 2), "total": 2}
    assert (tmp_path / "total").read_text() == "12"


async def test_a_process_that_dies_again_and_again_fails_its_run_with_the_reason(harness: AgentHarness) -> None:
    @task
    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    flow_id = await harness.register(Flow("dying-flow", tasks=[die]))
    async with running_agent(harness.url):
        three = await harness.ended(await harness.run(flow_id))

    assert (three.state, three.attempt) == (StateName.FAILED, 3)
    assert "no more than 3 attempts are made" in three.message


async def test_a_restarted_run_executes_one_failed_child_and_what_follows(harness: AgentHarness, tmp_path: Path) -> None:
    directory = tmp_path

    @task
    def numbers() -> list[int]:
        return [1, 2, 3]

    @task
    def check(x: int) -> int:
        with (directory / "executed").open("a") as file:
            file.write(f"check {x}\n")
        if x == 2 and not (directory / "gate").exists():
            raise ValueError("two is not allowed")
        return x

    @task
    def total(xs: list[int]) -> None:
        (directory / "total").write_text(str(sum(xs)))

    with Flow("checking-flow") as flow:
        total(check.map(numbers()))

    async with running_agent(harness.url):
        run_id = await harness.run(await harness.register(flow))
        assert (await harness.ended(run_id)).state is StateName.FAILED
        (directory / "gate").touch()
        await harness.client.headwater.runs.restart(run_id, reason="two is allowed now")
        await harness.happened(run_id, "run.succeeded")

    assert executions(directory) == {"check 1": 1, "check 2": 2, "check 3": 1}
    assert (directory / "total").read_text() == "6"
