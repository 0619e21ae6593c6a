"""An agent that has connected once does not give up: where the log is away when it registers, it waits for it."""

from __future__ import annotations

import logging

import anyio
import pytest
from anyio.abc import TaskStatus

from headwater.agents.agent.agent import Agent
from headwater.agents.agent.agent_settings import AgentSettings
from headwater.agents.launcher import AttemptListener, ChildProcess, LaunchSpec
from headwater.core.errors import LogUnavailable
from headwater.core.events import AgentRegistered, AgentStopped
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.memory import MemoryLog
from headwater.core.runs.state import Run


class NothingToLaunch:
    async def serve(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        await anyio.sleep_forever()

    async def launch(self, spec: LaunchSpec, listener: AttemptListener) -> ChildProcess:
        raise AssertionError(spec, listener)


def prepare(_: Run, __: Position) -> LaunchSpec:
    raise AssertionError("no run is there")


async def test_an_agent_whose_log_was_exchanged_ends_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """As where the log was lost and its server started with `--accept-new-log`."""
    log, another = MemoryLog(), MemoryLog()
    agent = Agent(log, AgentSettings(name="loyal", kind="local"), NothingToLaunch(), prepare, console_log=logging.getLogger("shown"))
    async with anyio.create_task_group() as group:
        await group.start(agent.serve)
        vars(log.events).update(vars(another.events))  # the same connection leads to another log now
        agent.stop_taking()

    assert "This is another log than the one at which this agent registered" in caplog.text


async def test_an_agent_registers_as_soon_as_the_log_is_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = MemoryLog()
    refused: list[str] = []

    def be_away(operation: str, moment: str, subject: str) -> None:
        if (operation, moment) == ("append", "asked") and subject.startswith("hw.evt.agent.") and len(refused) < 2:
            refused.append(subject)
            raise LogUnavailable(log.url, "connection refused")

    log.interference = be_away
    agent = Agent(log, AgentSettings(name="patient", kind="local"), NothingToLaunch(), prepare, console_log=logging.getLogger("shown"))
    async with anyio.create_task_group() as group:
        await group.start(agent.serve)
        agent.stop_taking()

    recorded = await log.events.read(subjects.agent(agent.settings.agent_id))
    assert [type(event) for each in recorded for event in each.commit.events] == [AgentRegistered, AgentStopped]
    assert len(refused) == 2
    assert [record.message for record in caplog.records if record.name == "shown"] == [
        f"The log takes nothing (No Headwater server answers at {log.url} (connection refused)): no runs are taken.",
        "The log takes commits again.",
    ]
