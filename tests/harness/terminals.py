"""Does what a document says, literally, and compares what comes with what it shows.

A block that names a file writes it. In a `console` block each `$` line is run to its end in a shell, and its whole output must be the
lines below it, where `...` stands for any number of lines. A `console` block with a title is a terminal of that name: what is started
there goes on, later blocks of the same title show what it printed since, and `^C` ends it.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

from harness.command_line import COMMAND, END_SECONDS, run_to_its_end
from harness.documents import Block, Document, Shown
from harness.servers import wait_for
from headwater.core.values import names
from headwater.server.supervision.child_process import ended_with_parent

_WORDS = "(?:" + "|".join(names._ADJECTIVES.split()) + ")-(?:" + "|".join(names._NOUNS.split()) + ")"
_REPLACED = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f-]*…"), "<id>"),
    (re.compile(r"\bagentless-run-[0-9a-f]{8}\b"), "<label>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?([+-]\d{4})?"), "<time>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"), "<time>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dt\d\d-\d\d-\d\d-\d+-00-00"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "<time>"),
    (re.compile(r"(?:127\.0\.0\.1|localhost):\d+"), "<address>"),
    (re.compile(r"\bPID (\s*)\d+"), "PID <pid>"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|seconds?|minutes?)\b"), "<span>"),
    (re.compile(r"/tmp/headwater-demo-\w+"), "<folder>"),
    (re.compile(rf"\b{_WORDS}\b"), "<name>"),
    # A run takes as many commits as it takes, so that positions differ.
    (re.compile(r"^\s*\d+  (?=<time>)"), "<position> "),
    (re.compile(r"\b\d+ commits?\b"), "<commits>"),
    # So are the times of a schedule that passed.
    (re.compile(r"\b\d+ (outcome|run)s?(?=[,:])"), r"<number> \1s"),
    (re.compile(r"(?i)\b(position\s+)\d+( of \d+)?"), r"\1<position>"),
    (re.compile(r'("position": )\d+'), r"\1<position>"),
    (re.compile(r"\s+"), " "),
]
_LISTED = re.compile(r"(?<=\[)'[^\]]*'(?=\])|(?<=^Labels: ).+")
_WHERE = {"home": "/home/ana", "host": "laptop", "user": "ana@laptop"}
"""What the documents call the machine on which they were recorded."""


class Terminal:
    """A program that was started and goes on; `take` returns what it printed and was not taken yet."""

    def __init__(self, command: str, directory: Path, environment: dict[str, str]) -> None:
        self.command = command
        self._process = subprocess.Popen(
            ended_with_parent(["/bin/bash", "-c", f"exec {command}"], death_signal=signal.SIGKILL),
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._taken = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self._lines.extend(self._stripped(line) for line in self._process.stdout)

    @staticmethod
    def _stripped(line: str) -> str:
        return line.rstrip("\n")

    @property
    def untaken(self) -> list[str]:
        return self._lines[self._taken :]

    def expect(self, shown: list[str], plain: Plain) -> None:
        """Return as soon as it has printed these lines, after those taken before."""

        def came() -> bool:
            return plain.length(shown, self.untaken) is not None or self._process.poll() is not None

        try:
            wait_for(came, "", timeout_seconds=END_SECONDS)
        finally:
            self._reader.join(timeout=1.0 if self._process.poll() is not None else 0.0)
            length = plain.length(shown, self.untaken)
            assert length is not None, plain.difference(self.command, shown, self.untaken)
        self._taken += length

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(END_SECONDS) == 0, self.untaken
        self._reader.join()

    def make_sure_it_ended(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Plain:
    """Makes lines comparable: without what is different each time."""

    def __init__(self, directory: Path) -> None:
        self._own = [(str(directory), _WHERE["home"]), ("root@" + socket.gethostname(), _WHERE["user"])]
        self._host = re.compile(rf"\b{re.escape(socket.gethostname())}\b")

    def as_on_the_recorded_machine(self, line: str) -> str:
        """Return the line as it would be where the documents were recorded."""
        for ours, theirs in self._own:
            line = line.replace(ours, theirs)
        return self._host.sub(_WHERE["host"], line).rstrip()

    def __call__(self, line: str) -> str:
        line = self.as_on_the_recorded_machine(line)
        for pattern, replacement in _REPLACED:
            line = pattern.sub(replacement, line)
        # Labels are shown in order, and what the machine is called decides where its name stands.
        line = _LISTED.sub(lambda found: ", ".join(sorted(found.group().split(", "))), line)
        return line.strip()

    def length(self, shown: list[str], printed: list[str], *, whole: bool = False) -> int | None:
        """Return how many of the printed lines are those shown; None where they differ. With `whole`, all must be."""
        pattern = "".join(r"(?:.*\n)*?" if line.strip() == "..." else re.escape(self(line)) + r"\n" for line in shown)
        text = "".join(self(line) + "\n" for line in printed)
        found = re.fullmatch(pattern, text) if whole else re.match(pattern, text)
        return None if found is None else found.group().count("\n")

    def difference(self, command: str, shown: list[str], printed: list[str]) -> str:
        wanted, came = "\n".join(map(self, shown)), "\n".join(map(self, printed))
        return f"$ {command}\n--- the document shows\n{wanted}\n--- what came\n{came}"


class Reader:
    """Does what documents say, in a home of its own. `directory` is that home."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.plain = Plain(directory)
        self._terminals: dict[str, Terminal] = {}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEADWATER")}
        self.environment = {
            **inherited,
            "HOME": str(directory),
            "PATH": f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}",
            "HEADWATER_ACTOR": _WHERE["user"],
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "110",
            "TZ": "UTC",
        }

    def follow(self, document: Document) -> None:
        """Do all it says; fails where something else comes than it shows."""
        for block in document.blocks():
            self.do(block)

    def do(self, block: Block) -> None:
        if block.language == "console" and block.title:
            self._in_terminal(block)
        elif block.language == "console":
            for shown in block.commands():
                printed = self.run(shown.command)
                assert self.plain.length(shown.output, printed, whole=True) is not None, self.plain.difference(
                    shown.command, shown.output, printed
                )
        elif block.title:
            file = self.directory / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)

    def run(self, command: str) -> list[str]:
        """Run a command to its end and return what it printed; whether it succeeded is for the reader to see."""
        return run_to_its_end(["bash", "-c", as_in_a_test(command)], cwd=self.directory, env=self.environment, merged=True).out.splitlines()

    def _in_terminal(self, block: Block) -> None:
        parts = [Shown("")]
        for line in block.text.splitlines():
            if line.startswith("$ ") or line == "^C":
                parts.append(Shown(line.removeprefix("$ ")))
            else:
                parts[-1].output.append(line)
        for part in parts:
            if part.command == "^C":
                self._terminals[block.title].interrupt()
            elif part.command:
                self._terminals[block.title] = Terminal(as_in_a_test(part.command), self.directory, self.environment)
            if part.output:
                self._terminals[block.title].expect(part.output, self.plain)

    def leave(self) -> None:
        """End whatever is still running."""
        for terminal in self._terminals.values():
            terminal.make_sure_it_ended()
        self.run("headwater server stop")


def as_in_a_test(command: str) -> str:
    """Return the command with ports that are free; several servers run on the machine that tests."""
    return command.replace("headwater server start", "headwater server start --port 0 --nats-port 0")
