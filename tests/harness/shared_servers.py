"""Servers that share one NATS and one PostgreSQL, which tests bring."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness.command_line import CommandLine
from harness.servers import wait_for


class ServerOnShared:
    """A `headwater server start` that brings neither NATS nor PostgreSQL along."""

    def __init__(self, directory: Path, nats_url: str, database_url: str) -> None:
        self._command_line = CommandLine(directory)
        self._arguments = ("server", "start", "--nats-url", nats_url, "--database-url", database_url, "--port", "0")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = self._command_line.start(*self._arguments)
        wait_for((self._command_line.home / "server.json").exists, "the server is ready", timeout_seconds=60)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            (self._command_line.home / "server.json").unlink(missing_ok=True)
            self._process = None
