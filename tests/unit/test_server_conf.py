"""The configuration of the embedded servers, as text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.core.errors import SettingsError
from headwater.core.program.server_file import ServerFile, read_server_file
from headwater.core.program.service_keeper import RestartPolicy
from headwater.server.nats.nats_server import Cluster, NatsConf, conf_text, write_conf
from headwater.server.options import ServerOptions, check_key, read_key_file
from headwater.server.postgres.postgres import PostgresPaths, choose_socket_dir, server_command
from headwater.server.server_file import remove_server_file, write_server_file


def test_an_acknowledged_message_is_on_disk_and_a_stuck_subscriber_is_bounded() -> None:
    text = conf_text(NatsConf(store_dir=Path("/home/me/nats"), port=4222))

    assert text == (
        'server_name: "headwater"\n'
        'listen: "127.0.0.1:4222"\n'
        "max_pending: 8MB\n"
        "jetstream {\n"
        '  store_dir: "/home/me/nats"\n'
        "  sync_interval: always\n"
        "}\n"
    )


def test_monitoring_key_and_cluster_appear_only_when_asked_for() -> None:
    cluster = Cluster(name="hw", port=6001, route_ports=[6001, 6002])
    text = conf_text(NatsConf(store_dir=Path("/d"), port=1, key='a"b\\c$d', monitor_port=8222, cluster=cluster))

    assert 'http: "127.0.0.1:8222"' in text
    assert 'token: "a\\"b\\\\c$d"' in text
    assert 'routes: ["nats://127.0.0.1:6001", "nats://127.0.0.1:6002"]' in text


def test_the_configuration_is_private_even_over_a_file_that_was_not(tmp_path: Path) -> None:
    path = tmp_path / "nats.conf"
    path.write_text("older")
    path.chmod(0o644)

    write_conf(path, NatsConf(store_dir=tmp_path, port=1, key="secret"))

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_database_address_carries_the_socket_folder_whatever_its_name() -> None:
    place = PostgresPaths(data_dir=Path("/d"), socket_dir=Path("/my home/a&b=c/run"))

    assert place.database_url() == "postgresql://headwater@/headwater?host=%2Fmy%20home%2Fa%26b%3Dc%2Frun&port=5432"


def test_a_home_too_deep_for_a_socket_gets_a_short_folder_of_its_own() -> None:
    deep = Path("/home") / ("x" * 100)

    stand_in = choose_socket_dir(deep / "run")

    assert choose_socket_dir(Path("/home/me/.headwater/run")) == Path("/home/me/.headwater/run")
    assert len(str(stand_in / ".s.PGSQL.5432")) <= 103
    assert stand_in == choose_socket_dir(deep / "run"), "the same home, the same address"
    assert stand_in != choose_socket_dir(deep / "other")


def test_the_database_keeps_fsync_and_listens_on_no_port() -> None:
    command = server_command(PostgresPaths(data_dir=Path("/d"), socket_dir=Path("/s")))

    assert {"fsync=on", "synchronous_commit=off", "listen_addresses="} <= set(command)


def test_a_program_that_keeps_dying_is_started_ever_more_rarely() -> None:
    policy = RestartPolicy(first_delay_seconds=0.1, delay_seconds_max=1.0)

    assert [policy.delay_seconds(failures) for failures in range(1, 8)] == [0.0, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert policy.delay_seconds(1_000_000) == 1.0


@pytest.mark.parametrize("key", ["", " ", "two words", "tab\t", "ключ", "x" * 257, "$2a$11$abc", "line\nbreak"])
def test_what_cannot_be_a_key_is_refused(key: str) -> None:
    with pytest.raises(SettingsError):
        check_key(key)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=256))
def test_any_printable_word_can_be_a_key(key: str) -> None:
    if not key.startswith("$2"):
        check_key(key)


def test_white_space_around_a_key_in_a_file_does_not_belong_to_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("  s3cret\n")

    assert read_key_file(tmp_path / "key") == "s3cret"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"two words"])
def test_a_key_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)

    with pytest.raises(SettingsError):
        read_key_file(tmp_path / "key")


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        read_key_file(tmp_path / "nowhere")


def test_logs_cannot_be_kept_for_no_time(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be kept for 0 days"):
        ServerOptions(home=tmp_path, log_retention_days=0)


@pytest.mark.parametrize("replicas", [0, 2, 3, 6])
def test_the_embedded_broker_is_one_node(tmp_path: Path, replicas: int) -> None:
    with pytest.raises(SettingsError, match="replica"):
        ServerOptions(home=tmp_path, replicas=replicas)


def test_a_cluster_keeps_as_many_replicas_as_are_set(tmp_path: Path) -> None:
    assert ServerOptions(home=tmp_path, replicas=3, nats_url="nats://a:4222,nats://b:4222").replicas == 3


def test_what_a_server_writes_of_itself_is_what_a_client_reads(tmp_path: Path) -> None:
    content = ServerFile(nats_url="nats://a:1", http_url="http://a:2", database_url="postgresql://", pid=1, version="0")

    write_server_file(tmp_path, content)

    assert read_server_file(tmp_path) == content
    assert [path.name for path in tmp_path.iterdir()] == ["server.json"]
    remove_server_file(tmp_path)
    remove_server_file(tmp_path)
    assert read_server_file(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"nats_url": 1}', b"\xff"])
def test_a_garbled_server_file_is_an_error_with_its_path(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "server.json").write_bytes(content)

    with pytest.raises(SettingsError, match=r"server\.json"):
        read_server_file(tmp_path)
