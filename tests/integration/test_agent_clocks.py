"""Agents whose clocks are wrong: runs start when the log says so, and users see that a clock is wrong."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import anyio
import msgspec
import pytest
from harness.agent_harness import AgentHarness

from headwater.agents.agent.console import agent_logger
from headwater.agents.local import LocalAgent
from headwater.core.log import subjects
from headwater.core.log.heartbeats import Heartbeat, warnings_in
from headwater.core.log.protocol import LiveMessage
from headwater.core.operations.log_clock import difference
from headwater.core.states import StateName
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

pytestmark = pytest.mark.usefixtures("home")

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def said_by_agent() -> Iterator[list[str]]:
    """The lines of agents in this process. Their logger writes to the output that there was when the first of them was made."""
    lines: list[str] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    keeping, logger = Keeping(), agent_logger()
    logger.addHandler(keeping)
    yield lines
    logger.removeHandler(keeping)


@task
def say() -> None:
    print("said")


@pytest.mark.parametrize("seconds", [-300, -5, 300], ids=["300 s behind", "5 s behind", "300 s ahead"])
async def test_runs_start_at_once_on_an_agent_whose_clock_is_wrong_and_no_timer_is_set_for_them(
    harness: AgentHarness, said_by_agent: list[str], seconds: int
) -> None:
    agent = LocalAgent(nats_url=harness.url)
    agent.clock = lambda: datetime.now(UTC) + timedelta(seconds=seconds)
    flow_id = await harness.register(Flow("hello-flow", tasks=[say]))
    timers: list[str] = []
    async with (
        harness.log.subscribe("hw.timer.>") as armed,
        harness.log.subscribe(subjects.AGENT_HEARTBEATS) as beats,
        anyio.create_task_group() as group,
    ):

        async def count() -> None:
            async for message in armed:
                timers.append(message.subject)  # noqa: PERF401 - counted while they come

        group.start_soon(count)
        await group.start(agent.serve)
        ended = [await harness.ended(await harness.run(flow_id)) for _ in range(3)]
        said = await warning_heard(beats)
        group.cancel_scope.cancel()

    assert [run.state for run in ended] == [StateName.SUCCESS] * 3
    assert timers == []
    # What is shown is the least that is certain: a slow answer makes it less, and nothing makes it more.
    told = re.compile(rf"(\d+\.\d) s {'behind' if seconds < 0 else 'ahead of'} the log's")
    assert 1 < max(map(float, told.findall(said))) <= abs(seconds)
    assert len(told.findall("\n".join(said_by_agent))) == 1


async def warning_heard(beats: AsyncIterator[LiveMessage]) -> str:
    decode = msgspec.json.Decoder(Heartbeat).decode
    async for message in beats:
        for words in warnings_in(decode(message.data)):
            return words
    raise AssertionError("the heartbeats ended")


@pytest.mark.parametrize(
    ("before", "told", "after", "seconds"),
    [
        (0, 0, 0, 0),
        (0, 2, 4, 0),  # a slow answer
        (0, 300, 1, 299),
        (0, -300, 1, -300),
        (0, 4, 4, 0),
    ],
)
def test_a_difference_of_clocks_is_the_least_that_is_certain(before: int, told: int, after: int, seconds: int) -> None:
    moments = [NOON + timedelta(seconds=each) for each in (before, told, after)]

    assert difference(*moments) == timedelta(seconds=seconds)


def test_an_agent_without_trouble_is_warned_of_in_no_word() -> None:
    assert warnings_in(Heartbeat(agent_id="a", interval_seconds=1, lease_seconds=10)) == []
