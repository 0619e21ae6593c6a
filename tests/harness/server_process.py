"""A Headwater server without services as a process of its own, for tests that kill it.

Run as a program (`python server_process.py OPTIONS`) it is that server; imported, it starts one and waits for it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import msgspec
import psutil

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from harness.servers import START_SECONDS, wait_for
from headwater.core.errors import HeadwaterError
from headwater.core.program.server_file import ServerFile, read_server_file
from headwater.server.home import Home, is_held
from headwater.server.options import ServerOptions
from headwater.server.program import serve_headwater
from headwater.server.supervision.orphan_cleanup import RememberedProcess


class ServerProcess:
    """One `serve_headwater` in a process of its own. `options` are those of ServerOptions, ports 0 by default."""

    def __init__(self, home: Path, **options: Any) -> None:
        self.home = home
        self._options = {"home": str(home), "port": 0, "nats_port": 0} | options
        self._process: subprocess.Popen[str] | None = None

    @property
    def command(self) -> list[str]:
        return [sys.executable, __file__, msgspec.json.encode(self._options).decode()]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def nats_pid(self) -> int:
        return _remembered(self.home / "nats" / "nats.pid")

    @property
    def postgres_pid(self) -> int:
        return _remembered(self.home / "postgres" / "postgres.pid")

    def descendants(self) -> list[psutil.Process]:
        """Every process this server has under it now: nats-server, postgres and its workers."""
        found: list[psutil.Process] = psutil.Process(self.pid).children(recursive=True)
        return found

    def start(self) -> ServerFile:
        """Starts it and returns its server.json as soon as it is ready."""
        self.start_without_waiting()
        wait_for(self._ready_or_ended, "the server ready")
        assert self._process is not None
        assert self._process.poll() is None, self.wait()
        content = read_server_file(self.home)
        assert content is not None
        return content

    def start_without_waiting(self) -> None:
        self._process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_until_held(self) -> None:
        """Returns when the server holds its home, long before it is ready."""
        wait_for(lambda: is_held(Home(self.home)), "the home held")

    def refuse_to_start(self) -> tuple[int, str]:
        """Starts it in the belief that it will end by itself; returns its exit code and its words."""
        done = subprocess.run(self.command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        return done.returncode, done.stderr

    def kill(self) -> None:
        """SIGKILL: nothing of its own clean-up runs."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C; returns the exit code and what it wrote to stderr."""
        return self.end(signal.SIGINT)

    def end(self, how: signal.Signals) -> tuple[int, str]:
        os.kill(self.pid, how)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        assert self._process is not None
        _, err = self._process.communicate(timeout=START_SECONDS)
        return self._process.returncode, err

    def make_sure_it_ended(self) -> None:
        """For the end of a test; its children end with it."""
        if self._process is not None and self._process.returncode is None:
            if self._process.poll() is None:
                self.kill()
            else:
                self.wait()

    def _ready_or_ended(self) -> bool:
        assert self._process is not None
        content = read_server_file(self.home) if self.home.is_dir() else None
        return self._process.poll() is not None or (content is not None and content.pid == self.pid)


def _remembered(pid_file: Path) -> int:
    return msgspec.json.decode(pid_file.read_bytes(), type=RememberedProcess).pid


def main() -> None:
    options = msgspec.json.decode(sys.argv[1], type=ServerOptions, dec_hook=lambda kind, text: kind(text))
    try:
        anyio.run(lambda: serve_headwater(options, lambda _: []))
    except HeadwaterError as error:
        sys.exit(f"error: {error}\nhint: {error.hint}")


if __name__ == "__main__":
    main()
