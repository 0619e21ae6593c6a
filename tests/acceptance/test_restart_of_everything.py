"""Everything is stopped in the middle and started again: projects, runs, views and logs are still there, and waiting runs are executed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.command_line import HELLO_FLOW, CommandLine
from harness.servers import wait_for


class Everything:
    """A server and an agent on one home, which can be started and ended as often as wanted."""

    def __init__(self, headwater: CommandLine) -> None:
        self.headwater = headwater
        self.running: list[subprocess.Popen[str]] = []

    def start_server(self) -> None:
        self._start("is ready", "server", "start", "--port", "0", "--nats-port", "0")

    def start_agent(self) -> None:
        self._start("Waiting for flow runs", "agent", "local", "start")

    def _start(self, ready: str, *arguments: str) -> None:
        process = self.headwater.start(*arguments)
        self.running.append(process)
        assert process.stdout is not None
        assert any(ready in line for line in process.stdout), process.communicate()

    def end(self, kill: bool = False) -> None:
        """End all of it: agents first, as the other way round they would wait for their server."""
        for process in reversed(self.running):
            process.send_signal(signal.SIGKILL if kill else signal.SIGINT)
            process.communicate(timeout=60)
        self.running.clear()


@pytest.fixture
def everything(tmp_path: Path) -> Iterator[Everything]:
    everything = Everything(CommandLine(tmp_path / "work"))
    yield everything
    everything.end()


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_nothing_is_lost_when_everything_is_restarted(everything: Everything, kill: bool) -> None:
    headwater = everything.headwater
    everything.start_server()
    everything.start_agent()
    assert headwater("create", "project", "Hello, World!").code == 0
    headwater.write("hello_flow.py", HELLO_FLOW + "\nflow.register(project_name='Hello, World!')\n")
    assert headwater.python("hello_flow.py").code == 0
    done = headwater("run", "--name", "hello-flow", "--project", "Hello, World!", "--run-name", "before", "--watch")
    assert done.code == 0, done.err

    everything.end(kill)
    everything.start_server()
    waiting = headwater("run", "--name", "hello-flow", "--project", "Hello, World!", "--run-name", "between")
    assert waiting.code == 0, waiting.err
    everything.end(kill)
    everything.start_server()
    everything.start_agent()

    def states() -> dict[str, str]:
        return {run["name"]: run["state"] for run in headwater("get", "flow-runs", "--output", "json").json}

    wait_for(lambda: states() == {"before": "Success", "between": "Success"}, "both runs successful", timeout_seconds=60)
    assert [project["name"] for project in headwater("get", "projects", "--output", "json").json] == ["Hello, World!"]
    for run in ("before", "between"):
        assert "Hello, Cloud!" in [line["message"] for line in headwater("get", "logs", "--name", run, "--output", "json").json]
