"""How soon a created run reaches its agent and its first user line, how many runs a second an agent executes, and tasks within a run.

    python benchmarks/claims.py [--runs 100] [--tasks 5000]

One real nats-server that fsyncs every acknowledged message, one local agent in a process of its own, one process per run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import psutil

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]
from harness.agent_harness import AgentHarness, AgentProcess, agent_harness
from harness.command_line import COMMAND
from harness.servers import NatsNode
from measurement import Measurement, at_least, at_most, lines

from headwater import Flow, task
from headwater.core.events import RunStarted, RunSubmitted, RunSucceeded, event_type
from headwater.core.log import subjects
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.labels import queue_id
from headwater.sdk.context.context import context
from headwater.sdk.run_configs import LocalRun
from headwater.sdk.storage import Local


@dataclass(frozen=True)
class Latency:
    """Milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: list[float]) -> Latency:
        ordered = sorted(seconds)
        return cls(1000 * statistics.median(ordered), 1000 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))])


@dataclass(frozen=True)
class ClaimNumbers:
    """What was measured. `tasks_per_second` counts from the start of the run until the views show its end."""

    delivered: Latency
    claimed: Latency
    first_line_warm: Latency
    first_line_at_rest: Latency
    first_line_cold: Latency
    runs_per_second: float
    cpu_milliseconds: float
    tasks_per_second_warning: float
    tasks_per_second_info: float


@task
def say_hello() -> None:
    """Say hello, and note the moment where the benchmark finds it."""
    moment = time.time()
    context.logger.info("Hello, World!")
    with (Path(os.environ["MOMENTS"]) / context.flow_run_id).open("w") as file:
        file.write(repr(moment))


@task
def increment(x: int) -> int:
    return x + 1


def hello_flow(moments: Path, name: str, **environment: str) -> Flow:
    return Flow(name, tasks=[say_hello], run_config=LocalRun(env={"MOMENTS": str(moments), **environment}))


def chain(tasks: int) -> Flow:
    """Return a flow of so many tasks, each of which takes the result of the one before it."""
    with Flow("chain") as flow:
        value = increment(0)
        for _ in range(tasks - 1):
            value = increment(value)
    return flow


async def _each_run(harness: AgentHarness, flow_id: str, times: int, moment_of: Callable[[str, float], Awaitable[float]]) -> list[float]:
    """Return the seconds from just before each run's creation to its moment, one run after the other."""
    seconds = []
    for _ in range(times):
        began = time.time()
        run_id = await harness.run(flow_id)
        seconds.append(await moment_of(run_id, began) - began)
    return seconds


async def delivered(harness: AgentHarness, times: int) -> Latency:
    """From before the creation to the item in the hands of the agent that waits at the queue, on another connection."""
    labels = ("bench-delivery",)
    flow = Flow("delivered", tasks=[say_hello], storage=Local(labels=labels, add_default_labels=False))
    flow_id = await harness.register(flow)
    seconds = []
    async with agent_harness(harness.url) as agent:
        await harness.run(flow_id)  # opens the queue
        async with agent.log.queues.bind(queue_id(labels), lease_seconds=60) as binding:
            items = aiter(binding)
            await (await anext(items)).ack()
            for _ in range(times):
                arrived: list[float] = []

                async def take(arrived: list[float] = arrived) -> None:
                    delivery = await anext(items)
                    arrived.append(time.perf_counter())
                    await delivery.ack()

                async with anyio.create_task_group() as group:
                    group.start_soon(take)
                    await anyio.sleep(0.002)  # it waits at the queue, as an idle agent does
                    began = time.perf_counter()
                    await harness.run(flow_id)
                seconds.append(arrived[0] - began)
    return Latency.of(seconds)


async def executed(
    harness: AgentHarness, flow_id: str, moments: Path, times: int, *, pause_seconds: float = 0.0
) -> tuple[Latency, Latency]:
    """From before the creation to the recorded claim, and to the first line of the user's code; each run so long after the last one."""
    claims: list[float] = []

    async def first_line(run_id: str, began: float) -> float:
        await harness.ended(run_id)
        await anyio.sleep(pause_seconds)
        recorded = await harness.log.events.read(subjects.run(run_id))
        claims.extend(
            each.recorded_at.timestamp() - began for each in recorded for event in each.commit.events if isinstance(event, RunSubmitted)
        )
        return float((moments / run_id).read_text())

    lines = await _each_run(harness, flow_id, times, first_line)
    return Latency.of(claims), Latency.of(lines)


def cpu_seconds() -> float:
    """What all processes here have used: this one, which is the client, and those that it started, with what these have waited for."""
    used = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return used


