"""Code stays with those who wrote it: no file of NATS or PostgreSQL and no answer ever holds a word of a task's body."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.command_line import CommandLine, Ended

MARKER = "zebra_in_a_submarine"

FLOW = f"""
from headwater import Flow, task
import headwater

@task
def works():
    # {MARKER} in a comment
    {MARKER} = "{MARKER}"[:0]
    return {MARKER}

@task
def breaks(x):
    {MARKER} = [1]
    return {MARKER}[7]  # {MARKER}

with Flow("secretive") as flow:
    breaks(works())

if __name__ == "__main__":
    flow.register(project_name=PROJECT)
"""


def holding(folder: Path, marker: str) -> list[str]:
    """The files below the folder in which the marker occurs, as text or in UTF-16."""
    needles = (marker.encode(), marker.encode("utf-16-le"))
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_socket() and any(needle in path.read_bytes() for needle in needles)
    ]


@pytest.fixture
def failed_run(headwater: CommandLine, project: str, start_agent: Callable[..., subprocess.Popen[str]]) -> str:
    """The id of a run whose second task failed inside the marked body."""
    headwater.write("secretive.py", FLOW.replace("PROJECT", repr(project)))
    registered = headwater.python("secretive.py")
    assert registered.code == 0, registered.err
    start_agent()
    ended = headwater("run", "--name", "secretive", "--project", project, "--watch")
    assert ended.code == 1, ended.out + ended.err
    listed = headwater("get", "flow-runs", "--project", project, "--output", "json")
    (run,) = listed.json
    return str(run["id"])


def test_a_marker_in_task_bodies_is_in_no_file_of_the_servers_and_in_no_answer(headwater: CommandLine, failed_run: str) -> None:
    home = headwater.home
    stored = [str(path) for path in (home / "flows").rglob("*") if path.is_file()]
    assert holding(home / "flows", MARKER), "the code is stored on the user's side, or this test looks for nothing"

    assert [path for path in holding(home, MARKER) if path not in stored] == []
    for answer in (
        headwater("describe", "flow-run", failed_run, "--output", "json"),
        headwater("describe", "flow", "secretive", "--output", "json"),
        headwater("get", "logs", "--id", failed_run, "--output", "json"),
        headwater("get", "task-runs", failed_run, "--output", "json"),
        headwater("events", failed_run, "--output", "json"),
        headwater("events", "--output", "json"),
        headwater("audit", "replay", failed_run, "--output", "json"),
    ):
        assert answer.code == 0, answer.err
        assert MARKER not in answer.out


def test_a_failure_tells_where_it_happened_without_the_text_there(headwater: CommandLine, failed_run: str) -> None:
    events = headwater("events", failed_run, "--output", "json").json
    (failure,) = [each["event"]["failure"] for each in events if each["event"]["type"] == "task_run.failed"]

    assert failure["type"] == "IndexError"
    last = failure["traceback"][-1]
    assert (Path(last[0]).name, last[2]) == ("secretive.py", "breaks")
    assert last[3:] in ([], [None])


def test_source_text_is_there_where_the_user_switched_it_on(
    headwater: CommandLine, project: str, start_agent: Callable[..., subprocess.Popen[str]]
) -> None:
    outspoken = FLOW.replace(MARKER, "outspoken").replace("PROJECT", repr(project))
    headwater.write("outspoken.py", outspoken)
    assert headwater.python("outspoken.py").code == 0
    start_agent("--env", "HEADWATER_TRACEBACK_SOURCE=1")

    ended: Ended = headwater("run", "--name", "secretive", "--project", project, "--watch")

    assert ended.code == 1
    assert "return outspoken[7]" in ended.out
