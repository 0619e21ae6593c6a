"""The installed command, run as people run it: in a process of its own, with a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

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


class CommandLine:
    """Runs `headwater` with these variables, and none of HEADWATER_... that the tests themselves were started with."""

    def __init__(self, directory: Path, *, nats_url: str | None = None, home: Path | None = None, **variables: str) -> None:
        self.directory = directory
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
        done = subprocess.run(
            [program, *rest],
            cwd=self.directory,
            env=dict(self.environment),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=END_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command and leave it running."""
        return subprocess.Popen(
            [str(COMMAND), *arguments],
            cwd=self.directory,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

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
