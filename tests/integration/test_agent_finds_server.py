"""Agents and servers that are not there at the same time, or not at the same place: the agent waits, and finds the server."""

from __future__ import annotations

from pathlib import Path

import anyio
import msgspec
import pytest
from harness.agent_harness import PATIENCE_SECONDS, agent_harness, eventually
from harness.gates import gated_flow
from harness.servers import NatsNode

from headwater.agents.local import LocalAgent
from headwater.core.errors import LogUnavailable
from headwater.core.program.server_file import FILE_NAME, ServerFile
from headwater.core.states import StateName
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def say_where(home: Path, node: NatsNode) -> None:
    """Write what a server writes when it is ready."""
    said = ServerFile(nats_url=node.url, http_url="http://127.0.0.1:1", database_url="", pid=1, version="0")
    (home / FILE_NAME).write_bytes(msgspec.json.encode(said))


async def test_an_agent_started_before_the_first_server_waits_for_it_and_says_so_once(
    nats_node: NatsNode, capsys: pytest.CaptureFixture[str]
) -> None:
    agent = LocalAgent(nats_url=nats_node.url)
    said = ""

    def waits() -> int:
        nonlocal said
        said += capsys.readouterr().out
        return said.count("no stream EVENTS. This agent waits for a server")

    async with anyio.create_task_group() as group:
        group.start_soon(agent.serve)
        await eventually(lambda: waits() > 0, "the agent says that it waits")
        async with agent_harness(nats_node.url) as harness:

            @task
            def say() -> None:
                print("said")

            run = await harness.ended(await harness.run(await harness.register(Flow("hello-flow", tasks=[say]))))
        group.cancel_scope.cancel()

    assert run.state is StateName.SUCCESS
    assert waits() == 1


async def test_an_agent_at_an_address_without_a_server_says_so_at_once(nats_node: NatsNode) -> None:
    nats_node.kill()
    with pytest.raises(LogUnavailable, match="connection refused"):
        await LocalAgent(nats_url=nats_node.url).serve()


async def test_agents_and_runs_of_a_home_find_its_server_at_another_port(home: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = NatsNode(tmp_path / "nats")
    first.start()
    say_where(home, first)

    agent = LocalAgent(home=home)
    async with anyio.create_task_group() as group:
        async with agent_harness(first.url) as harness:
            flow_id = await harness.register(gated_flow(gate))
            await group.start(agent.serve)
            at_work = await harness.run(flow_id)
            await harness.happened(at_work, "task_run.started")
        first.stop()
        second = NatsNode(tmp_path / "nats")
        second.start()
        say_where(home, second)
        gate.touch()
        async with agent_harness(second.url) as harness:
            with anyio.fail_after(PATIENCE_SECONDS):
                ended = [await harness.ended(at_work), await harness.ended(await harness.run(flow_id))]
        group.cancel_scope.cancel()
    second.kill()

    assert [(run.state, run.attempt) for run in ended] == [(StateName.SUCCESS, 1)] * 2