async def runs_per_second(harness: AgentHarness, flow_id: str, times: int) -> tuple[float, float]:
    """So many runs created at once, from the first claim to the last end, by the broker's clock; and the milliseconds of CPU each took."""
    before = cpu_seconds()
    async with anyio.create_task_group() as group:
        run_ids: list[str] = []

        async def create() -> None:
            run_ids.append(await harness.run(flow_id))

        for _ in range(times):
            group.start_soon(create)
    moments = []
    for run_id in run_ids:
        await harness.ended(run_id)
        recorded = await harness.log.events.read(subjects.run(run_id))
        moments += [each.recorded_at for each in recorded for event in each.commit.events if isinstance(event, RunSubmitted | RunSucceeded)]
    cpu = cpu_seconds() - before
    return times / (max(moments) - min(moments)).total_seconds(), 1000 * cpu / times


async def tasks_per_second(harness: AgentHarness, tasks: int, level: str) -> float:
    """From the recorded start of one run until the views show its end: a record that cannot be read yet does not count."""
    flow = chain(tasks)
    flow.run_config = LocalRun(env={"HEADWATER_LOG_LEVEL": level})
    flow_id = await harness.register(flow)
    run_id = await harness.run(flow_id)
    await harness.ended(run_id)
    history = await harness.log.events.read(subjects.run(run_id))
    await ViewsClient(harness.log, wait_seconds=60).run(run_id, at_least=history[-1].position)
    shown = time.time()
    events = [(event, recorded) for recorded in history for event in recorded.commit.events]
    succeeded = sum(event_type(event) == "task_run.succeeded" for event, _ in events)
    assert succeeded == tasks, f"{succeeded} of {tasks} tasks were recorded"
    (started,) = [recorded.recorded_at for event, recorded in events if isinstance(event, RunStarted)]
    return tasks / (shown - started.timestamp())


async def measure(directory: Path, *, runs: int, tasks: int, limit: int) -> ClaimNumbers:
    node = NatsNode(directory / "nats")
    node.start()
    moments = directory / "moments"
    moments.mkdir()
    server = _ServerProcess(directory / "server", node.url)
    agent = AgentProcess(directory / "agent", node.url, {"limit": limit})
    try:
        server.start()
        async with agent_harness(node.url) as harness:
            delivery = await delivered(harness, runs)
            agent.start()
            warm_id = await harness.register(hello_flow(moments, "warm"))
            cold_id = await harness.register(hello_flow(moments, "cold", PYTHONHASHSEED="7"))
            await executed(harness, warm_id, moments, 5)
            claimed, warm = await executed(harness, warm_id, moments, runs)
            _, at_rest = await executed(harness, warm_id, moments, runs, pause_seconds=0.6)
            _, cold = await executed(harness, cold_id, moments, max(3, runs // 20))
            rate, cpu = await runs_per_second(harness, warm_id, 2 * runs)
            return ClaimNumbers(
                delivery,
                claimed,
                warm,
                at_rest,
                cold,
                rate,
                cpu,
                await tasks_per_second(harness, tasks, "WARNING"),
                await tasks_per_second(harness, tasks, "INFO"),
            )
    finally:
        agent.kill()
        server.end()
        node.kill()


class _ServerProcess:
    """A Headwater server on a log that runs already, so that the views follow what is measured, as they do in life."""

    def __init__(self, directory: Path, nats_url: str) -> None:
        self._command = [str(COMMAND), "server", "start", "--home", str(directory), "--port", "0", "--nats-url", nats_url]

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        assert any("is ready" in line for line in self._process.stdout)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


def measurements(runs: int = 100, tasks: int = 5000, limit: int = 8) -> list[Measurement]:
    with tempfile.TemporaryDirectory() as directory:
        os.environ["HEADWATER_HOME"] = f"{directory}/home"
        numbers = anyio.run(lambda: measure(Path(directory), runs=runs, tasks=tasks, limit=limit))
    return [
        at_most("create → agent has it, p50", numbers.delivered.p50, "ms", 3),
        at_most("create → agent has it, p99", numbers.delivered.p99, "ms", 15),
        Measurement("create → claimed, p50", numbers.claimed.p50, "ms"),
        at_most("create → first user line, one after the other, p50", numbers.first_line_warm.p50, "ms", 10),
        at_most("create → first user line, one after the other, p99", numbers.first_line_warm.p99, "ms", 30),
        at_most("create → first user line, after half a second, p50", numbers.first_line_at_rest.p50, "ms", 10),
        at_most("create → first user line, after half a second, p99", numbers.first_line_at_rest.p99, "ms", 30),
        at_most("create → first user line, cold, p50", numbers.first_line_cold.p50, "ms", 700),
        at_least(f"hello-flow runs, one agent, limit {limit}", numbers.runs_per_second, "runs/s", 80),
        at_most("CPU of one of them, over all processes", numbers.cpu_milliseconds, "ms", 25),
        at_least("tasks of a run until the views show them, WARNING", numbers.tasks_per_second_warning, "tasks/s", 10_000),
        at_least("tasks of a run until the views show them, INFO", numbers.tasks_per_second_info, "tasks/s", 5_000),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--limit", type=int, default=8)
    chosen = parser.parse_args()
    print("\n".join(lines(measurements(chosen.runs, chosen.tasks, chosen.limit))))


if __name__ == "__main__":
    main()
