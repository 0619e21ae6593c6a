"""A server in the background: started, looked at and stopped from elsewhere."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from harness.server_process import ServerProcess
from harness.servers import wait_for

from headwater.server.errors import AlreadyRunning, DetachedStartFailed, NotRunning
from headwater.server.status import status, stop
from headwater.server.supervision.daemonize import start_detached


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "home"
    yield path
    if status(path).state != "stopped":
        stop(path)


def test_a_detached_server_is_a_session_of_its_own_and_can_be_stopped(home: Path) -> None:
    content = start_detached(ServerProcess(home).command, home)

    assert os.getsid(content.pid) == content.pid != os.getsid(0)
    seen = status(home)
    assert (seen.state, seen.pid, seen.nats_url) == ("running", content.pid, content.nats_url)
    assert (seen.nats, seen.database) == ("ok", "ok")

    parts = psutil.Process(content.pid).children(recursive=True)
    assert stop(home) == content.pid
    assert [part for part in parts if part.is_running()] == []
    assert status(home).state == "stopped"
    with pytest.raises(NotRunning):
        stop(home)


def test_detaching_a_second_server_is_refused_at_once(home: Path) -> None:
    content = start_detached(ServerProcess(home).command, home)

    with pytest.raises(AlreadyRunning) as refusal:
        start_detached(ServerProcess(home).command, home)

    assert refusal.value.pid == content.pid
    assert refusal.value.addresses == {"NATS": content.nats_url, "HTTP": content.http_url}


def test_a_detached_server_that_cannot_start_says_why(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DetachedStartFailed, match=f"Port {port} on 127.0.0.1 is in use"):
            start_detached(ServerProcess(home, port=port).command, home)

    assert status(home).state == "stopped"


def test_the_status_names_the_part_that_does_not_answer(home: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        away = f"postgresql://nobody@127.0.0.1:{free.getsockname()[1]}/views"
    start_detached(ServerProcess(home, database_url=away).command, home)

    seen = status(home)

    assert (seen.state, seen.nats, seen.database) == ("running", "ok", "Connection refused")


def test_a_server_that_wants_a_key_is_running_also_for_who_lacks_it(home: Path) -> None:
    start_detached(ServerProcess(home, key="secret").command, home)

    assert status(home).nats == "ok"
    assert status(home, key="secret").nats == "ok"
    assert "authorization" in str(status(home, key="wrong").nats).lower()


def test_the_home_of_a_killed_server_is_a_stopped_one(headwater_server: ServerProcess) -> None:
    headwater_server.start()
    headwater_server.kill()

    seen = status(headwater_server.home)

    assert (seen.state, seen.pid, seen.nats_url) == ("stopped", None, None)


def test_a_home_that_never_was_is_a_stopped_one(tmp_path: Path) -> None:
    assert status(tmp_path / "nowhere").state == "stopped"
    assert not (tmp_path / "nowhere").exists(), "looking makes nothing"


def test_a_starting_server_is_seen_and_can_be_stopped(headwater_server: ServerProcess) -> None:
    headwater_server.start_without_waiting()
    headwater_server.wait_until_held()

    assert status(headwater_server.home).state in {"starting", "running"}
    stop(headwater_server.home)

    wait_for(lambda: headwater_server.wait()[0] == 0, "its end")
