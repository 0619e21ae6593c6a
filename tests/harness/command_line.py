"""The installed command, run as people run it: in a process of its own, with a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from headwater.server.supervision.child_process import ended_with_parent

COMMAND = Path(sysconfig.get_path("scripts")) / "headwater"
END_SECONDS = 120.0


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON; it must have succeeded."""
        assert self.code == 0, self.err
        return json.loads(self.out)


def run_to_its_end(
    command: list[str], *, cwd: Path, env: dict[str, str], stdin: str | None = None, seconds: float = END_SECONDS, merged: bool = False
) -> Ended:
    """Run a program to its end. One that does not end in time is ended with all that it started, and the test fails.

    With `merged`, what it writes to standard error comes among what it writes to standard output.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=True,
    )
    try:
        out, err = process.communicate(stdin, timeout=seconds)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Ended(process.returncode, out, err or "")


class CommandLine:
    """Runs `headwater` with these variables, and none of HEADWATER_... that the tests themselves were started with."""

    def __init__(self, directory: Path, *, nats_url: str | None = None, home: Path | None = None, **variables: str) -> None:
        self.directory = directory
        self._started: list[subprocess.Popen[str]] = []
        directory.mkdir(parents=True, exist_ok=True)
        self.home = home or directory / "home"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEADWATER")}
        own = {"HEADWATER_HOME": str(self.home), "COLUMNS": "200", **variables}
        if nats_url is not None:
            own["HEADWATER_NATS_URL"] = nats_url
        self.environment: Mapping[str, str] = {**inherited, **own}

    def __call__(self, *arguments: str, stdin: str | None = None) -> Ended:
        """Run the command to its end."""
        return self.run([str(COMMAND), *arguments], stdin=stdin)

    def python(self, script: str | Path, *arguments: str) -> Ended:
        """Run a Python script the way a person does."""
        return self.run(["python", str(script), *arguments])

    def run(self, command: Iterable[str], *, stdin: str | None = None) -> Ended:
        program, *rest = command
        if program == "python":
            program = str(COMMAND.parent / "python")
        return run_to_its_end([program, *rest], cwd=self.directory, env=dict(self.environment), stdin=stdin)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command and leave it running; it ends with this process at the latest, also where a test gives up on it."""
        return self._start(COMMAND, *arguments)

    def start_python(self, script: Path, *arguments: str) -> subprocess.Popen[str]:
        """Start a Python script the way a person does, and leave it running."""
        return self._start(COMMAND.parent / "python", "-P", script, *arguments)

    def _start(self, *command: str | Path) -> subprocess.Popen[str]:
        started = subprocess.Popen(
            ended_with_parent(command, death_signal=signal.SIGKILL),
            cwd=self.directory,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(started)
        return started

    def end_what_is_left(self) -> None:
        """End what was started and goes on still, as after a test that gave up."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def write(self, name: str, text: str) -> Path:
        """Write a file into the directory where the commands run."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


HELLO_FLOW = """
import headwater
from headwater import task, Flow

@task
def say_hello():
    logger = headwater.context.get("logger")
    logger.info("Hello, Cloud!")

with Flow("hello-flow") as flow:
    say_hello()
"""
"""The tutorial's flow, without the line that registers it."""
