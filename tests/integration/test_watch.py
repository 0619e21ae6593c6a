"""Watching a run on a real log: what is shown, in which order, and what is said when no agent takes it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import anyio
import pytest
from harness.servers import NatsNode

from headwater.cli.watch import RunLine, RunWatch
from headwater.core.log.jetstream import open_log
from headwater.core.log.protocol import LogLine
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs.commands import ClaimRun, FinishRun, StartRun
from headwater.core.states import StateName
from headwater.sdk.client.async_client import AsyncClient
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow


@task
def nothing() -> None:
    pass


@pytest.fixture
async def client(nats_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> AsyncIterator[AsyncClient]:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_log(nats_url, ensure_streams=True), AsyncClient(nats_url) as connected:
        await connected.create_project("watched")
        yield connected


@pytest.fixture
async def run_id(client: AsyncClient) -> str:
    flow_id = await client.register(Flow("watched", tasks=[nothing]), "watched", no_url=True)
    return await client.create_flow_run(flow_id, labels=["gpu"])


async def execute(client: AsyncClient, run_id: str, *messages: str) -> None:
    """Do what an agent and a run's process do: claim, start, log, finish."""
    run = await load_run(client.log.events, run_id)
    await run.execute(ClaimRun(1, "a-1", "desk"), client.actor)
    await run.execute(StartRun(1, datetime.now(UTC)), client.actor)
    for message in messages:
        await client.log.logs.write(run_id, 1, [LogLine(datetime.now(UTC), logging.INFO, "headwater.nothing", message)])
    await run.execute(FinishRun(1, datetime.now(UTC), failed=False, message="All reference tasks succeeded."), client.actor)


async def test_states_and_lines_are_shown_by_their_times_and_the_last_line_too(client: AsyncClient, run_id: str) -> None:
    shown: list[RunLine] = []
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(partial(execute, client, run_id, "first", "second"))
            ended = await RunWatch(client, run_id, shown.append).watch()

    assert ended.state is StateName.SUCCESS
    assert {"first", "second"} <= {each.words for each in shown}
    assert shown[0].words == "Entered state <Scheduled>: Flow run scheduled."
    words = [each.words for each in shown]
    assert words.index("Entered state <Running>: Running flow.") < words.index("first") < words.index("second")


async def test_a_run_that_ended_before_is_shown_from_its_beginning(client: AsyncClient, run_id: str) -> None:
    await execute(client, run_id, "first")
    shown: list[RunLine] = []

    with anyio.fail_after(30):
        await RunWatch(client, run_id, shown.append).watch()
    assert "first" in [each.words for each in shown]
    assert sum(each.words.startswith("Entered state") for each in shown) == 4


async def test_without_log_lines_only_states_are_shown(client: AsyncClient, run_id: str) -> None:
    await execute(client, run_id, "first")
    shown: list[RunLine] = []

    with anyio.fail_after(30):
        await RunWatch(client, run_id, shown.append, logs=False).watch()
    assert all(each.words.startswith("Entered state") for each in shown)


async def test_a_run_that_no_agent_takes_is_reported_with_its_labels(client: AsyncClient, run_id: str) -> None:
    said: list[str] = []
    alarmed = anyio.Event()

    def on_unclaimed(words: str) -> None:
        said.append(words)
        alarmed.set()

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(RunWatch(client, run_id, lambda _: None, on_unclaimed=on_unclaimed, unclaimed_seconds=0.05).watch)
            await alarmed.wait()
            await client.cancel_flow_run(run_id)
    assert said[0].startswith("The run has waited for 0 s. It waits for an agent that takes runs with labels gpu;")


async def test_each_report_of_a_run_that_no_agent_takes_says_how_long_it_has_waited(client: AsyncClient, run_id: str) -> None:
    said: list[str] = []
    third = anyio.Event()

    def on_unclaimed(words: str) -> None:
        said.append(words.partition(".")[0])
        if len(said) == 3:
            third.set()

    watch = RunWatch(client, run_id, lambda _: None, on_unclaimed=on_unclaimed, unclaimed_seconds=0.6, unclaimed_again_seconds=1.0)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(watch.watch)
            await third.wait()
            await client.cancel_flow_run(run_id)
    assert said[:3] == [f"The run has waited for {seconds} s" for seconds in (1, 2, 3)]


async def test_a_watch_goes_on_over_a_killed_broker(client: AsyncClient, run_id: str, nats_node: NatsNode) -> None:
    shown: list[RunLine] = []
    watching = anyio.Event()

    def show(each: RunLine) -> None:
        shown.append(each)
        watching.set()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(RunWatch(client, run_id, show).watch)
            await watching.wait()
            nats_node.kill()
            nats_node.start()
            await execute(client, run_id, "after the crash")
    words = [each.words for each in shown]
    assert "after the crash" in words
    assert words[-1].startswith("Entered state <Success>")
    assert len(words) == len(set(words))
