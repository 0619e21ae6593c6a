"""Runs of flows as steps of a flow, and views of runs: with a real log, a real agent and real views."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from harness.agent_harness import PATIENCE_SECONDS, AgentHarness, agent_harness, hosted, running_agent
from harness.servers import NatsNode
from harness.views_fixtures import views_of

from headwater import Flow, Parameter, task
from headwater.core.errors import Ambiguous, InvalidArgument, NotFound
from headwater.core.events import RunCreated
from headwater.core.log import subjects
from headwater.core.states import StateName
from headwater.sdk.backend import FlowRunView, FlowView, RunNotEnded, TaskRunView, watch_flow_run
from headwater.sdk.backend.task_run import ResultUnavailable
from headwater.sdk.client import Client
from headwater.sdk.context.context import context
from headwater.sdk.results import InlineResult, LocalResult
from headwater.sdk.results.serializers import JSONSerializer
from headwater.sdk.run_configs import UniversalRun
from headwater.sdk.states.signals import SKIP
from headwater.sdk.states.state import Mapped, Skipped
from headwater.sdk.task_library.flow_runs import (
    CancelFlowRun,
    RenameFlowRun,
    StartFlowRun,
    create_flow_run,
    get_task_run_result,
    wait_for_flow_run,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module_nats_node: NatsNode) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADWATER_NATS_URL", module_nats_node.url)
    return tmp_path / "home"


@asynccontextmanager
async def shop_with_views(url: str, database_url: str) -> AsyncIterator[AgentHarness]:
    async with agent_harness(url) as harness, views_of(harness.log, database_url), running_agent(url):
        yield harness


@pytest.fixture
async def harness(module_nats_node: NatsNode, database_url: str) -> AsyncIterator[AgentHarness]:
    async with hosted(shop_with_views(module_nats_node.url, database_url)) as opened:
        yield opened


@pytest.fixture
def client(module_nats_node: NatsNode) -> Iterator[Client]:
    with Client(module_nats_node.url) as connected:
        yield connected


def child_flow() -> Flow:
    @task(result=LocalResult(serializer=JSONSerializer()))
    def double(x: int) -> dict[str, int]:
        context.logger.info("doubling %d", x)
        return {"twice": 2 * x}

    @task(result=InlineResult())
    def small(x: int) -> int:
        return x

    @task
    def forget(x: int) -> int:
        return x

    @task
    def skip() -> None:
        raise SKIP("no need")

    @task
    def numbers() -> list[int]:
        return [1, 2]

    with Flow("child") as flow:
        x = Parameter("x", default=1)
        double(x)
        forget(x)
        skip()
        small.map(numbers())
    return flow


async def test_a_flow_runs_another_waits_for_it_and_takes_its_results(harness: AgentHarness, client: Client) -> None:
    @task(result=InlineResult())
    def keep(value: dict[str, int], children: list[int], x: int) -> list[object]:
        return [value, children, x]

    with Flow("parent") as parent:
        child = create_flow_run(flow_name="child", project_name="tutorial", parameters={"x": 21})
        waited = wait_for_flow_run(child, stream_logs=True)
        result = get_task_run_result(child, "double-1", upstream_tasks=[waited])
        kept = keep(result, get_task_run_result(child, "small-1"), get_task_run_result(child, "x"))
    await harness.register(child_flow())
    run_id = await harness.run(await harness.register(parent))
    run = await harness.ended(run_id)

    assert (run.state, run.message) == (StateName.SUCCESS, "All reference tasks succeeded.")

    def look() -> None:
        view = FlowRunView.from_flow_run_id(run_id, client=client)
        assert view.get_task_run(parent.slugs[kept]).get_result() == [{"twice": 42}, [1, 2], 21]
        lines = [line.message for line in view.get_logs()]
        assert any(line.startswith(f"Created flow run '{view.name}-child'") for line in lines)
        assert f"Flow '{view.name}-child': doubling 21" in lines
        assert any("Entered state <Success>" in line for line in lines)

    await anyio.to_thread.run_sync(look)


async def test_a_task_that_is_run_again_finds_the_run_it_created(harness: AgentHarness, client: Client) -> None:
    @task(max_retries=1, retry_delay=0)
    def create_and_fail_once() -> str:
        run_id: str = create_flow_run.run(flow_name="child", project_name="tutorial")
        if context.task_run_count == 1:
            raise ValueError(run_id)
        return run_id

    await harness.register(child_flow())
    run_id = await harness.run(await harness.register(Flow("again", tasks=[create_and_fail_once])))

    assert (await harness.ended(run_id)).state is StateName.SUCCESS

    def look() -> None:
        name = FlowRunView.from_flow_run_id(run_id, client=client).name
        assert len(client.get_flow_runs(name=f"{name}-child")) == 1

    await client_caught_up(client)
    await anyio.to_thread.run_sync(look)


async def test_a_parent_may_end_as_its_child_does(harness: AgentHarness) -> None:
    @task
    def fail() -> None:
        raise ValueError("no")

    with Flow("failing parent") as parent:
        StartFlowRun("failing child", "tutorial", wait=True)()
    await harness.register(Flow("failing child", tasks=[fail]))
    run = await harness.ended(await harness.run(await harness.register(parent)))

    assert run.state is StateName.FAILED
    (task_run,) = run.task_runs.values()
    assert "finished in state <Failed" in task_run.message


async def test_the_older_classes_start_rename_and_cancel_runs(harness: AgentHarness, client: Client) -> None:
    with Flow("older parent") as parent:
        child = StartFlowRun(
            "child",
            "tutorial",
            {"x": 5},
            new_flow_context={"k": 1},
            poll_interval=timedelta(seconds=5),
            run_config=UniversalRun(labels=["no"]),
        )(run_name="waits for nobody")
        renamed = RenameFlowRun(flow_run_name="quiet-heron")()
        cancelled = CancelFlowRun()(child, upstream_tasks=[renamed])
    await harness.register(child_flow())
    run_id = await harness.run(await harness.register(parent))
    run = await harness.ended(run_id)

    assert (run.state, run.name) == (StateName.SUCCESS, "quiet-heron"), run.message
    assert run.task_runs[parent.slugs[cancelled], -1].state is StateName.SUCCESS

    def look() -> None:
        (row,) = client.get_flow_runs(name="waits for nobody")
        view = FlowRunView.from_flow_run_id(row.id, client=client)
        assert (view.state.is_finished(), view.state.is_successful(), view.parameters, view.context) == (True, False, {"x": 5}, {"k": 1})

    await anyio.to_thread.run_sync(look)


async def test_views_tell_all_about_a_run(harness: AgentHarness, client: Client) -> None:
    flow = child_flow()
    flow_id = await harness.register(flow)
    run_id = await harness.run(flow_id, parameters={"x": 3}, run_name="quiet-heron")
    await harness.ended(run_id)

    def look() -> None:
        view = FlowRunView.from_flow_run_id(run_id, client=client)
        assert (view.name, view.flow_id, view.parameters) == ("quiet-heron", flow_id, {"x": 3})
        assert [type(state).__name__ for state in view.states] == ["Scheduled", "Submitted", "Running", "Success"]
        assert view.get_latest() == view
        assert "doubling 3" in [line.message for line in view.get_logs()]
        assert view.info.end_time is not None
        assert view.get_logs(start_time=view.info.end_time + timedelta(hours=1)) == []
        in_utc = view.info.end_time.replace(tzinfo=None)
        assert view.get_logs(start_time=in_utc + timedelta(minutes=1)) == []
        assert view.get_logs(end_time=in_utc + timedelta(minutes=1)) == view.get_logs()
        assert (view.get_flow_metadata().name, view.get_flow_metadata().project_name) == ("child", "tutorial")

        slugs = {task_run.task_slug for task_run in view.get_all_task_runs()}
        assert slugs == set(flow.slugs.values())
        assert f"{run_id}/double-1/-1" in view.get_task_run_ids()
        double = TaskRunView.from_task_run_id(f"{run_id}/double-1/-1", client=client)
        assert TaskRunView.from_task_run_id(f"{run_id}:-1:double-1", client=client) == double
        assert (double.get_result(), double.get_latest().run_count) == ({"twice": 6}, 1)
        mapped = view.get_task_run("small-1")
        assert isinstance(mapped.state, Mapped)
        assert [child.get_result() for child in mapped.iter_mapped()] == mapped.get_result() == [1, 2]
        skipped = view.get_task_run("skip-1")
        assert (type(skipped.state), skipped.get_result()) == (Skipped, None)
        with pytest.raises(ResultUnavailable, match="was not kept"):
            view.get_task_run("forget-1").get_result()
        with pytest.raises(NotFound, match="nothing-1"):
            view.get_task_run("nothing-1")
        with pytest.raises(InvalidArgument, match="by task_slug, or by task_run_id"):
            view.get_task_run()

    await anyio.to_thread.run_sync(look)


async def test_a_run_is_watched_to_its_end_and_no_longer_than_asked(harness: AgentHarness, client: Client) -> None:
    run_id = await harness.run(await harness.register(child_flow()))
    waits = await harness.run(await harness.register(child_flow()), labels=["nobody"])

    def look() -> None:
        lines = [line.message for line in watch_flow_run(run_id, client=client)]
        states = [line for line in lines if line.startswith("Entered state")]
        assert states[0].startswith("Entered state <Scheduled>")
        assert lines[-1] == "Entered state <Success>: All reference tasks succeeded."
        assert "doubling 1" in lines
        with pytest.raises(RunNotEnded, match="has not ended"):
            list(watch_flow_run(waits, max_duration=timedelta(seconds=0.1), client=client))
        with pytest.raises(NotFound):
            list(watch_flow_run("0197a3c1-1111-7222-8333-444455556666", client=client))

    await anyio.to_thread.run_sync(look)


async def test_flows_are_found_by_id_and_by_name(harness: AgentHarness, client: Client) -> None:
    flow_id = await harness.register(child_flow())
    await harness.client.create_project("other")
    await harness.client.register(child_flow(), "other", no_url=True)

    def look() -> None:
        view = FlowView.from_id(flow_id, client=client)
        assert (view.name, view.project_name, view.archived) == ("child", "tutorial", False)
        assert view.parameters == ({"name": "x", "default": 1},)
        assert FlowView.from_flow_group_id(view.flow_group_id, client=client) == view
        assert FlowView.from_flow_name("child", "tutorial", client=client) == view
        assert FlowView.from_flow_name("child", last_updated=True, client=client).project_name == "other"
        with pytest.raises(Ambiguous, match="'other', 'tutorial'"):
            FlowView.from_flow_name("child", client=client)
        with pytest.raises(NotFound):
            FlowView.from_flow_name("nobody", client=client)

    await client_caught_up(client)
    await anyio.to_thread.run_sync(look)


async def client_caught_up(client: Client) -> None:
    """Another client wrote; this one asks for what is at least as new."""
    tail = await anyio.to_thread.run_sync(lambda: client.call(lambda c: c.log.events.tail()))
    await anyio.to_thread.run_sync(lambda: client.call(lambda c: c.views.projects(at_least=tail.position)))


async def test_a_cancelled_run_takes_the_unfinished_runs_with_it_that_it_created(harness: AgentHarness) -> None:
    nobody = UniversalRun(labels=["nobody"])
    leaf = Flow("leaf", tasks=[task(lambda: None, name="do nothing")], run_config=nobody)
    with Flow("middle") as middle:
        created = create_flow_run(flow_name="leaf", project_name="tutorial", run_name="grandchild")
        task(lambda: threading.Event().wait(600), name="hold")(upstream_tasks=[created])
    with Flow("parent") as parent:
        first = create_flow_run(flow_name="middle", project_name="tutorial", run_name="middle")
        StartFlowRun(flow_name="leaf", project_name="tutorial", run_name="waited-for", wait=True)(upstream_tasks=[first])
    await harness.register(leaf)
    await harness.register(middle)
    run_id = await harness.run(await harness.register(parent), run_name="parent")
    run_ids = await created_runs(harness, {"parent", "middle", "grandchild", "waited-for"})

    await harness.client.headwater.runs.cancel(run_id)

    ended = {name: await harness.ended(each) for name, each in run_ids.items()}
    assert {name: run.state for name, run in ended.items()} == dict.fromkeys(run_ids, StateName.CANCELLED)
    assert ended["waited-for"].message == "Its parent run 'parent' was cancelled."
    assert ended["grandchild"].message == "Its parent run 'middle' was cancelled."


async def created_runs(harness: AgentHarness, names: set[str]) -> dict[str, str]:
    """Return the ids of runs of these names as soon as all of them are there."""
    found: dict[str, str] = {}
    with anyio.fail_after(PATIENCE_SECONDS):
        async with harness.log.events.follow(subjects.RUNS_ALL) as news:
            async for batch in news:
                created = [event for recorded in batch for event in recorded.commit.events if isinstance(event, RunCreated)]
                found |= {event.name: event.run_id for event in created if event.name in names}
                if found.keys() == names:
                    return found
    raise AssertionError("the feed ended")
