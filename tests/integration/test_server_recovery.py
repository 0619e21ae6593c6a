"""What a server does about the sudden death of its parts, and what its own leaves behind: nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import asyncpg
import nats
import psutil
import pytest
from harness.server_process import ServerProcess
from harness.servers import eventually, free_ports, wait_for
from nats.errors import Error as NatsError

from headwater.server.home import Home, is_held


async def test_a_killed_broker_comes_back_at_its_address_with_its_data(headwater_server: ServerProcess) -> None:
    addresses = headwater_server.start()
    client = await nats.connect(addresses.nats_url, reconnect_time_wait=0.05)
    await client.jetstream().add_stream(name="KEPT", subjects=["kept"])
    await client.jetstream().publish("kept", b"yes")
    killed = headwater_server.nats_pid

    os.kill(killed, signal.SIGKILL)

    message = await eventually(
        lambda: client.jetstream(timeout=0.5).get_msg("KEPT", seq=1),
        "the old connection reads from the new broker",
        but_for=(NatsError, OSError),
    )
    await client.close()
    assert message.data == b"yes"
    wait_for(lambda: headwater_server.nats_pid != killed, "another process")
    code, words = headwater_server.interrupt()
    assert code == 0
    assert "nats-server was ended by SIGKILL; starting it again" in words


@pytest.mark.parametrize(("number", "name"), [(signal.SIGKILL, "SIGKILL"), (40, "a real-time signal")])
async def test_a_killed_database_comes_back_with_what_was_committed(headwater_server: ServerProcess, number: int, name: str) -> None:
    addresses = headwater_server.start()
    connection = await asyncpg.connect(addresses.database_url)
    await connection.execute("SET synchronous_commit = on")
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    killed = headwater_server.postgres_pid

    os.kill(killed, number)
    connection.terminate()

    again = await eventually(
        lambda: asyncpg.connect(addresses.database_url),
        "the database takes connections at the old address",
        but_for=(OSError, asyncpg.PostgresError),
    )
    answer = await again.fetchval("SELECT answer FROM kept")
    await again.close()
    assert answer == 42
    wait_for(lambda: headwater_server.postgres_pid != killed, "another process")
    code, words = headwater_server.interrupt()
    assert code == 0
    assert f"PostgreSQL was ended by {name}; starting it again" in words


async def test_a_killed_server_leaves_nothing_running_and_the_next_start_works(headwater_server: ServerProcess) -> None:
    addresses = headwater_server.start()
    parts = headwater_server.descendants()
    connection = await asyncpg.connect(addresses.database_url)

    headwater_server.kill()

    _, alive = psutil.wait_procs(parts, timeout=30)
    connection.terminate()
    assert len(parts) >= 2
    assert alive == []
    assert not is_held(Home(headwater_server.home)), "a lock never outlives its process"
    assert (headwater_server.home / "server.json").exists(), "the dead cannot tidy up"
    assert headwater_server.start().pid == headwater_server.pid
    assert headwater_server.interrupt()[0] == 0


def test_a_part_that_was_frozen_when_its_server_died_is_ended_by_the_next_start(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", nats_port=free_ports(1)[0])
    server.start()
    frozen = psutil.Process(server.nats_pid)
    frozen.suspend()  # it keeps the port that the next one wants
    server.kill()
    assert frozen.is_running()

    server.start()

    assert not frozen.is_running() or frozen.status() == psutil.STATUS_ZOMBIE
    code, words = server.interrupt()
    assert code == 0
    assert f"ending pid {frozen.pid}, which an earlier server left behind" in words


def test_a_process_id_that_was_used_again_is_not_mistaken_for_a_part(headwater_server: ServerProcess) -> None:
    headwater_server.start()
    remembered = (headwater_server.home / "nats" / "nats.pid").read_bytes()
    headwater_server.interrupt()
    stranger = psutil.Process()  # this test's own process, under the id of what ran then
    (headwater_server.home / "nats" / "nats.pid").write_bytes(
        remembered.replace(str(_pid_in(remembered)).encode(), str(stranger.pid).encode())
    )
    (headwater_server.home / "postgres" / "data" / "postmaster.pid").write_text(f"{stranger.pid}\n")

    headwater_server.start()

    assert headwater_server.postgres_pid != stranger.pid
    assert stranger.is_running()
    assert headwater_server.interrupt() == (0, "")


def test_a_database_of_another_major_version_is_replaced(headwater_server: ServerProcess) -> None:
    headwater_server.start()
    headwater_server.interrupt()
    version_file = headwater_server.home / "postgres" / "data" / "PG_VERSION"
    version_file.write_text("17\n")

    headwater_server.start()

    assert version_file.read_text() == "18\n"


def _pid_in(remembered: bytes) -> int:
    return int(remembered.partition(b'"pid":')[2].partition(b",")[0])


def test_a_broker_that_cannot_start_ends_the_start_with_its_own_words(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home")
    server.start()
    server.interrupt()
    (tmp_path / "home" / "nats" / "data" / "jetstream").rmdir()
    (tmp_path / "home" / "nats" / "data" / "jetstream").write_text("in the way")

    code, words = server.refuse_to_start()

    assert code == 1
    assert "nats-server did not start: ended with exit code 1" in words
    assert "not a directory" in words
    assert str(tmp_path / "home" / "logs" / "nats.log") in words
