"""Registering flows on a real log: what is printed, what is stored, and that nothing is left half done."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from socket import gethostname

import anyio
import pytest
from harness.servers import NatsNode

from headwater.core.errors import CommandRejected, InvalidArgument, NotFound
from headwater.core.events import EdgeSpec
from headwater.core.log.jetstream import open_log
from headwater.core.operations.flow_catalogue import FlowCatalogue
from headwater.core.operations.flow_lookup import tasks_and_edges
from headwater.sdk.client import AsyncClient, Client
from headwater.sdk.language.decorators import task
from headwater.sdk.language.errors import InsideFlowBlock, InvalidFlow
from headwater.sdk.language.flow import Flow
from headwater.sdk.results import Result
from headwater.sdk.run_configs import DockerRun, ECSRun, KubernetesRun, LocalRun, RunConfig, VertexRun
from headwater.sdk.run_configs.errors import NoAgentForRunConfig
from headwater.sdk.storage import S3, Docker, GitHub, Local
from headwater.sdk.storage.errors import StorageNotSupported


@task
def say_hello() -> None:
    pass


def hello_flow() -> Flow:
    with Flow("hello-flow") as flow:
        say_hello()
    return flow


@pytest.fixture(scope="module")
def log_url(module_nats_node: NatsNode) -> str:
    async def make_streams() -> None:
        async with open_log(module_nats_node.url, ensure_streams=True):
            pass

    anyio.run(make_streams)
    return module_nats_node.url


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def project(log_url: str, home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A project of this test's name, and an environment in which scripts find the log."""
    monkeypatch.setenv("HEADWATER_HOME", str(home))
    monkeypatch.setenv("HEADWATER_NATS_URL", log_url)
    monkeypatch.setenv("HEADWATER_UI_URL", "http://ui.example:8080")
    with Client() as client:
        client.create_project(request.node.name)
    return str(request.node.name)


def stored(home: Path) -> list[Path]:
    return [path for path in (home / "flows").rglob("*") if path.is_file()] if home.exists() else []


def test_it_prints_the_lines_of_the_tutorial(project: str, capsys: pytest.CaptureFixture[str]) -> None:
    flow_id = hello_flow().register(project_name=project)

    assert flow_id is not None
    assert capsys.readouterr().out.splitlines() == [
        "Result check: OK",
        f"Flow URL: http://ui.example:8080/default/flow/{flow_id[:-8]}00000000",
        f" └── ID: {flow_id}",
        f" └── Project: {project}",
        f" └── Labels: ['{gethostname()}']",
    ]


