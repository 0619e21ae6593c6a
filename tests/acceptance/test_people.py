"""Waiting for people by the installed command: a run that asks for approval, and states set manually, with a server and a local agent."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from harness.command_line import CommandLine
from harness.servers import wait_for

Agent = subprocess.Popen[str]

FLOW = """
import pathlib
from headwater import Flow, task
from headwater.triggers import manual_only

@task
def prepare():
    return 42

@task(trigger=manual_only)
def publish(prepared):
    pathlib.Path({directory!r} + "/published").write_text(str(prepared))

@task
def fetch():
    raise ValueError("the source is gone")

@task
def load(rows):
    pathlib.Path({directory!r} + "/loaded").write_text(repr(rows))

with Flow("approved") as approved:
    publish(prepare())

with Flow("patched") as patched:
    load(fetch())
"""


@pytest.fixture
def flows(headwater: CommandLine, project: str, start_agent: Callable[..., Agent]) -> str:
    """Two flows in this test's project, and an agent that takes their runs."""
    headwater.write("flows.py", FLOW.format(directory=str(headwater.directory)))
    registered = headwater("register", "--project", project, "--path", "flows.py", "--label", project)
    assert registered.code == 0, registered.err
    start_agent("--label", project)
    return project


def _reason(headwater: CommandLine, run: str) -> str:
    return str(headwater("explain", run, "--output", "json").json["reason"])


def test_a_run_waits_for_a_person_who_resumes_it(headwater: CommandLine, flows: str) -> None:
    run = headwater("run", "--name", "approved", "--project", flows, "--quiet").out.strip()
    wait_for(lambda: _reason(headwater, run) == "paused", "it waits for a person")
    explained = headwater("explain", run)
    assert "is Paused." in explained.out
    assert "task publish-1 waits for a person to resume it" in explained.out
    assert f"headwater resume {run}" in explained.err
    wrong = headwater("resume", run, "--task", "prepare")
    assert (wrong.code, "prepare-1 is Success" in wrong.err) == (1, True)

    resumed = headwater("resume", run, "--task", "publish", "--reason", "the numbers are right", "--watch")

    assert resumed.code == 0, resumed.out + resumed.err
    assert "resumed publish-1." in resumed.out
    assert (headwater.directory / "published").read_text() == "42"
    assert "task publish-1 was resumed: the numbers are right" in headwater("events", run).out
    late = headwater("resume", run)
    assert (late.code, "The run is Success" in late.err) == (1, True)


def test_states_are_set_manually_and_a_restart_goes_on_from_them(headwater: CommandLine, flows: str) -> None:
    assert headwater("run", "--name", "patched", "--project", flows, "--run-name", f"patched {flows}", "--watch").code == 1
    run = f"patched {flows}"
    assert headwater("set", "state", run, "Success", "--task", "fetch").code == 2, "a reason is asked for"
    wrong = headwater("set", "state", run, "Running", "--reason", "x")
    assert (wrong.code, "Success, Failed, Cancelled, Scheduled" in wrong.err) == (1, True)

    run_id = headwater("get", "task-runs", run, "-o", "json").json[0]["run_id"]
    for task_run, state in ((f"{run_id}:-1:fetch-1", "Skipped"), (f"{run_id}/fetch-1/-1", "Pending")):
        by_id = headwater("set", "state", task_run, state, "--reason", "by its id")
        assert f"fetch-1 was set to {state}; the run is Failed." in by_id.out, by_id.err
    done = headwater("set", "state", run, "Success", "--task", "fetch", "--result", "[1, 2]", "--reason", "fetched by hand")
    assert done.code == 0, done.err
    assert "fetch was set to Success; the run is Failed." in done.out
    assert "headwater restart" in done.err
    restarted = headwater("restart", run, "--watch")

    assert restarted.code == 0, restarted.out + restarted.err
    assert (headwater.directory / "loaded").read_text() == "[1, 2]"
    failed = headwater("set", "state", run, "failed", "--reason", "the wrong rows")
    assert "is Failed now." in failed.out
    assert _reason(headwater, run) == "set by hand"
    assert "was in this state already" in headwater("set", "state", run, "Failed", "--reason", "the wrong rows").out
    checked = headwater("audit", "check")
    assert checked.code == 0, checked.out
