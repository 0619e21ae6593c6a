"""Locales that know less than names say, readers that leave early, disks that take nothing: what was done is shown all the same."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from harness.command_line import COMMAND, HELLO_FLOW, CommandLine, Ended

NAME = "fête 🎉"
FLOW = f"""
import os
from headwater import task, Flow

@task(log_stdout=True)
def say():
    print("ünïcode 🎉", os.fsdecode(b"caf\\xe9"))

with Flow({NAME!r}) as flow:
    say()
"""
LOCALES = {
    "C": {"LC_ALL": "C"},
    "ASCII": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ASCII output": {"PYTHONIOENCODING": "ascii"},
    "Latin-1 output": {"PYTHONIOENCODING": "latin-1"},
}


def _through(command: CommandLine, line: str) -> Ended:
    """Run a line of a shell in which the exit code of a pipe is that of its first command."""
    return command.run(["/bin/bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"])


@pytest.mark.parametrize("variables", [pytest.param(each, id=name) for name, each in LOCALES.items()])
def test_everything_works_in_any_locale(headwater: CommandLine, project: str, variables: dict[str, str]) -> None:
    local = CommandLine(headwater.directory, home=headwater.home, **variables)
    local.write("registers.py", FLOW + f"flow.register({project!r})\n")
    local.write("runs.py", FLOW + "assert flow.run().is_successful()\n")
    local.write("flow.py", FLOW)

    for ended in (
        local.python("registers.py"),
        local.python("runs.py"),
        local("register", "--project", project, "--path", "flow.py", "--force"),
        local("run", "--path", "flow.py"),
        local("run", "--name", NAME, "--project", project, "--execute", "--run-name", f"läuft {project}"),
        local("get", "flow-runs", "--flow", NAME),
        local("get", "flow-runs", "--flow", NAME, "--output", "json"),
        local("get", "logs", f"läuft {project}"),
        local("events", f"läuft {project}"),
        local("describe", "flow", NAME, "--project", project),
    ):
        assert ended.code == 0, ended
        assert "UnicodeEncodeError" not in ended.err
    refused = local("create", "project", project)
    assert refused.code == 1
    assert "already exists" in refused.err


@pytest.mark.parametrize(
    "words", [("events",), ("get", "logs", "RUN"), ("get", "flow-runs"), ("get", "projects", "-o", "json"), ("--help",)]
)
@pytest.mark.parametrize("reader", ["head -1", "true", "head -c 1"])
def test_a_reader_that_leaves_early_is_not_an_error(headwater: CommandLine, project: str, words: tuple[str, ...], reader: str) -> None:
    lines = "\n".join(f"    print({'x' * 200!r} + str({number}))" for number in range(3))
    flow = HELLO_FLOW.replace("@task", "@task(log_stdout=True)") + f"\nfor _ in ():\n{lines}\n"
    headwater.write("flow.py", flow.replace('logger.info("Hello, Cloud!")', 'logger.info("\\n".join(["Hello, Cloud!" * 20] * 3000))'))
    assert headwater("register", "--project", project, "--path", "flow.py").code == 0
    run = f"run {project}"
    assert headwater("run", "--name", "hello-flow", "--project", project, "--execute", "--run-name", run).code == 0

    line = shlex.join([str(COMMAND), *(run if word == "RUN" else word for word in words)])
    ended = _through(headwater, f"{line} | {reader}")

    assert ended.code == 0, ended.err
    assert ended.err == ""


def test_a_failure_stays_one_though_its_output_is_not_read(headwater: CommandLine) -> None:
    assert _through(headwater, f"{COMMAND} get logs nowhere 2>&1 | true").code == 1


def test_what_cannot_be_written_is_an_error_in_words(headwater: CommandLine, project: str) -> None:
    for words in (f"get projects --name {project}", "events", "version"):
        ended = _through(headwater, f"{COMMAND} {words} > /dev/full")

        assert ended.code == 1, (words, ended)
        assert "Error: No space left on device." in ended.err
        assert "Traceback" not in ended.err


def test_closed_streams_are_no_error(headwater: CommandLine) -> None:
    assert _through(headwater, f"{COMMAND} get projects >&- 2>&- <&-").code == 0
    assert _through(headwater, f"{COMMAND} get projects -o json >&-").code == 0
    assert _through(headwater, f"{COMMAND} delete project nowhere <&- 2>&-").code == 1


def test_a_home_with_a_comma_in_its_path_works(tmp_path: Path) -> None:
    command = CommandLine(tmp_path / "work", home=tmp_path / "a, b;c=d")
    started = command("server", "start", "--detach", "--port", "0", "--nats-port", "0")
    try:
        assert started.code == 0, started.err
        assert command("create", "project", "tutorial").out == "tutorial created\n"
        listed = command("get", "projects")
        assert listed.code == 0
        assert "tutorial" in listed.out
        assert "Views    at position" in command("server", "status").out
        assert command("doctor", "--home", str(command.home)).code == 0
    finally:
        assert command("server", "stop").code == 0