def test_without_the_address_only_the_check_is_reported(project: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert hello_flow().register(project_name=project, no_url=True)

    assert capsys.readouterr().out == "Result check: OK\n"


def test_each_call_makes_a_version_and_archives_the_older_ones(project: str) -> None:
    flow = hello_flow()
    first, second = flow.register(project_name=project), flow.register(project_name=project)

    assert first is not None
    assert second is not None
    assert first.endswith("00000001")
    assert second.endswith("00000002")
    with Client() as client, pytest.raises(CommandRejected, match="is archived"):
        client.create_flow_run(first)


def test_the_same_key_returns_the_same_version_and_stores_nothing(project: str, home: Path) -> None:
    flow = hello_flow()
    first = flow.register(project_name=project, idempotency_key=flow.serialized_hash())
    before = stored(home)

    assert flow.register(project_name=project, idempotency_key=flow.serialized_hash()) == first
    assert stored(home) == before
    assert flow.register(project_name=project, idempotency_key="another") != first


def test_an_edited_task_is_another_flow(project: str) -> None:
    """The trap that the key of older tools laid: it covered the flow's structure, and the edited task silently never ran."""
    flow = hello_flow()
    first = flow.register(project_name=project, idempotency_key=flow.serialized_hash())

    @task(name="say_hello")
    def edited() -> str:
        return "edited"

    with Flow("hello-flow") as again:
        edited()
    assert again.register(project_name=project, idempotency_key=again.serialized_hash()) != first


def test_labels_come_from_the_host_the_run_config_and_the_call(project: str, capsys: pytest.CaptureFixture[str]) -> None:
    flow = hello_flow()
    flow.run_config = LocalRun(labels=["gpu"])
    flow.register(project_name=project, labels=["night", "gpu"])

    assert capsys.readouterr().out.splitlines()[-1] == f" └── Labels: {sorted(['gpu', 'night', gethostname()])}"
    # An agent started for the flow must bear them as well.
    assert flow.run_config.labels == {"gpu", "night"}


def test_an_unknown_project_is_reported_before_anything_is_stored(home: Path) -> None:
    with pytest.raises(NotFound) as refusal:
        hello_flow().register(project_name="it's nowhere")

    assert str(refusal.value) == 'Project "it\'s nowhere" not found.'
    assert "Run `headwater create project" in refusal.value.__notes__[0]
    assert stored(home) == []


def test_a_flow_that_cannot_run_is_refused_before_anything_is_stored(project: str, home: Path) -> None:
    first, second = say_hello.copy(name="first"), say_hello.copy(name="second")
    flow = Flow("circle", tasks=[first, second])
    flow.add_edge(first, second)
    flow.add_edge(second, first)

    with pytest.raises(InvalidFlow):
        flow.register(project_name=project)
    assert stored(home) == []


def test_the_stored_file_is_removed_where_the_log_refuses(project: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise CommandRejected("no")

    monkeypatch.setattr("headwater.core.operations.flows.Flows.register", refuse)
    with pytest.raises(CommandRejected, match="no"):
        hello_flow().register(project_name=project)
    assert stored(home) == []
    assert not (home / "flows" / "hello-flow").exists()


def test_a_result_that_keeps_no_values_fails_the_check(project: str) -> None:
    flow = hello_flow()
    flow.result = Result()

    with pytest.raises(InvalidFlow, match="Result check: the result of the flow itself is of a kind that keeps no values"):
        flow.register(project_name=project)


def test_what_contradicts_itself_is_refused(project: str) -> None:
    with_storage = hello_flow()
    with_storage.storage = Local()
    in_project = partial(hello_flow().register, project_name=project)
    calls: list[Callable[[], object]] = [
        hello_flow().register,
        partial(in_project, build=False),
        partial(in_project, labels="gpu"),
        partial(in_project, version_group_id="other"),
        partial(in_project, nonsense=1),
        partial(with_storage.register, project_name=project, path="elsewhere"),
    ]
    for call in calls:
        with pytest.raises(InvalidArgument):
            call()
    with Flow("open") as flow, pytest.raises(InsideFlowBlock):
        flow.register(project_name=project)


def test_what_was_stored_before_is_registered_as_it_lies(project: str, tmp_path: Path) -> None:
    flow = hello_flow()
    flow.storage = Local(directory=tmp_path / "mine")
    flow.storage.add_flow(flow)
    flow.storage.build()
    (file,) = [path for path in (tmp_path / "mine").rglob("*") if path.is_file()]
    before = file.read_bytes()

    assert flow.register(project_name=project, build=False)
    assert file.read_bytes() == before


@pytest.mark.parametrize("run_config", [DockerRun(image="i"), KubernetesRun(), ECSRun(), VertexRun()])
def test_a_flow_that_no_agent_could_run_is_not_registered(project: str, home: Path, run_config: RunConfig) -> None:
    flow = hello_flow()
    flow.run_config = run_config

    with pytest.raises(NoAgentForRunConfig, match=f"A {type(run_config).__name__} needs an agent"):
        flow.register(project_name=project)
    assert stored(home) == []
    with Client() as client, pytest.raises(NoAgentForRunConfig):
        client.create_flow_run(flow_id=str(hello_flow().register(project_name=project)), run_config=run_config)


def test_a_flow_whose_code_cannot_be_kept_is_not_registered(project: str) -> None:
    for storage in (S3("bucket"), GitHub("owner/name", "flow.py"), Docker()):
        flow = hello_flow()
        flow.storage = storage

        with pytest.raises(StorageNotSupported, match=f"which {type(storage).__name__} storage stands for"):
            flow.register(project_name=project)


async def test_a_flow_of_ten_thousand_tasks_is_registered_whole(project: str, log_url: str) -> None:
    tasks = [say_hello.copy() for _ in range(10_000)]
    flow = Flow("large", tasks=tasks)
    for upstream, downstream in pairwise(tasks):
        flow.add_edge(upstream, downstream)

    async with AsyncClient(log_url) as client:
        flow_id = await client.register(flow, project)
        registered = await FlowCatalogue(client.log.events).version(flow_id)
        found, edges = await tasks_and_edges(client.log.events, registered)

    assert registered.parts is not None
    assert [each.slug for each in found] == [f"say_hello-{number}" for number in range(1, 10_001)]
    assert set(edges) == {EdgeSpec(f"say_hello-{n}", f"say_hello-{n + 1}") for n in range(1, 10_000)}


@pytest.mark.parametrize("storage", [None, Local()], ids=["no storage", "a storage"])
def test_a_client_of_another_home_stores_code_there(project: str, home: Path, tmp_path: Path, log_url: str, storage: Local | None) -> None:
    other = tmp_path / "other"
    flow = hello_flow()
    flow.storage = storage
    with Client(log_url, home=other) as client:
        client.register(flow, project, no_url=True)

    assert len(stored(other)) == 1
    assert stored(home) == []


def test_what_was_stored_is_removed_where_its_place_cannot_be_told(project: str, tmp_path: Path) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/home-\xff")
    flow = hello_flow()
    flow.storage = Local(directory=folder)

    with pytest.raises(InvalidFlow, match="the place of its code cannot be determined"):
        flow.register(project_name=project)

    assert stored(Path(folder)) == []
