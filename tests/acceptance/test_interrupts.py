"""Ctrl-C ends what is under way, whatever the server does, and whatever takes the interruption for something else."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest
from harness.command_line import HELLO_FLOW, CommandLine
from harness.servers import NatsNode

from headwater.core.log.jetstream import open_log

END_SECONDS = 30
"""Long after what is under way is given up: a loaded machine takes its time to start and end a process."""

DEAF = """
import anyio, typer
from headwater.cli.connection import with_client
from headwater.cli.main import main
from headwater.cli.commands import version

async def deaf(client):
    print("working", flush=True)
    for _ in range({times}):
        try:
            await anyio.sleep(600)
        except anyio.get_cancelled_exc_class():
            pass
    await anyio.sleep(600)

def command(context: typer.Context) -> None:
    with_client(context, deaf)

version.app = None
version.command = command
main()
"""
"""A command whose work takes so many cancellations for something else."""


@pytest.fixture
def headwater(nats_node: NatsNode, tmp_path: Path) -> Iterator[CommandLine]:
    """The command with a log of its own that has a flow."""

    async def make_streams() -> None:
        async with open_log(nats_node.url, ensure_streams=True):
            pass

    anyio.run(make_streams)
    command_line = CommandLine(tmp_path / "work", nats_url=nats_node.url)
    command_line.write("hello_flow.py", HELLO_FLOW)
    assert command_line("create", "project", "watched").code == 0
    assert command_line("register", "--project", "watched", "--path", "hello_flow.py").code == 0
    yield command_line
    command_line.end_what_is_left()


def _nothing(_: NatsNode) -> None:
    pass


@pytest.mark.parametrize("trouble", [_nothing, NatsNode.kill, NatsNode.stop, NatsNode.pause], ids=["alive", "killed", "stopped", "frozen"])
def test_a_watch_ends_whatever_became_of_the_server(
    headwater: CommandLine, nats_node: NatsNode, trouble: Callable[[NatsNode], None]
) -> None:
    watch = headwater.start("run", "--name", "hello-flow", "--project", "watched", "--watch")
    assert watch.stdout is not None
    next(line for line in watch.stdout if "Entered state <Scheduled>" in line)
    trouble(nats_node)

    watch.send_signal(signal.SIGINT)
    _, words = watch.communicate(timeout=END_SECONDS)

    assert watch.returncode == 130, words
    assert "Traceback" not in words


@pytest.mark.parametrize("words", [("events", "--follow"), ("events", "--follow", "--output", "json")])
def test_a_follower_ends_whose_server_is_frozen(headwater: CommandLine, nats_node: NatsNode, words: tuple[str, ...]) -> None:
    follower = headwater.start(*words)
    assert follower.stdout is not None
    follower.stdout.readline()
    nats_node.pause()

    follower.send_signal(signal.SIGINT)
    _, told = follower.communicate(timeout=END_SECONDS)

    assert follower.returncode == 130, told
    assert "Traceback" not in told


@pytest.mark.parametrize("times", [1, 10, 10**9])
def test_work_that_takes_the_interruption_for_something_else_ends_all_the_same(headwater: CommandLine, times: int) -> None:
    script = headwater.write("deaf.py", DEAF.format(times=times))
    deaf = headwater.start_python(script, "version")
    assert deaf.stdout is not None
    assert deaf.stdout.readline() == "working\n"

    deaf.send_signal(signal.SIGINT)
    _, words = deaf.communicate(timeout=END_SECONDS)

    assert deaf.returncode == 130, words
