"""Artifacts of task runs: made where tasks are executed, changed from elsewhere, and shown on pages, in GraphQL and on the command line."""

from __future__ import annotations

import multiprocessing
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from harness.agent_harness import AgentHarness, agent_harness, running_agent
from harness.servers import NatsNode
from harness.views_fixtures import hosted

from headwater import audit
from headwater.core.events import TaskRunArtifactCreated, TaskRunArtifactDeleted, TaskRunArtifactUpdated
from headwater.core.log import subjects
from headwater.core.states import StateName
from headwater.sdk.backend import (
    artifacts,
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
    delete_artifact,
    update_link_artifact,
    update_markdown_artifact,
    update_table_artifact,
)
from headwater.sdk.context.context import context
from headwater.sdk.executors import DaskExecutor, Executor, LocalExecutor, ProcessExecutor, ThreadExecutor
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.task_library.flow_runs import StartFlowRun


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nats_node: NatsNode) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADWATER_NATS_URL", nats_node.url)
    return tmp_path / "home"


@pytest.fixture
async def harness(nats_node: NatsNode) -> AsyncIterator[AgentHarness]:
    async with hosted(agent_harness(nats_node.url)) as opened, hosted(running_agent(nats_node.url)):
        yield opened


async def made(harness: AgentHarness, run_id: str) -> list[Any]:
    recorded = await harness.log.events.read(subjects.run(run_id))
    kinds = TaskRunArtifactCreated | TaskRunArtifactUpdated | TaskRunArtifactDeleted
    return [event for each in recorded for event in each.events if isinstance(event, kinds)]


EXECUTORS: dict[str, Callable[[], Executor]] = {
    "local": LocalExecutor,
    "threads": lambda: ThreadExecutor(2),
    "processes": lambda: ProcessExecutor(2),
    "dask": lambda: DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 2}),
}


@pytest.mark.parametrize("kind", EXECUTORS)
@pytest.mark.filterwarnings("ignore")  # of Dask's own event loops
async def test_tasks_make_artifacts_wherever_they_are_executed(harness: AgentHarness, kind: str) -> None:
    @task
    def report(x: int) -> str:
        made = create_markdown_artifact(f"# {x} rows")
        assert made is not None
        update_markdown_artifact(made, f"# {x + 1} rows")
        return made

    @task
    def sum_up(ids: list[str]) -> None:
        table = create_table_artifact([{"id": each} for each in ids])
        assert table is not None
        update_table_artifact(table, {"id": ids})
        link = create_link_artifact("https://example.com")
        assert link is not None
        update_link_artifact(link, "/other")
        delete_artifact(ids[0])

    with Flow(f"reports {kind}", executor=EXECUTORS[kind]()) as flow:
        sum_up(report.map([1, 2]))
    run_id = await harness.run(await harness.register(flow))
    ended = await harness.ended(run_id)

    assert ended.state is StateName.SUCCESS, await harness.lines(run_id)
    events = await made(harness, run_id)
    assert sorted((e.slug, e.map_index, e.data["markdown"]) for e in events if "report" in e.slug and hasattr(e, "data")) == [
        ("report-1", 0, "# 1 rows"),
        ("report-1", 0, "# 2 rows"),
        ("report-1", 1, "# 2 rows"),
        ("report-1", 1, "# 3 rows"),
    ]
    (gone,) = (event for event in events if isinstance(event, TaskRunArtifactDeleted))
    assert (gone.slug, gone.map_index) == ("report-1", 0)
    assert sorted((each.slug, each.map_index, each.kind) for each in ended.artifacts.values()) == [
        ("report-1", 1, "markdown"),
        ("sum_up-1", -1, "link"),
        ("sum_up-1", -1, "table"),
    ]
    assert (await audit.verify(harness.log)).violations == ()


async def test_an_artifact_of_another_run_is_changed_by_its_id(harness: AgentHarness) -> None:
    @task
    def first() -> None:
        create_link_artifact("/first")

    @task
    def second(address: str) -> None:
        update_link_artifact(address, "/second")
        delete_artifact(address)

    with Flow("first") as one:
        first()
    run_id = await harness.run(await harness.register(one))
    (artifact_id,) = (await harness.ended(run_id)).artifacts
    with Flow("second") as two:
        second(f"{run_id}:{artifact_id}")

    assert (await harness.ended(await harness.run(await harness.register(two)))).state is StateName.SUCCESS
    assert [type(event) for event in await made(harness, run_id)] == [
        TaskRunArtifactCreated,
        TaskRunArtifactUpdated,
        TaskRunArtifactDeleted,
    ]
    assert (await audit.verify(harness.log)).violations == ()


