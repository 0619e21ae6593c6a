"""How a server ends: by which signals, and with which words; and what it makes of limits that it was started with."""

from __future__ import annotations

import errno
import fcntl
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from harness.command_line import COMMAND
from harness.running_server import RunningServer
from harness.servers import wait_for
from harness.small_disks import small_disk

from headwater.server.errors import HomeUnusable
from headwater.server.home import Home, is_held, lock_home, open_home


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path)
    yield server
    server.stop()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_server_that_gets_the_signal_to_stop_ends_in_order(server: RunningServer, how: signal.Signals) -> None:
    server.start()
    server.signal(how)

    assert server.ended() == 0
    assert not (server.home / "server.json").exists()
    assert f"stopping on {how.name}" in server.said


def test_a_server_started_by_nohup_outlives_its_terminal(server: RunningServer) -> None:
    server.start(ignoring=signal.SIGHUP)
    server.signal(signal.SIGHUP)

    assert server.ready()[0] == 200
    server.signal(signal.SIGTERM)
    assert server.ended() == 0


def test_signals_to_all_processes_at_once_are_no_deaths(server: RunningServer) -> None:
    server.start()
    processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    for process in reversed(processes):
        with suppress(psutil.NoSuchProcess):  # PostgreSQL has workers that come and go
            process.terminate()

    assert server.ended() == 0
    assert "starting it again" not in server.said


def test_a_server_takes_as_many_descriptors_as_it_may(server: RunningServer) -> None:
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    server.start()

    assert psutil.Process(server.pid).rlimit(psutil.RLIMIT_NOFILE) == (allowed, allowed)
    assert psutil.Process(server.children("nats-server")[0].pid).rlimit(psutil.RLIMIT_NOFILE) == (allowed, allowed)


def test_out_of_descriptors_a_server_says_so_in_a_sentence_and_tells_that_it_is_ready(server: RunningServer) -> None:
    server.start()
    psutil.Process(server.pid).rlimit(psutil.RLIMIT_NOFILE, (64, 64))
    address = urlsplit(server.addresses.http_url)
    assert address.hostname is not None
    held = [socket.create_connection((address.hostname, address.port or 0)) for _ in range(120)]
    try:
        wait_for(lambda: server.ready()[0] == 200, "an answer in spite of them all")
    finally:
        for each in held:
            each.close()
    assert "Traceback" not in server.said
    assert server.said.count("Out of file descriptors") <= 1


def test_a_server_whose_home_was_removed_goes_on_and_says_what_is_gone(server: RunningServer, tmp_path: Path) -> None:
    server.start()
    url = server.addresses.http_url
    (server.home).rename(tmp_path / "elsewhere")
    wait_for(lambda: "cannot be looked at (No such file or directory)" in server.said, f"said by {url}")
    for program in ("nats-server", "postgres"):
        for process in server.children(program):
            process.kill()
    wait_for(lambda: server.said.count("it was removed while its server runs") >= 2, "both not started anew")
    assert not server.home.exists()
    server.signal(signal.SIGTERM)

    assert server.ended() == 0
    assert "Traceback" not in server.said


@pytest.mark.parametrize("arguments", [(), ("--detach",)], ids=["here", "detached"])
def test_a_start_on_a_full_disk_says_so_in_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        home = Home(disk.path / "home")
        open_home(home.path)
        disk.fill()
        command = [str(COMMAND), "server", "start", "--home", str(home.path), "--port", "0", "--nats-port", "0", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr or "is full" in done.stderr


def test_a_home_without_locks_is_refused_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = open_home(tmp_path / "home")

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)  # a file system without them is not to be had everywhere
    for look in (lambda: lock_home(home).__enter__(), lambda: is_held(home)):
        with pytest.raises(HomeUnusable, match="its file system has no locks") as refused:
            look()
        assert "local disk" in str(refused.value.hint)
