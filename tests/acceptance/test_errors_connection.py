"""What people read when there is no server, it wants a key, or its views are away; on the installed command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from harness.command_line import HELLO_FLOW, CommandLine
from harness.servers import NatsNode, free_ports

from headwater.core.log.jetstream import StreamSettings, open_log
from headwater.core.log.jetstream.connection import connect
from headwater.core.log.jetstream.streams import ensure_streams

COMMANDS = [
    ("create", "project", "tutorial"),
    ("delete", "project", "tutorial", "--yes"),
    ("get", "flow-runs"),
    ("run", "--name", "hello-flow", "--project", "tutorial"),
    ("register", "--project", "tutorial", "--path", "hello_flow.py"),
    ("cancel", "0199c0de-7a3e-7000-8000-0123456789ab"),
    ("agent", "local", "start"),
]


@pytest.fixture
def nowhere(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, nats_url=f"nats://127.0.0.1:{free_ports(1)[0]}")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_a_server_it_says_where_it_looked_and_how_to_start_one(nowhere: CommandLine, command: tuple[str, ...]) -> None:
    nowhere.write("hello_flow.py", HELLO_FLOW)
    ended = nowhere(*command)

    assert ended.code == 1
    assert f"Error: No Headwater server answers at {nowhere.environment['HEADWATER_NATS_URL']} (connection refused)." in ended.err
    assert "hint: Start one with `headwater server start`" in ended.err
    assert "Traceback" not in ended.err


def test_an_address_that_swallows_everything_is_given_up(tmp_path: Path) -> None:
    # TEST-NET-1 is routed nowhere; where even that is refused at once, the promise holds all the more.
    headwater = CommandLine(tmp_path, nats_url="nats://192.0.2.1:4222")
    ended = headwater("create", "project", "tutorial")

    assert ended.code == 1
    assert "No Headwater server answers at nats://192.0.2.1:4222" in ended.err


def test_an_address_that_is_none_is_named(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path)("create", "project", "x", "--nats-url", "nats://[::1")

    assert ended.code == 1
    assert "nats://[::1" in ended.err
    assert "hint:" in ended.err
    assert "Traceback" not in ended.err


@pytest.fixture(scope="module")
def locked_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsNode]:
    node = NatsNode(tmp_path_factory.mktemp("locked"), key="right-key")
    node.start()

    async def make_streams() -> None:
        async with open_log(node.url, key="right-key", ensure_streams=True):
            pass

    anyio.run(make_streams)
    yield node
    node.kill()


def test_a_missing_or_wrong_key_is_reported_at_once(locked_node: NatsNode, tmp_path: Path) -> None:
    headwater = CommandLine(tmp_path, nats_url=locked_node.url)

    missing, wrong = headwater("create", "project", "x"), headwater("create", "project", "x", "--key", "wrong-key")
    assert (missing.code, wrong.code) == (1, 1)
    assert "wants a key; none was sent" in missing.err
    assert "refused the key" in wrong.err
    assert "HEADWATER_KEY" in wrong.err
    assert "wrong-key" not in wrong.err


def test_the_key_is_taken_before_and_behind_the_command_and_from_the_environment(locked_node: NatsNode, tmp_path: Path) -> None:
    headwater = CommandLine(tmp_path, nats_url=locked_node.url)

    assert headwater("--key", "right-key", "create", "project", "before").code == 0
    assert headwater("create", "project", "behind", "--key", "right-key").code == 0
    assert CommandLine(tmp_path, nats_url=locked_node.url, HEADWATER_KEY="right-key")("create", "project", "environment").code == 0


def test_an_agent_takes_its_key_as_key_or_token(locked_node: NatsNode, tmp_path: Path) -> None:
    headwater = CommandLine(tmp_path, nats_url=locked_node.url)

    wrong = headwater("agent", "local", "start", "--token", "wrong-key")
    assert wrong.code == 1
    assert "refused the key" in wrong.err
    assert "differ" in headwater("agent", "local", "start", "--token", "a", "--key", "b").err


def test_with_the_views_away_whatever_only_appends_works(append_only: CommandLine) -> None:
    append_only.write("hello_flow.py", HELLO_FLOW)

    assert append_only("create", "project", "without views").code == 0
    assert append_only("register", "--project", "without views", "-p", "hello_flow.py").code == 0
    created = append_only("run", "--name", "hello-flow", "--project", "without views", "--quiet")
    assert created.code == 0, created.err
    assert append_only("cancel", created.out.strip()).code == 0


def test_with_the_views_away_a_listing_says_so_and_that_nothing_is_lost(append_only: CommandLine) -> None:
    listing = append_only("get", "projects")

    assert listing.code == 1
    assert listing.out == ""
    assert "Error: The views cannot be read now" in listing.err
    assert "What you append is safe" in listing.err


def test_with_the_views_away_a_flow_is_still_found_with_its_project(append_only: CommandLine) -> None:
    by_name = append_only("run", "--name", "hello-flow")

    assert by_name.code == 1
    assert "hint: With --project the flow is found without the views." in by_name.err


def test_a_misspelt_variable_is_pointed_out(tmp_path: Path, bare_log: str) -> None:
    ended = CommandLine(tmp_path, nats_url=bare_log, HEADWATER_NATS_ULR="nats://elsewhere")("create", "project", "misspelt")

    assert ended.code == 0
    assert "Warning: HEADWATER_NATS_ULR is not a setting of Headwater. Did you mean HEADWATER_NATS_URL?" in ended.err


def test_a_full_log_is_reported_and_nothing_is_left_half_written(nats_node: NatsNode, tmp_path: Path) -> None:
    async def make_small_streams() -> None:
        async with connect(nats_node.url) as connection:
            await ensure_streams(connection, StreamSettings(events_bytes_max=4096))

    anyio.run(make_small_streams)
    headwater = CommandLine(tmp_path, nats_url=nats_node.url)
    assert headwater("create", "project", "fits").code == 0
    headwater.write("hello_flow.py", HELLO_FLOW + "flow.register(project_name='fits')\n")
    ended = [headwater.python("hello_flow.py") for _ in range(6)]

    refused = [each for each in ended if each.code]
    assert refused
    assert all("The log is full; nothing was written" in each.err and "Free disk space" in each.err for each in refused)
    stored = [path for path in (headwater.home / "flows").rglob("*") if path.is_file()]
    assert len(stored) == len(ended) - len(refused)
    full = headwater("create", "project", "x" * 255)
    assert (full.code, "Error: The log is full" in full.err, full.out) == (1, True, "")
