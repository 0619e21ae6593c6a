"""What people see of a local agent in its terminal."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import pytest
from harness.agent_harness import AgentHarness, AgentProcess

from headwater.agents.agent.console import DOCUMENTATION
from headwater.core.agents import rules as agent_rules
from headwater.core.agents.state import AgentStatus
from headwater.core.aggregates import Aggregate
from headwater.core.log.subjects import agent as agent_subject
from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

pytestmark = pytest.mark.usefixtures("home")

LINE = re.compile(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}\] (INFO|ERROR|WARNING) - agent \| (.*)$")


def said(agent: AgentProcess) -> list[str]:
    """Return what the agent said, each line checked for its form."""
    matches = [LINE.match(line) for line in agent.output.splitlines()]
    assert all(matches), agent.output
    return [match[2] for match in matches if match]


@task
def say_hello() -> None:
    context.logger.info("Hello, World!")
    print("printed")


async def test_an_agent_says_that_it_registers_what_it_takes_and_that_it_waits(harness: AgentHarness, tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path / "agent", harness.url, {"labels": ["etl"]})
    agent.start()
    agent.send(signal.SIGINT)
    status = agent.wait()

    lines = said(agent)
    expected = [
        "Registering agent...",
        "Registration successful!",
        f"Starting LocalAgent with labels {sorted(['etl', socket.gethostname()])!r}",
        "Waiting for flow runs...",
        "Stopping: no more runs are taken.",
        "Agent stopped.",
    ]
    assert [line for line in lines if line in expected] == expected
    assert any(line == f"Agent documentation can be found at {DOCUMENTATION}" for line in lines)
    assert status == 0


async def test_an_agent_is_recorded_when_it_starts_and_when_it_stops(harness: AgentHarness, tmp_path: Path) -> None:
    agent = AgentProcess(tmp_path / "agent", harness.url, {"name": "nights", "limit": 3})
    agent.start()
    run_id = await harness.run(await harness.register(Flow("hello-flow", tasks=[say_hello])))
    run = await harness.ended(run_id)
    recorded = Aggregate(harness.log.events, agent_subject(run.agent_id), agent_rules.RULES)
    working = await recorded.refresh()
    agent.send(signal.SIGTERM)
    agent.wait()

    assert (working.name, working.status) == ("nights", AgentStatus.ONLINE)
    assert (await recorded.refresh()).status is AgentStatus.STOPPED


@pytest.mark.parametrize("show", [True, False], ids=["shown", "not shown"])
async def test_what_runs_log_and_print_is_shown_on_demand_only(harness: AgentHarness, tmp_path: Path, show: bool) -> None:
    agent = AgentProcess(tmp_path / "agent", harness.url, {"show_flow_logs": show})
    agent.start()
    await harness.ended(await harness.run(await harness.register(Flow("hello-flow", tasks=[say_hello]))))
    agent.send(signal.SIGINT)
    agent.wait()

    assert ("printed\n" in agent.output) is show
    assert ("INFO - headwater.say_hello | Hello, World!" in agent.output) is show
    assert "ended: Success after" in agent.output
