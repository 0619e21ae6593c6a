"""A server's life: it starts in a fresh home, holds it alone, and ends without a trace."""

from __future__ import annotations

import signal
import socket
import stat
from pathlib import Path

import asyncpg
import nats
import psutil
from harness.server_process import ServerProcess

from headwater.core.program.server_file import read_server_file
from headwater.server.embedded import postgres_place
from headwater.server.home import Home, is_held


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_fresh_home_gets_a_broker_and_a_database_that_answer(headwater_server: ServerProcess) -> None:
    addresses = headwater_server.start()

    client = await nats.connect(addresses.nats_url)
    account = await client.jetstream().account_info()
    await client.close()
    connection = await asyncpg.connect(addresses.database_url)
    settings = {name: await connection.fetchval(f"SHOW {name}") for name in ("server_version", "fsync", "synchronous_commit")}
    database = await connection.fetchval("SELECT current_database()")
    await connection.close()

    assert account.streams == 0
    assert settings["server_version"].startswith("18.")
    assert (settings["fsync"], settings["synchronous_commit"]) == ("on", "off")
    assert database == "headwater"
    assert addresses.pid == headwater_server.pid
    assert addresses.http_url.startswith("http://127.0.0.1:")


def test_what_lies_in_the_home_is_for_its_owner_only(headwater_server: ServerProcess) -> None:
    headwater_server.start()
    home = headwater_server.home

    assert mode(home) == 0o700
    assert mode(home / "server.json") == 0o600
    assert mode(home / "nats" / "nats.conf") == 0o600
    assert mode(home / "postgres" / "data") == 0o700


def test_nothing_listens_beyond_loopback(headwater_server: ServerProcess) -> None:
    headwater_server.start()

    listening = [
        connection.laddr
        for process in headwater_server.descendants()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert len(listening) == 1, "the broker's client port is the only one"


def test_a_second_start_on_the_same_home_says_who_holds_it(headwater_server: ServerProcess) -> None:
    addresses = headwater_server.start()

    code, words = ServerProcess(headwater_server.home).refuse_to_start()

    assert code == 1
    assert f"already runs in {headwater_server.home} (pid {headwater_server.pid})" in words
    assert addresses.nats_url in words
    assert addresses.http_url in words
    assert read_server_file(headwater_server.home) == addresses, "the running server's file is left alone"


def test_ctrl_c_ends_everything_and_gives_the_home_back(headwater_server: ServerProcess) -> None:
    headwater_server.start()
    parts = headwater_server.descendants()

    code, words = headwater_server.interrupt()

    assert (code, words) == (0, "")
    assert [part for part in parts if part.is_running()] == []
    assert read_server_file(headwater_server.home) is None
    assert not is_held(Home(headwater_server.home))
    assert sorted(headwater_server.home.rglob("*.pid")) == []


def test_a_server_interrupted_while_it_starts_ends_as_cleanly(headwater_server: ServerProcess) -> None:
    headwater_server.start_without_waiting()
    headwater_server.wait_until_held()
    parts = headwater_server.descendants()

    code, _ = headwater_server.interrupt()

    assert code == 0
    _, alive = psutil.wait_procs(parts, timeout=10)
    assert alive == []
    assert headwater_server.start().pid == headwater_server.pid, "the half-made home is completed by the next start"


async def test_data_survives_a_restart_and_an_address_that_was_asked_for_stays(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ServerProcess(tmp_path / "home", nats_port=port)
    addresses = server.start()
    client = await nats.connect(addresses.nats_url)
    await client.jetstream().add_stream(name="KEPT", subjects=["kept"])
    await client.jetstream().publish("kept", b"yes")
    await client.close()
    connection = await asyncpg.connect(addresses.database_url)
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    await connection.close()

    server.interrupt()
    again = server.start()

    client = await nats.connect(again.nats_url)
    message = await client.jetstream().get_msg("KEPT", seq=1)
    await client.close()
    connection = await asyncpg.connect(again.database_url)
    answer = await connection.fetchval("SELECT answer FROM kept")
    await connection.close()
    server.end(signal.SIGTERM)
    assert again.nats_url == addresses.nats_url == f"nats://127.0.0.1:{port}"
    assert message.data == b"yes"
    assert answer == 42


async def test_a_home_too_deep_for_a_socket_works_like_any_other(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / ("deep" * 30) / "home & more")
    addresses = server.start()
    connection = await asyncpg.connect(addresses.database_url)
    answer = await connection.fetchval("SELECT 42")
    await connection.close()
    place = postgres_place(Home(server.home))
    assert place.socket_dir.exists()
    server.interrupt()

    assert answer == 42
    assert not place.socket_dir.exists(), "its socket lies elsewhere, and nothing is left there"


def test_a_folder_that_another_user_laid_in_the_way_is_not_used(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "run").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir(mode=0o755)

    code, words = ServerProcess(home).refuse_to_start()

    assert code == 1
    assert "belongs to another user, or is a link" in words
    assert mode(tmp_path / "elsewhere") == 0o755
