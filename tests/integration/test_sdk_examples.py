"""Each example runs as its text says: here and now, and through an agent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from harness.agent_harness import AgentHarness, agent_harness, hosted, running_agent
from harness.servers import NatsNode
from harness.views_fixtures import views_of

from headwater.core.runs.state import Run
from headwater.core.states import StateName
from headwater.sdk.client import Client
from headwater.sdk.language.flow import Flow
from headwater.sdk.storage.scripts import flows_in_file

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LAST_LINES = {
    "branching_flow": "13 parcels, sent by ship",
    "caching_flow": "north: 500 (map of north)",
    "etl_flow": "8 rows loaded",
    "parameters_flow": "3 lines said",
    "retry_flow": "answer to attempt 3",
    "scheduled_flow": "registered, it would run every 60 seconds",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module_nats_node: NatsNode) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADWATER_NATS_URL", module_nats_node.url)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@asynccontextmanager
async def shop_with_views(url: str, database_url: str) -> AsyncIterator[AgentHarness]:
    async with agent_harness(url) as harness, views_of(harness.log, database_url), running_agent(url):
        yield harness


@pytest.fixture
async def harness(module_nats_node: NatsNode, database_url: str) -> AsyncIterator[AgentHarness]:
    async with hosted(shop_with_views(module_nats_node.url, database_url)) as opened:
        yield opened


@pytest.mark.parametrize("example", LAST_LINES)
def test_an_example_runs_as_a_script(example: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{example}.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.splitlines()[-1] == LAST_LINES[example]


async def through_an_agent(harness: AgentHarness, example: str, tmp_path: Path, **parameters: Any) -> Run:
    flow = next(each for each in loaded(example) if each.name == example.replace("_", "-"))
    for other in loaded(example):
        if other.name != flow.name:
            await harness.register(other)
    return await harness.ended(await harness.run(await harness.register(flow), parameters=parameters))


def loaded(example: str) -> list[Flow]:
    return list(flows_in_file(EXAMPLES / f"{example}.py"))


@pytest.mark.parametrize(
    ("example", "parameters"),
    [
        ("branching_flow", {"order": 7}),
        ("caching_flow", {"region": "south"}),
        ("etl_flow", {"pages": 3}),
        ("parameters_flow", {}),
        ("retry_flow", {}),
        ("scheduled_flow", {}),
    ],
)
async def test_an_example_runs_through_an_agent(harness: AgentHarness, example: str, parameters: dict[str, Any], tmp_path: Path) -> None:
    if example == "etl_flow":
        parameters = {**parameters, "warehouse": str(tmp_path / "rows.jsonl")}

    run = await through_an_agent(harness, example, tmp_path, **parameters)

    assert run.state is StateName.SUCCESS, run.message
    if example == "etl_flow":
        assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 6


async def test_the_sub_flow_example_takes_its_childs_result(harness: AgentHarness, tmp_path: Path, module_nats_node: NatsNode) -> None:
    run = await through_an_agent(harness, "sub_flows", tmp_path, text="one two three")

    assert run.state is StateName.SUCCESS, run.message

    def result() -> Any:
        from headwater.sdk.backend import FlowRunView

        with Client(module_nats_node.url) as client:
            return FlowRunView.from_flow_run_id(run.created.run_id, client=client).get_task_run("say_how_many-1").get_result()

    assert await anyio.to_thread.run_sync(result) == "3 words"


async def test_the_sub_flow_example_runs_here_while_an_agent_runs_its_child(harness: AgentHarness) -> None:
    flows = {each.name: each for each in loaded("sub_flows")}
    await harness.register(flows["count-words"])

    state = await anyio.to_thread.run_sync(lambda: flows["sub-flows"].run(parameters={"text": "one two three four"}))

    assert state is not None
    assert state.is_successful(), state.message
    (said,) = flows["sub-flows"].get_tasks("say_how_many")
    assert state.result[said].result == "4 words"


def test_every_example_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*LAST_LINES, "hello_flow", "hello_world", "sub_flows"}
