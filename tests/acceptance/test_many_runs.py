"""Many runs over several agents, and one run of many tasks."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable

import anyio
from harness.command_line import CommandLine
from harness.servers import wait_for

from headwater.core.queries.requests import ListFlows
from headwater.sdk.client.async_client import AsyncClient

RUNS = 50
TASKS = 10_000


def test_fifty_runs_at_once_over_two_agents_are_executed_exactly_once_each(
    headwater: CommandLine, project: str, start_agent: Callable[..., subprocess.Popen[str]]
) -> None:
    marks = headwater.directory / "marks"
    marks.mkdir()
    headwater.write(
        "marking.py",
        f"""
import headwater
from headwater import Flow, task

@task
def mark():
    with open("{marks}/" + headwater.context.flow_run_id, "a") as file:
        file.write("x")

flow = Flow("marking", tasks=[mark])
""",
    )
    assert headwater("register", "--project", project, "--path", "marking.py").code == 0
    start_agent("--name", "left", "--limit", "4")
    start_agent("--name", "right", "--limit", "4")

    async def create_all() -> list[str]:
        async with AsyncClient(home=headwater.home) as client:
            (flow,) = await client.views.flows(ListFlows(name="marking", project=project))
            ids: list[str] = []

            async def create() -> None:
                ids.append(await client.create_flow_run(flow.id))

            async with anyio.create_task_group() as group:
                for _ in range(RUNS):
                    group.start_soon(create)
            return ids

    ids = anyio.run(create_all)

    def runs() -> list[dict[str, object]]:
        listed: list[dict[str, object]] = headwater("get", "flow-runs", "--project", project, "--limit", "100", "--output", "json").json
        return listed

    wait_for(lambda: all(run["state"] == "Success" for run in runs()), "all runs successful", timeout_seconds=90)
    assert {path.name: path.read_text() for path in marks.iterdir()} == dict.fromkeys(ids, "x")
    found = runs()
    assert len(found) == RUNS
    assert {run["attempt"] for run in found} == {1}
    assert set(Counter(run["agent_name"] for run in found)) == {"left", "right"}


def test_a_flow_of_ten_thousand_tasks_is_registered_and_runs(
    headwater: CommandLine, project: str, start_agent: Callable[..., subprocess.Popen[str]]
) -> None:
    headwater.write(
        "wide.py",
        f"""
from headwater import Flow, task

@task
def step(x):
    return x + 1

with Flow("wide") as flow:
    for chain in range({TASKS // 10}):
        value = chain
        for _ in range(10):
            value = step(value)
""",
    )
    registered = headwater("register", "--project", project, "--path", "wide.py")
    assert registered.code == 0, registered.err
    start_agent("--env", "HEADWATER_LOG_LEVEL=WARNING")

    ended = headwater("run", "--name", "wide", "--project", project, "--watch")

    assert ended.code == 0, ended.out[-2000:] + ended.err
    described = headwater("describe", "flow", "wide", "--project", project, "--output", "json").json
    assert len(described["tasks"]) == TASKS
    assert len(described["edges"]) == TASKS - TASKS // 10
    (run,) = headwater("get", "flow-runs", "--project", project, "--output", "json").json
    task_runs = headwater("get", "task-runs", run["id"], "--limit", str(TASKS), "--output", "json").json
    assert Counter(each["state"] for each in task_runs) == {"Success": TASKS}
