"""Two kinds of servers for the installed command: a whole Headwater server, and a bare log that can only be appended to."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest
from harness.command_line import CommandLine
from harness.servers import NatsNode, wait_for

from headwater.core.log.jetstream import open_log


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A whole server, started by the installed command, for the whole session; tests use projects of their own names."""
    command_line = CommandLine(tmp_path_factory.mktemp("served"))
    server = command_line.start("server", "start", "--port", "0", "--nats-port", "0")
    wait_for(lambda: (command_line.home / "server.json").exists() or server.poll() is not None, "the server ready")
    assert server.poll() is None, server.communicate()
    yield command_line
    end(server)


@pytest.fixture
def headwater(served: CommandLine, tmp_path: Path) -> Iterator[CommandLine]:
    """The command with the session's server, in a directory of this test's own."""
    command_line = CommandLine(tmp_path / "work", home=served.home)
    yield command_line
    command_line.end_what_is_left()


@pytest.fixture
def project(headwater: CommandLine, request: pytest.FixtureRequest) -> str:
    """A project of this test's name."""
    name = str(request.node.name)
    created = headwater("create", "project", name)
    assert created.code == 0, created.err
    return name


@pytest.fixture(scope="module")
def bare_log(module_nats_node: NatsNode) -> str:
    """The address of a log whose views no server serves."""

    async def make_streams() -> None:
        async with open_log(module_nats_node.url, ensure_streams=True):
            pass

    anyio.run(make_streams)
    return module_nats_node.url


@pytest.fixture
def append_only(bare_log: str, tmp_path: Path) -> Iterator[CommandLine]:
    """The command with a log whose views no server serves."""
    command_line = CommandLine(tmp_path / "work", nats_url=bare_log)
    yield command_line
    command_line.end_what_is_left()


@pytest.fixture
def start_agent(headwater: CommandLine) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts local agents, each running when it returns; they end with the test."""
    agents = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        agent = headwater.start("agent", "local", "start", *arguments)
        agents.append(agent)
        assert agent.stdout is not None
        for line in agent.stdout:
            if "Waiting for flow runs" in line:
                return agent
        raise AssertionError(f"the agent ended: {agent.communicate()}")

    yield start
    for agent in agents:
        end(agent)


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """End a program with Ctrl-C; return its exit code and its last words."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err
