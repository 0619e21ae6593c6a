"""The synchronous client against a real log: in scripts, threads, forks, and where an event loop runs already."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from harness.servers import NatsNode, wait_for

from headwater.core.errors import Ambiguous, InvalidArgument, InvalidParameters, LogUnavailable, NotFound
from headwater.core.log.jetstream import open_log
from headwater.sdk.client import AsyncClient, Client
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.language.parameter import Parameter
from headwater.sdk.states.state import Cancelled, Scheduled


@task
def greet(name: str) -> str:
    return f"Hello, {name}!"


def hello_flow() -> Flow:
    with Flow("hello-flow") as flow:
        greet(Parameter("name", default="Cloud"))
    return flow


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADWATER_ACTOR", "ana@desk")
    return tmp_path / "home"


@pytest.fixture(scope="module")
def log_url(module_nats_node: NatsNode) -> str:
    async def make_streams() -> None:
        async with open_log(module_nats_node.url, ensure_streams=True):
            pass

    anyio.run(make_streams)
    return module_nats_node.url


@pytest.fixture
def client(log_url: str, request: pytest.FixtureRequest) -> Iterator[Client]:
    with Client(log_url) as connected:
        connected.create_project(request.node.name)
        yield connected


@pytest.fixture
def flow_id(client: Client, request: pytest.FixtureRequest) -> str:
    return client.register(hello_flow(), request.node.name)


def test_a_project_that_exists_is_returned_and_a_deleted_one_is_gone(client: Client) -> None:
    first = client.create_project("Hello, World!", "first steps")

    assert client.create_project("Hello, World!") == first
    assert client.delete_project("Hello, World!") is True
    with pytest.raises(NotFound):
        client.delete_project("Hello, World!")
    assert client.create_project("Hello, World!") != first


def test_a_run_is_created_named_and_cancelled(client: Client, flow_id: str) -> None:
    run_id = client.create_flow_run(flow_id, parameters={"name": "Ana"}, labels=["b", "a"], run_name="first", context={"day": 1})

    info = client.get_flow_run_info(run_id)
    assert (info.name, info.flow_id, info.version, info.labels) == ("first", flow_id, 1, ("a", "b"))
    assert (info.parameters, info.context, info.created_by) == ({"name": "Ana"}, {"day": 1}, "client:ana@desk")
    assert [(each.slug, str(type(each.state).__name__)) for each in info.task_runs] == [("name", "Pending"), ("greet-1", "Pending")]
    assert isinstance(client.get_flow_run_state(run_id), Scheduled)
    assert client.set_flow_run_name(run_id, "second") is True
    assert client.get_flow_run_info(run_id).name == "second"
    assert client.cancel_flow_run(run_id) is True
    assert client.cancel_flow_run(run_id) is False
    assert isinstance(client.get_flow_run_state(run_id), Cancelled)


def test_a_run_may_be_asked_for_by_the_flow_and_for_later(client: Client, flow_id: str) -> None:
    due = datetime.now(UTC) + timedelta(hours=3)
    info = client.get_flow_run_info(client.create_flow_run(version_group_id=f"{flow_id[:-8]}00000000", scheduled_start_time=due))

    assert info.flow_id == flow_id
    assert info.scheduled_start_time == due
    naive = client.get_flow_run_info(client.create_flow_run(flow_id, scheduled_start_time=due.astimezone().replace(tzinfo=None)))
    assert naive.scheduled_start_time == due


def test_the_same_idempotency_key_names_the_same_run(client: Client, flow_id: str) -> None:
    first = client.create_flow_run(flow_id, idempotency_key="today", parameters={"name": "Ana"})

    assert client.create_flow_run(flow_id, idempotency_key="today") == first
    assert client.create_flow_run(flow_id, idempotency_key="tomorrow") != first


def test_what_cannot_be_is_refused_with_a_hint_in_the_traceback(client: Client, flow_id: str) -> None:
    with pytest.raises(InvalidParameters) as refusal:
        client.create_flow_run(flow_id, parameters={"nmae": "Ana"})
    assert refusal.value.__notes__ == ["hint: Did you mean 'name'? It takes: name."]
    for call in (
        client.create_flow_run,
        lambda: client.create_flow_run(flow_id, version_group_id=flow_id),
        lambda: client.create_flow_run(flow_id, labels="gpu"),
        lambda: client.get_flow_run_info("no id"),
    ):
        with pytest.raises(InvalidArgument):
            call()
    with pytest.raises(NotFound):
        client.get_flow_run_state("0199c0de-7a3e-7000-8000-0123456789ab")
    assert not issubclass(NotFound, Ambiguous)


def test_several_threads_may_share_one_client(client: Client, flow_id: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: client.create_flow_run(flow_id), range(40)))

    assert len(set(runs)) == 40


async def test_it_works_where_an_event_loop_runs_already(log_url: str) -> None:
    # As in a notebook: the call blocks this loop, and needs another one to be answered.
    with Client(log_url) as client:
        assert client.create_project("in a loop") == client.create_project("in a loop")


async def test_the_asynchronous_client_has_the_same_words(log_url: str) -> None:
    async with AsyncClient(log_url) as client:
        await client.create_project("awaited")
        flow_id = await client.register(hello_flow(), "awaited", no_url=True)
        run_id = await client.create_flow_run(flow_id)

        assert client.position == (await client.get_flow_run_info(run_id)).position
        assert client.run_url(run_id).endswith(f"/default/flow-run/{run_id}")
    with pytest.raises(InvalidArgument, match="not open"):
        await client.create_flow_run(flow_id)


def test_a_client_that_is_dropped_disconnects(log_url: str, module_nats_node: NatsNode) -> None:
    def connected() -> int:
        return int(module_nats_node.monitor("connz")["num_connections"])

    before = connected()
    Client(log_url).create_project("dropped")
    gc.collect()

    wait_for(lambda: connected() <= before, "the dropped client's connection closed")


def test_a_closed_client_connects_again(log_url: str) -> None:
    client = Client(log_url)
    first = client.create_project("reopened")
    client.close()
    client.close()

    assert client.create_project("reopened") == first
    client.close()


def test_one_background_thread_serves_all_clients(client: Client, log_url: str) -> None:
    clients = [Client(log_url) for _ in range(3)]
    for each in clients:
        each.create_project("shared")

    assert sum(thread.name == "headwater" for thread in threading.enumerate()) == 1
    for each in clients:
        each.close()


def test_a_forked_child_gets_a_connection_of_its_own(client: Client, request: pytest.FixtureRequest) -> None:
    expected = client.create_project(request.node.name)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(writing, client.create_project(request.node.name).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert answer.read() == expected
    os.waitpid(child, 0)
    assert client.create_project(request.node.name) == expected


def test_a_script_that_forgets_to_close_ends_at_once_and_in_silence(log_url: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"from headwater.client import Client\nclient = Client({log_url!r})\nprint(client.create_project('forgotten'))\n")

    done = subprocess.run([sys.executable, "-W", "error", str(script)], capture_output=True, text=True, timeout=30, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.strip()) == 36


def test_without_a_server_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match=r"nats://127\.0\.0\.1:1") as refusal:
        Client("nats://127.0.0.1:1").create_project("x")

    assert "headwater server start" in str(refusal.value.hint)
