"""What runs inside a server: built from a context, started in order, ended with it."""

from __future__ import annotations

import socket
from pathlib import Path

import anyio
import asyncpg
import pytest
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.program.server_file import ServerFile, read_server_file
from headwater.server import program
from headwater.server.home import Home, is_held
from headwater.server.nats.nats_server import ask_jetstream
from headwater.server.options import ServerOptions
from headwater.server.ports import choose_port
from headwater.server.program import ServerContext, ServiceFactory, serve_headwater


class Recorder:
    """A service that writes down its life in a list shared with others."""

    def __init__(self, name: str, life: list[str]) -> None:
        self.name, self.life = name, life

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        self.life.append(f"{self.name} starts")
        task_status.started()
        try:
            await anyio.sleep_forever()
        finally:
            self.life.append(f"{self.name} ends")


class Broken:
    """A service that gives up, after it was ready or before."""

    def __init__(self, *, ready: bool) -> None:
        self.ready = ready

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        if self.ready:
            task_status.started()
        raise LookupError("a bug of ours")


@pytest.fixture
def options(tmp_path: Path) -> ServerOptions:
    return ServerOptions(home=tmp_path / "home", port=0, nats_port=0, key="k", log_retention_days=3)


async def serve(options: ServerOptions, services: ServiceFactory) -> ServerFile:
    """Runs a server until it is ready, then stops it; returns what it said of itself."""
    said: list[ServerFile] = []
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:

            def ready(content: ServerFile) -> None:
                said.append(content)
                group.cancel_scope.cancel()

            async def run() -> None:
                await serve_headwater(options, services, on_ready=ready, stop_on_signals=False)

            group.start_soon(run)
    return said[0]


async def test_services_start_in_their_order_before_the_server_says_it_is_ready(options: ServerOptions) -> None:
    life: list[str] = []

    await serve(options, lambda _: [Recorder("projector", life), Recorder("queries", life)])

    assert life[:2] == ["projector starts", "queries starts"]
    assert sorted(life[2:]) == ["projector ends", "queries ends"]


async def test_the_context_names_what_is_there(options: ServerOptions) -> None:
    contexts: list[ServerContext] = []

    def build(context: ServerContext) -> list[Recorder]:
        ask_jetstream(int(context.nats_url.rpartition(":")[2]), credentials={"auth_token": "k"})
        assert (context.home.path, context.key, context.log_retention_days) == (options.home, "k", 3)
        contexts.append(context)
        return []

    content = await serve(options, build)

    assert (contexts[0].nats_url, contexts[0].database_url) == (content.nats_url, content.database_url)
    assert contexts[0].http_url == content.http_url


async def test_the_database_still_answers_while_services_end(options: ServerOptions) -> None:
    answers: list[int] = []

    class ShutdownDeadline:
        def __init__(self, url: str) -> None:
            self.url = url

        async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
            task_status.started()
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    connection = await asyncpg.connect(self.url)
                    answers.append(await connection.fetchval("SELECT 42"))
                    await connection.close()

    await serve(options, lambda context: [ShutdownDeadline(context.database_url)])

    assert answers == [42]


@pytest.mark.parametrize("ready", [True, False])
async def test_a_service_that_fails_ends_the_server_with_its_own_error(options: ServerOptions, ready: bool) -> None:
    life: list[str] = []

    with pytest.raises(LookupError, match="a bug of ours"):
        await serve_headwater(options, lambda _: [Recorder("other", life), Broken(ready=ready)], stop_on_signals=False)

    assert life == ["other starts", "other ends"]
    assert read_server_file(options.home) is None
    assert not is_held(Home(options.home))


async def test_a_free_port_that_was_taken_in_between_is_chosen_again(options: ServerOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1]
        chosen: list[int] = []

        def choose(port: int, *, option: str) -> int:
            chosen.append(first if not chosen else choose_port(port, option=option))
            return chosen[-1]

        monkeypatch.setattr(program, "choose_port", choose)
        content = await serve(options, lambda _: [])

    assert len(chosen) == 2
    assert content.nats_url == f"nats://127.0.0.1:{chosen[1]}"


async def test_who_comes_before_the_pages_are_served_waits_for_them(options: ServerOptions) -> None:
    visited: list[str] = []

    class Pages:
        def __init__(self, context: ServerContext) -> None:
            self.context = context

        async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
            port = int(self.context.http_url.rpartition(":")[2])
            async with await anyio.connect_tcp("127.0.0.1", port) as visitor:
                accepted, _ = self.context.http_socket.accept()
                accepted.sendall(b"welcome")
                accepted.close()
                visited.append((await visitor.receive()).decode())
            task_status.started()
            await anyio.sleep_forever()

    await serve(options, lambda context: [Pages(context)])

    assert visited == ["welcome"]


async def test_where_no_pages_are_served_their_port_is_given_back(options: ServerOptions) -> None:
    refused: list[bool] = []

    def ready(content: ServerFile) -> None:
        with socket.socket() as visitor:
            refused.append(visitor.connect_ex(("127.0.0.1", int(content.http_url.rpartition(":")[2]))) != 0)
        raise LookupError("seen")

    with pytest.raises(LookupError, match="seen"):
        await serve_headwater(options, lambda _: [], on_ready=ready, stop_on_signals=False)

    assert refused == [True]
