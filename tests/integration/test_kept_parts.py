"""A part of a whole server that dies: NATS, PostgreSQL and the other parts go on, and a user who asks is shown which one is away."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from harness.scenario import create_flow
from harness.servers import eventually

from headwater.core.log.jetstream import open_log
from headwater.core.program.server_file import ServerFile
from headwater.core.queries.views_client import ViewsClient
from headwater.projections.projector import Projector
from headwater.server.monitor import RunMonitor
from headwater.server.options import ServerOptions
from headwater.server.program import serve_headwater
from headwater.server.services import server_services

WAIT_SECONDS = 60


class NotYet(Exception):
    """What is waited for is not so yet."""


async def test_a_part_that_dies_at_every_start_is_away_alone_until_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def die(*_: Any) -> None:
        raise OverflowError("value out of int32 range")

    async with anyio.create_task_group() as group:
        with anyio.fail_after(WAIT_SECONDS):
            server = await _started(group, ServerOptions(home=tmp_path / "home", port=0, nats_port=0))
        async with open_log(server.nats_url) as log, httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:

            async def problems(expected: set[str]) -> dict[str, str]:
                found: dict[str, str] = (await client.get("/ready")).json().get("problems", {})
                if set(found) != expected:
                    raise NotYet(found)
                return found

            with monkeypatch.context() as faults, caplog.at_level(logging.ERROR, logger="headwater.core.program.service_keeper"):
                faults.setattr(Projector, "_announce", die)
                faults.setattr(Projector, "_follow", die)
                flow = await create_flow(log)
                away = await eventually(lambda: problems({"projector"}), "the projector away", but_for=(NotYet,))

                assert (await ViewsClient(log).flows()) == []  # the views answer, as of before
                assert 'headwater_part_up{part="projector"} 0.0' in (await client.get("/metrics")).text
                assert "OverflowError" in (await client.get("/default/server")).text
            await eventually(lambda: problems(set()), "ready again", but_for=(NotYet,))
            assert (await ViewsClient(log, wait_seconds=WAIT_SECONDS).flow(flow.flow_id, at_least=flow.position)).name == "hello-flow"
        group.cancel_scope.cancel()

    assert away["projector"] == "It ended unexpectedly (OverflowError: value out of int32 range), and is started again."
    tracebacks = [record for record in caplog.records if record.exc_info]
    assert len(tracebacks) == 2, "one for each place it came from"


async def test_a_part_that_cannot_be_made_does_not_keep_the_server_from_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(*_: Any, **__: Any) -> None:
        raise RecursionError

    monkeypatch.setattr(RunMonitor, "serve", die)
    async with anyio.create_task_group() as group:
        with anyio.fail_after(WAIT_SECONDS):
            server = await _started(group, ServerOptions(home=tmp_path / "home", port=0, nats_port=0))
        async with httpx.AsyncClient(base_url=server.http_url, trust_env=False) as client:
            answer = await client.get("/ready")
        group.cancel_scope.cancel()

    assert answer.status_code == 503
    assert list(answer.json()["problems"]) == ["monitor"]


async def _started(group: anyio.abc.TaskGroup, options: ServerOptions) -> ServerFile:
    ready = anyio.Event()
    told: list[ServerFile] = []

    def note(content: ServerFile) -> None:
        told.append(content)
        ready.set()

    async def serve() -> None:
        await serve_headwater(options, server_services, on_ready=note, stop_on_signals=False)

    group.start_soon(serve)
    await ready.wait()
    return told[0]
