"""A whole server, started by its command as people start it, for tests of how it fares and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from harness.command_line import COMMAND, CommandLine
from harness.servers import wait_for
from headwater.core.program.server_file import ServerFile, read_server_file

WAIT_SECONDS = 60.0


class RunningServer:
    """`headwater server start` in a home below `directory`, on free ports, with these arguments besides. What it says goes to a file."""

    def __init__(self, directory: Path, *arguments: str, home: Path | None = None) -> None:
        self.command_line = CommandLine(directory, home=home)
        self._arguments = ("server", "start", "--port", "0", "--nats-port", "0", *arguments)
        self._said = directory / "said.txt"
        self._process: subprocess.Popen[str] | None = None

    @property
    def home(self) -> Path:
        return self.command_line.home

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def said(self) -> str:
        """All that it wrote to its outputs so far."""
        return self._said.read_text() if self._said.exists() else ""

    @property
    def addresses(self) -> ServerFile:
        found = read_server_file(self.home)
        assert found is not None
        return found

    def start(self, *, ignoring: signal.Signals | None = None) -> None:
        """Start it; return when it is ready. `ignoring` is a signal that it inherits as ignored."""
        self.start_without_waiting(ignoring=ignoring)
        wait_for(self._ready_or_ended, "the server ready", timeout_seconds=WAIT_SECONDS)
        assert self._process is not None
        assert self._process.poll() is None, self.said

    def start_without_waiting(self, *, ignoring: signal.Signals | None = None) -> None:
        with self._said.open("a") as said:
            self._process = subprocess.Popen(
                [str(COMMAND), *self._arguments],
                cwd=self.command_line.directory,
                env=dict(self.command_line.environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                text=True,
                preexec_fn=None if ignoring is None else (lambda: signal.signal(ignoring, signal.SIG_IGN) and None),  # noqa: PLW1509
            )

    def ended(self) -> int:
        """Wait for its end; return its exit code."""
        assert self._process is not None
        return self._process.wait(timeout=WAIT_SECONDS)

    def signal(self, what: signal.Signals) -> None:
        os.kill(self.pid, what)

    def children(self, name: str) -> list[psutil.Process]:
        """Its running child processes of this name."""
        found: list[psutil.Process] = []
        for child in psutil.Process(self.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # PostgreSQL has workers that come and go
                if child.name() == name:
                    found.append(child)
        return found

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Its running child processes of this name stand still inside the block; one of PostgreSQL's workers may end before it is over."""
        stopped = self.children(name)
        assert stopped
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def ready(self) -> tuple[int, dict[str, Any]]:
        """What its own `/ready` answers, within two seconds and a little for the way."""
        answer = httpx.get(f"{self.addresses.http_url}/ready", timeout=4.0, trust_env=False)
        return answer.status_code, answer.json()

    def page(self, path: str) -> str:
        """What it serves at this path."""
        return httpx.get(f"{self.addresses.http_url}{path}", timeout=20.0, trust_env=False).text

    def problem(self, part: str) -> str:
        """What `/ready` says of this part; nothing where it is well."""
        _, told = self.ready()
        return str(told.get("problems", {}).get(part, ""))

    def wait_until_ready(self) -> None:
        wait_for(lambda: self.ready()[0] == 200, "ready again", timeout_seconds=WAIT_SECONDS)

    def stop(self) -> None:
        """For the end of a test, whatever state it is in."""
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _ready_or_ended(self) -> bool:
        assert self._process is not None
        found = read_server_file(self.home) if self.home.is_dir() else None
        return self._process.poll() is not None or (found is not None and found.pid == self.pid)
