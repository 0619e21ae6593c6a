"""`server status` and `doctor`, of a server at an address and of homes that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from harness.command_line import CommandLine, Ended

from headwater.core.program.server_file import read_server_file


@pytest.fixture
def address(served: CommandLine) -> str:
    found = read_server_file(served.home)
    assert found is not None
    return found.nats_url


@pytest.fixture
def elsewhere(tmp_path: Path) -> CommandLine:
    """The command with a home in which no server runs."""
    return CommandLine(tmp_path / "elsewhere")


def test_the_status_of_the_server_at_an_address_is_shown(elsewhere: CommandLine, address: str) -> None:
    by_environment = CommandLine(elsewhere.directory, nats_url=address)

    for ended in (
        elsewhere("server", "status", "--nats-url", address),
        by_environment("server", "status"),
        elsewhere("--nats-url", address, "server", "status"),
    ):
        assert ended.code == 0, ended
        assert "Headwater is running." in ended.out
        assert address in ended.out
        assert "Views    at position" in ended.out
        assert "Home" not in ended.out
    told = by_environment("server", "status", "--output", "json").json
    assert (told["state"], told["home"], told["nats_url"]) == ("running", None, address)


def test_a_home_that_is_named_goes_before_the_address_of_the_environment(elsewhere: CommandLine, address: str) -> None:
    ended = CommandLine(elsewhere.directory, nats_url=address)("server", "status", "--home", str(elsewhere.home))

    assert ended.code == 1
    assert "Headwater is stopped." in ended.out


def test_the_status_of_the_server_of_the_home_is_shown_with_its_home(served: CommandLine, address: str) -> None:
    ended = CommandLine(served.directory, home=served.home, nats_url=address)("server", "status")

    assert ended.code == 0
    assert str(served.home) in ended.out


def test_a_log_that_no_server_serves_is_not_a_running_server(append_only: CommandLine) -> None:
    ended = append_only("server", "status")

    assert ended.code == 1
    assert "Headwater is stopped." in ended.out
    assert "No server answers at nats://" in ended.err


def test_an_address_without_a_server_is_reported(elsewhere: CommandLine) -> None:
    ended = elsewhere("server", "status", "--nats-url", "nats://127.0.0.1:1")

    assert ended.code == 1
    assert "No Headwater server answers at nats://127.0.0.1:1" in ended.err


def test_the_doctor_looks_at_the_address_it_is_given(elsewhere: CommandLine, address: str) -> None:
    ended = elsewhere("doctor", "--nats-url", address, "--key", "no key is wanted")

    assert ended.code == 0, ended.out
    assert f"NATS answers at {address}" in ended.out


def _checks(ended: Ended) -> dict[str, tuple[str, str]]:
    return {each["what"]: (each["verdict"], each["words"]) for each in msgspec.json.decode(ended.out)}


def _a_file(home: Path) -> None:
    home.write_text("no directory")


def _a_garbled_file(home: Path) -> None:
    home.mkdir()
    (home / "server.json").write_text("{")


@pytest.mark.parametrize(
    ("make", "what", "words"),
    [
        pytest.param(_a_file, "Home", "is a file, and not a directory", id="a file"),
        pytest.param(_a_garbled_file, "Settings", "cannot be read", id="a garbled server.json"),
    ],
)
def test_the_doctor_goes_on_where_the_home_cannot_be_used(tmp_path: Path, make: Callable[[Path], None], what: str, words: str) -> None:
    home = tmp_path / "home"
    make(home)

    ended = CommandLine(tmp_path / "work", home=home)("doctor", "--output", "json")

    assert ended.code == 1
    checks = _checks(ended)
    assert checks["Python"][0] == "ok"
    assert checks[what][0] == "problem"
    assert words in checks[what][1]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("::1", "pages are served on IPv4 addresses only"),
        ("nosuch.invalid", "Pages cannot be served on 'nosuch.invalid'"),
        ("", "it is empty"),
        ("203.0.113.7", "no network of this machine has this address"),
    ],
)
def test_an_address_that_is_not_this_machine_s_is_named_and_no_port_blamed(elsewhere: CommandLine, host: str, words: str) -> None:
    ended = elsewhere("server", "start", f"--host={host}", "--port", "0", "--nats-port", "0")

    assert ended.code == 1
    assert words in ended.err
    assert "Port" not in ended.err
    assert "--host" in ended.err


def test_a_server_that_does_not_start_in_the_background_says_why_once(elsewhere: CommandLine) -> None:
    ended = elsewhere("server", "start", "--detach", "--host=203.0.113.7", "--port", "0", "--nats-port", "0")

    assert ended.code == 1
    assert ended.err.startswith("Error: The server in the background did not start. It said:\n  Pages cannot be served")
