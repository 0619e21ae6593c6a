"""Starts that are refused say why and what to do; and who may come in is decided by NATS itself."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from harness.server_process import ServerProcess
from harness.servers import NatsNode, Postgres

from headwater.server.nats.nats_server import NotReady, ask_jetstream, token

KEY = 'a"key\\with$signs'


def test_the_broker_itself_refuses_connections_without_the_key(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "home", key=KEY)
    port = int(server.start().nats_url.rpartition(":")[2])
    try:
        ask_jetstream(port, credentials=token(KEY))
        for wrong in (None, "another", ""):
            with pytest.raises(NotReady, match="Authorization Violation"):
                ask_jetstream(port, credentials=token(wrong))
        assert KEY not in (tmp_path / "home" / "server.json").read_text()
    finally:
        server.interrupt()


@pytest.mark.parametrize("option", ["port", "nats_port", "nats_monitor_port"])
def test_a_port_in_use_is_named_together_with_its_option(tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, words = ServerProcess(tmp_path / "home", **{option: port}).refuse_to_start()

    assert code == 1
    assert f"Port {port} on 127.0.0.1 is in use." in words
    assert f"--{option.replace('_', '-')}" in words
    assert not (tmp_path / "home" / "server.json").exists()


def test_a_port_beyond_the_last_one_is_refused(tmp_path: Path) -> None:
    code, words = ServerProcess(tmp_path / "home", port=65536).refuse_to_start()

    assert code == 1
    assert "a port is a number from 0 to 65535" in words


@pytest.mark.parametrize("place", ["a-file/home", "a-file", "/proc/home"])
def test_a_home_that_cannot_be_used_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "a-file").write_text("in the way")

    code, words = ServerProcess(tmp_path / place).refuse_to_start()

    assert code == 1
    assert f"The home directory {tmp_path / place} cannot be used" in words
    assert ("it is a file" in words) == (place == "a-file")
    assert "--home" in words


def test_a_key_that_nats_would_read_as_a_hash_is_refused(tmp_path: Path) -> None:
    code, words = ServerProcess(tmp_path / "home", key="$2a$11$abcdefghijklmnopqrstuv").refuse_to_start()

    assert code == 1
    assert "must not look like a bcrypt hash" in words


def test_servers_that_exist_are_used_and_none_is_started(tmp_path: Path, nats_node: NatsNode, database_url: str) -> None:
    server = ServerProcess(tmp_path / "home", nats_url=nats_node.url, database_url=database_url)

    addresses = server.start()

    assert (addresses.nats_url, addresses.database_url) == (nats_node.url, database_url)
    assert server.descendants() == []
    assert server.interrupt() == (0, "")
    assert nats_node.is_ready(), "what we did not start we do not end"


def test_an_external_database_still_gets_an_embedded_broker(tmp_path: Path, postgres_server: Postgres) -> None:
    server = ServerProcess(tmp_path / "home", database_url=postgres_server.place.database_url("postgres"))

    addresses = server.start()

    ask_jetstream(int(addresses.nats_url.rpartition(":")[2]))
    assert [part.name() for part in server.descendants()] == ["nats-server"]
    server.interrupt()


def test_an_external_broker_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"nats://127.0.0.1:{free.getsockname()[1]}"

    code, words = ServerProcess(tmp_path / "home", nats_url=url).refuse_to_start()

    assert code == 1
    assert url in words
    assert "Connection refused" in words


@pytest.mark.parametrize(("key", "says"), [(None, "wants a key; none was sent"), ("wrong", "refused the key")])
def test_an_external_broker_that_wants_another_key_is_a_clear_error(tmp_path: Path, key: str | None, says: str) -> None:
    node = NatsNode(tmp_path / "nats", key="right")
    node.start()
    try:
        code, words = ServerProcess(tmp_path / "home", nats_url=node.url, key=key).refuse_to_start()
    finally:
        node.kill()

    assert code == 1
    assert says in words
