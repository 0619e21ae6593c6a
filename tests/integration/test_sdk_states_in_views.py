"""What tasks do shows in the log, in the views and on the command line: cached, skipped, looped, retried, timed out, mapped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from harness.agent_harness import AgentHarness, agent_harness, hosted, running_agent
from harness.command_line import CommandLine
from harness.servers import NatsNode
from harness.views_fixtures import views_of

from headwater import Flow, Parameter, case, merge, pause_task, task
from headwater.core.queries.views_client import ViewsClient
from headwater.core.states import StateName
from headwater.sdk.context.context import context
from headwater.sdk.language.cache_validators import all_inputs
from headwater.sdk.results import InlineResult, LocalResult
from headwater.sdk.results.serializers import JSONSerializer
from headwater.sdk.states.signals import LOOP, SKIP, VALIDATIONFAIL
from headwater.sdk.task_library.secrets import PrefectSecret

CANARY = "canary-9c41"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module_nats_node: NatsNode) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADWATER_NATS_URL", module_nats_node.url)
    monkeypatch.setenv("HEADWATER__CONTEXT__SECRETS__TOKEN", CANARY)
    return tmp_path / "home"


@asynccontextmanager
async def shop_with_views(url: str, database_url: str) -> AsyncIterator[tuple[AgentHarness, ViewsClient]]:
    async with agent_harness(url) as harness, views_of(harness.log, database_url) as views, running_agent(url):
        yield harness, views


@pytest.fixture
async def work(module_nats_node: NatsNode, database_url: str) -> AsyncIterator[tuple[AgentHarness, ViewsClient]]:
    async with hosted(shop_with_views(module_nats_node.url, database_url)) as opened:
        yield opened


async def states_of(harness: AgentHarness, views: ViewsClient, run_id: str) -> dict[str, list[str]]:
    """The states that each task run was in, as the views show them once they have all."""
    await harness.ended(run_id)
    tail = await harness.log.events.tail()
    found: dict[str, list[str]] = {}
    for row in await views.task_run_states(run_id, at_least=tail.position):
        found.setdefault(f"{row.slug}[{row.map_index}]" if row.map_index >= 0 else row.slug, []).append(row.state)
    return found


def every_kind_of_end() -> Flow:
    @task
    def skipped() -> None:
        raise SKIP("nothing new")

    @task
    def looped() -> int:
        if context.get("task_loop_count", 1) < 3:
            raise LOOP("once more", result=context.get("task_loop_count", 1))
        return 3

    @task
    def paused() -> None:
        pause_task("for a moment", timedelta(seconds=0.05))

    @task(max_retries=1, retry_delay=0)
    def retried() -> None:
        if context.task_run_count == 1:
            raise ValueError("first")

    @task(timeout=timedelta(seconds=0.2))
    def slow() -> None:
        while True:
            pass

    @task
    def invalid() -> None:
        raise VALIDATIONFAIL("not a number")

    @task
    def numbers() -> list[int]:
        return [1, 0]

    @task(task_run_name="ten by {x}")
    def ten_by(x: int) -> float:
        return 10 / x

    @task
    def after(x: Any) -> None: ...

    with Flow("every kind of end") as flow:
        after(skipped())
        looped()
        paused()
        retried()
        after(slow())
        invalid()
        ten_by.map(numbers())
    return flow


async def test_every_kind_of_end_travels_to_the_views_and_the_command_line(
    work: tuple[AgentHarness, ViewsClient], tmp_path: Path, module_nats_node: NatsNode
) -> None:
    harness, views = work
    run_id = await harness.run(await harness.register(every_kind_of_end()))

    assert await states_of(harness, views, run_id) == {
        "skipped-1": ["Running", "Skipped"],
        "after-1": ["Skipped"],
        "looped-1": ["Running", "Looped", "Running", "Looped", "Running", "Success"],
        "paused-1": ["Running", "Paused", "Running", "Success"],
        "retried-1": ["Running", "Retrying", "Running", "Success"],
        "slow-1": ["Running", "TimedOut"],
        "after-2": ["TriggerFailed"],
        "invalid-1": ["Running", "ValidationFailed"],
        "numbers-1": ["Running", "Success"],
        "ten_by-1": ["Mapped"],
        "ten_by-1[0]": ["Running", "Success"],
        "ten_by-1[1]": ["Running", "Failed"],
    }
    command_line = CommandLine(tmp_path / "terminal", nats_url=module_nats_node.url)
    shown = await anyio.to_thread.run_sync(lambda: command_line("get", "task-runs", run_id, "--output", "json"))
    assert {row["slug"]: row["state"] for row in shown.json if row["map_index"] < 0} == {
        "skipped-1": "Skipped",
        "after-1": "Skipped",
        "looped-1": "Success",
        "paused-1": "Success",
        "retried-1": "Success",
        "slow-1": "TimedOut",
        "after-2": "TriggerFailed",
        "invalid-1": "ValidationFailed",
        "numbers-1": "Success",
        "ten_by-1": "Mapped",
    }
    assert [row["name"] for row in shown.json if row["slug"] == "ten_by-1"] == ["ten_by", "ten by 1", "ten by 0"]


async def test_a_result_serves_the_next_run_through_the_views(work: tuple[AgentHarness, ViewsClient], tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    @task(cache_for=timedelta(hours=1), cache_validator=all_inputs, result=LocalResult(serializer=JSONSerializer()))
    def double(x: int) -> int:
        with marks.open("a") as file:
            file.write(f"{x} ")
        return 2 * x

    @task(result=InlineResult())
    def plus_one(x: int) -> int:
        return x + 1

    with Flow("cached") as flow:
        plus_one(double(Parameter("x")))
    harness, views = work
    flow_id = await harness.register(flow)

    ran = [await harness.run(flow_id, parameters={"x": x}) for x in (4,)]
    first = await states_of(harness, views, ran[0])
    second_id = await harness.run(flow_id, parameters={"x": 4})
    second = await states_of(harness, views, second_id)
    third = await states_of(harness, views, await harness.run(flow_id, parameters={"x": 5}))

    assert (first["double-1"], second["double-1"], third["double-1"]) == (["Running", "Cached"], ["Cached"], ["Running", "Cached"])
    assert marks.read_text() == "4 5 "
    results = {row.slug: row.result for row in await views.task_runs(second_id)}
    assert results["plus_one-1"] is not None
    assert results["plus_one-1"].value == 9


async def test_a_cache_without_views_only_runs_the_task(module_nats_node: NatsNode) -> None:
    @task(cache_for=60)
    def answer() -> int:
        return 42

    async with agent_harness(module_nats_node.url) as harness, running_agent(module_nats_node.url):
        run_id = await harness.run(await harness.register(Flow("no views", tasks=[answer])))
        run = await harness.ended(run_id)
        lines = [line.message for line in await harness.lines(run_id)]

    assert run.state is StateName.SUCCESS
    assert any("cannot be looked up" in line for line in lines)


async def test_branches_show_as_skipped_and_a_secret_shows_nowhere(
    work: tuple[AgentHarness, ViewsClient], home: Path, module_nats_node: NatsNode
) -> None:
    @task
    def use(token: str) -> bool:
        context.logger.info("The token has %d characters.", len(token))
        return token.startswith("canary")

    @task(result=InlineResult())
    def say(word: str) -> str:
        return word

    with Flow("branches", result=LocalResult()) as flow:
        found = use(PrefectSecret("TOKEN"))
        with case(found, True):
            yes = say("yes")
        with case(found, False):
            no = say("no")
        say(merge(yes, no))
    harness, views = work
    run_id = await harness.run(await harness.register(flow))
    states = await states_of(harness, views, run_id)

    assert (states["say-1"], states["say-2"], states["say-3"]) == (["Running", "Success"], ["Skipped"], ["Running", "Success"])
    assert f"The token has {len(CANARY)} characters." in [line.message for line in await harness.lines(run_id)]
    for place in (home, module_nats_node.directory):
        files = [path for path in place.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if CANARY.encode() in path.read_bytes()]
