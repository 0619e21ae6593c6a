"""Moments of pendulum, pandas and freezegun on the log: as the times of runs, and inside of what is written there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio.to_thread
import freezegun
import pandas as pd
import pendulum
import pytest
from harness.agent_harness import AgentHarness
from harness.servers import NatsNode

from headwater import Flow, task
from headwater.core.calendar import IntervalSchedule
from headwater.sdk.client import Client
from headwater.sdk.states.state import Scheduled
from headwater.sdk.task_library.flow_runs import create_flow_run

STANDARD = datetime(2031, 5, 1, 8, 30, tzinfo=UTC)
MOMENTS: dict[str, datetime] = {
    "pendulum": pendulum.datetime(2031, 5, 1, 10, 30, tz="Europe/Berlin"),
    "pandas": pd.Timestamp("2031-05-01 08:30", tz="UTC"),
    "freezegun": freezegun.api.FakeDatetime(2031, 5, 1, 8, 30, tzinfo=UTC),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module_nats_node: NatsNode) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADWATER_NATS_URL", module_nats_node.url)
    return tmp_path / "home"


@pytest.fixture
def client(module_nats_node: NatsNode) -> Iterator[Client]:
    with Client(module_nats_node.url) as connected:
        yield connected


WAYS: dict[str, Callable[[Client, str, datetime], str]] = {
    "the client": lambda client, flow_id, moment: client.create_flow_run(flow_id=flow_id, scheduled_start_time=moment),
    "the task": lambda _, flow_id, moment: create_flow_run.run(flow_id=flow_id, scheduled_start_time=moment),
}


@pytest.mark.parametrize("kind", MOMENTS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_run_is_created_for_the_moment(harness: AgentHarness, client: Client, way: str, kind: str) -> None:
    flow_id = await harness.register(
        Flow("f", schedule=IntervalSchedule(MOMENTS[kind], timedelta(days=1)), tasks=[task(lambda: 1, name="t")])
    )

    run_id = await anyio.to_thread.run_sync(lambda: WAYS[way](client, flow_id, MOMENTS[kind]))
    found = await anyio.to_thread.run_sync(lambda: client.get_flow_run_info(run_id))

    assert (found.scheduled_start_time, type(found.scheduled_start_time)) == (STANDARD, datetime)


@pytest.mark.parametrize("span", [pendulum.duration(hours=3), pd.Timedelta(hours=3)])
async def test_a_run_is_created_for_so_long_from_now(harness: AgentHarness, client: Client, span: timedelta) -> None:
    flow_id = await harness.register(Flow("f", tasks=[task(lambda: 1, name="t")]))

    before = datetime.now(UTC)
    run_id = await anyio.to_thread.run_sync(lambda: create_flow_run.run(flow_id=flow_id, scheduled_start_time=span))
    found = await anyio.to_thread.run_sync(lambda: client.get_flow_run_info(run_id))

    assert found.scheduled_start_time is not None
    assert before <= found.scheduled_start_time - timedelta(hours=3) <= datetime.now(UTC)


@pytest.mark.parametrize("kind", MOMENTS)
async def test_a_run_is_set_to_start_at_the_moment(harness: AgentHarness, client: Client, kind: str) -> None:
    flow_id = await harness.register(Flow("f", tasks=[task(lambda: 1, name="t")]))
    run_id = await anyio.to_thread.run_sync(lambda: client.create_flow_run(flow_id=flow_id, scheduled_start_time=STANDARD + timedelta(9)))
    await anyio.to_thread.run_sync(lambda: client.set_flow_run_state(run_id, "Failed"))

    state = await anyio.to_thread.run_sync(lambda: client.set_flow_run_state(run_id, Scheduled(start_time=MOMENTS[kind])))

    assert isinstance(state, Scheduled)
    assert state.start_time == STANDARD