async def test_what_a_task_gets_wrong_fails_it_in_a_sentence_and_writes_nothing(harness: AgentHarness) -> None:
    @task
    def too_large() -> None:
        create_markdown_artifact("x" * 70_000)

    @task
    def no_link() -> None:
        create_link_artifact("")

    @task
    def not_there() -> None:
        delete_artifact(f"{context.flow_run_id}:{context.flow_run_id}")

    @task
    def wrong_kind() -> None:
        made = create_markdown_artifact("x")
        assert made is not None
        update_link_artifact(made, "/x")

    with Flow("wrong", tasks=[too_large, no_link, not_there, wrong_kind]) as flow:
        pass
    run_id = await harness.run(await harness.register(flow))
    ended = await harness.ended(run_id)

    said = " ".join(line.message for line in await harness.lines(run_id))
    assert {found.state for found in ended.task_runs.values()} == {StateName.FAILED}
    for words in ("at most 65,536 are allowed", "A link is text that is not empty", "not found", "The data of a markdown artifact"):
        assert words in said
    assert [event.slug for event in await made(harness, run_id)] == ["wrong_kind-1"]


def _in_a_child(values: dict[str, Any]) -> None:
    with context(values):
        create_link_artifact("/from a child")


async def test_a_process_that_a_task_started_makes_artifacts_of_the_task(harness: AgentHarness) -> None:
    @task
    def start() -> None:
        values = {name: context[name] for name in ("running_with_backend", "flow_run_id", "task_slug", "map_index", "attempt")}
        child = multiprocessing.get_context("fork").Process(target=_in_a_child, args=(values,))
        child.start()
        child.join()
        assert child.exitcode == 0

    with Flow("starts") as flow:
        start()
    run_id = await harness.run(await harness.register(flow))

    assert (await harness.ended(run_id)).state is StateName.SUCCESS, await harness.lines(run_id)
    (event,) = await made(harness, run_id)
    assert (event.slug, event.data) == ("start-1", {"link": "/from a child"})


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_run_that_a_task_started_is_a_link_unless_that_is_not_wanted(harness: AgentHarness, wanted: bool) -> None:
    with Flow("child") as child:
        pass
    with Flow("parent", tasks=[StartFlowRun("child", "tutorial", create_link_artifact=wanted, name="start")]) as parent:
        pass
    await harness.register(child)
    run_id = await harness.run(await harness.register(parent))
    ended = await harness.ended(run_id)

    assert ended.state is StateName.SUCCESS
    created = next(iter(ended.task_runs.values())).result
    assert created is not None
    assert [event.data for event in await made(harness, run_id)] == ([{"link": f"/default/flow-run/{created.value}"}] if wanted else [])


def test_outside_of_a_run_nothing_is_made_and_the_flow_runs_the_same() -> None:
    @task
    def report() -> list[Any]:
        made = [create_link_artifact("x"), create_markdown_artifact("x"), create_table_artifact([[1]])]
        update_link_artifact("id", "x")
        update_markdown_artifact("id", "x")
        update_table_artifact("id", [])
        delete_artifact("id")
        return made

    with Flow("local") as flow:
        reported = report()
    state = flow.run()

    assert state is not None
    assert state.result[reported].result == [None, None, None]


@pytest.mark.parametrize("name", ["create_link", "update_link", "create_markdown", "update_markdown", "create_table", "update_table"])
def test_the_names_that_the_functions_had_before_are_there(name: str) -> None:
    assert getattr(artifacts, name) is getattr(artifacts, f"{name}_artifact")


@pytest.mark.parametrize(
    ("given", "columns", "rows"),
    [
        ([{"a": 1, "b": 2}, {"b": 3, "c": None}], ["a", "b", "c"], [[1, 2, None], [None, 3, None]]),
        ({"a": [1, 2], "b": [3, 4]}, ["a", "b"], [[1, 3], [2, 4]]),
        ([[1], [2, 3]], ["", ""], [[1, None], [2, 3]]),
        ([], [], []),
        ({}, [], []),
        ([{1: float("nan"), "t": (1, 2)}], ["1", "t"], [["nan", "(1, 2)"]]),
    ],
)
def test_a_table_may_be_given_in_several_forms(given: Any, columns: list[str], rows: list[list[Any]]) -> None:
    assert artifacts._table(given) == {"columns": columns, "rows": rows}


@pytest.mark.parametrize("given", ["abc", 3, {"a": [1], "b": []}, {"a": 1}, [1, 2], [{"a": 1}, [1]]])
def test_what_is_not_a_table_is_reported(given: Any) -> None:
    with pytest.raises(ValueError, match="A table"):
        artifacts._table(given)
