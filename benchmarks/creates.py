"""How many runs one client creates a second: in turn, and with many creations in flight.

    python benchmarks/creates.py [--runs 2000]

One real nats-server that fsyncs every acknowledged message, no agent, no server. The floor under it is a bare append of the same commits.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]
from harness.agent_harness import AgentHarness, agent_harness
from harness.servers import NatsNode
from measurement import Measurement, at_least, lines

from headwater import Flow, task
from headwater.core.aggregates import Actor
from headwater.core.events import RunScheduled
from headwater.core.log import subjects
from headwater.core.values.identifiers import new_id

IN_FLIGHT = 64


@task
def nothing() -> None:
    """Is never executed."""


async def each_second(do: Callable[[], Awaitable[object]], times: int, at_once: int) -> float:
    """Return how often a second it is done, by so many at once."""
    todo = iter(range(times))

    async def work() -> None:
        for _ in todo:
            await do()

    began = time.perf_counter()
    async with anyio.create_task_group() as group:
        for _ in range(at_once):
            group.start_soon(work)
    return times / (time.perf_counter() - began)


async def measured(harness: AgentHarness, runs: int) -> list[Measurement]:
    flow_id = await harness.register(Flow("created", tasks=[nothing]))
    actor = Actor("benchmark")

    async def create() -> None:
        await harness.run(flow_id)

    async def append() -> None:
        await harness.log.events.append(subjects.run(new_id()), actor.commit([RunScheduled(actor.clock(), 1)]), expected=0)

    await each_second(create, 50, 1)
    found = []
    for words, at_once, goal in (("in turn", 1, 500), (f"{IN_FLIGHT} in flight", IN_FLIGHT, 1500)):
        times = max(1, runs if at_once > 1 else runs // 4)
        floor = await each_second(append, times, at_once)
        ours = await each_second(create, times, at_once)
        found.append(at_least(f"runs created by one client, {words}", ours, "/s", goal, floor=floor, floor_is="one append"))
    return found


async def measurements(runs: int = 2000) -> list[Measurement]:
    with tempfile.TemporaryDirectory() as home:
        os.environ["HEADWATER_HOME"] = str(Path(home) / "home")
        node = NatsNode(Path(home) / "nats")
        node.start()
        try:
            async with agent_harness(node.url) as harness:
                return await measured(harness, runs)
        finally:
            node.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    print("\n".join(lines(anyio.run(measurements, parser.parse_args().runs))))
