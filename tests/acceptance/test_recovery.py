"""Restarting, limiting, explaining and checking by the installed command, with a whole server and a local agent."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable

import pytest
from harness.command_line import CommandLine
from harness.servers import wait_for

Agent = subprocess.Popen[str]

FLOWS = """
import pathlib
from headwater import Flow, task

@task
def extract():
    with open({directory!r} + "/extracted", "a") as file:
        file.write("x")
    return [1, 2, 3]

@task
def load(rows):
    if not pathlib.Path({directory!r} + "/open").exists():
        raise ValueError("the warehouse is closed")
    return sum(rows)

@task
def report(total):
    pathlib.Path({directory!r} + "/report").write_text(str(total))

@task
def hang():
    import time
    time.sleep(3600)

with Flow("etl") as etl:
    report(load(extract()))

hanging = Flow("hang", tasks=[hang])
"""


@pytest.fixture
def flows(headwater: CommandLine, project: str) -> str:
    """Two flows in this test's project, whose runs bear the project's name as their label."""
    headwater.write("flows.py", FLOWS.format(directory=str(headwater.directory)))
    registered = headwater("register", "--project", project, "--path", "flows.py", "--label", project)
    assert registered.code == 0, registered.err
    return project


def test_a_restarted_run_does_again_what_failed_and_keeps_the_rest(
    headwater: CommandLine, flows: str, start_agent: Callable[..., Agent]
) -> None:
    start_agent("--label", flows)
    failed = headwater("run", "--name", "etl", "--project", flows, "--run-name", f"etl of {flows}", "--watch")
    assert failed.code == 1
    explained = headwater("explain", f"etl of {flows}")
    assert "What failed first: load" in explained.out
    assert "headwater restart" in explained.err

    (headwater.directory / "open").touch()
    restarted = headwater("restart", f"etl of {flows}", "--reason", "it opened", "--watch")

    assert restarted.code == 0, restarted.out + restarted.err
    assert "1 of 3 recorded task runs are kept" in restarted.out
    assert (headwater.directory / "extracted").read_text() == "x"
    assert (headwater.directory / "report").read_text() == "6"
    again = headwater("restart", f"etl of {flows}")
    assert (again.code, "--from TASK" in again.err) == (1, True)
    from_extract = headwater("restart", f"etl of {flows}", "--from", "extract", "--watch")
    assert from_extract.code == 0, from_extract.err
    assert (headwater.directory / "extracted").read_text() == "xx"
    described = headwater("describe", "flow-run", f"etl of {flows}", "--output", "json").json
    assert (described["state"], described["attempt"]) == ("Success", 3)


def test_a_limit_holds_and_explain_says_who_has_the_slots(headwater: CommandLine, flows: str, start_agent: Callable[..., Agent]) -> None:
    assert headwater("set", "concurrency", "hang", "1", "--project", flows).out == "hang: at most 1 run at once.\n"
    assert headwater("set", "concurrency", "hang", "1", "--project", flows).out == "hang: at most 1 run at once, as before.\n"
    agent = start_agent("--label", flows)
    first, second = [headwater("run", "--name", "hang", "--project", flows, "--quiet").out.strip() for _ in range(2)]
    wait_for(lambda: headwater("explain", first, "--output", "json").json["reason"] == "runs", "the first one runs")

    waiting = headwater("explain", second, "--output", "json").json
    assert waiting["reason"] == "the flow's limit is reached"
    name = headwater("describe", "flow-run", first, "--output", "json").json["name"]
    assert f"the slots are taken by {name}" in waiting["words"]
    for run_id in (first, second):
        assert headwater("cancel", run_id).code == 0
    wait_for(lambda: headwater("explain", first, "--output", "json").json["reason"] == "cancelled", "the first one is cancelled")
    agent.send_signal(signal.SIGINT)


def test_a_run_without_an_agent_is_explained_with_what_to_start(headwater: CommandLine, flows: str) -> None:
    run_id = headwater("run", "--name", "etl", "--project", flows, "--max-attempts", "1", "--quiet").out.strip()

    explained = headwater("explain", run_id)

    assert "is Scheduled." in explained.out
    assert "No online agent takes runs with labels" in explained.out
    assert f"-l {flows}" in explained.err
    assert "fails when 1 attempt was lost" in headwater("events", run_id).out


def test_the_server_notices_that_the_last_agent_was_killed(headwater: CommandLine, flows: str, start_agent: Callable[..., Agent]) -> None:
    agent = start_agent("--label", flows, "--name", f"doomed {flows}")
    run_id = headwater("run", "--name", "hang", "--project", flows, "--quiet").out.strip()
    wait_for(lambda: headwater("explain", run_id, "--output", "json").json["reason"] == "runs", "it runs")
    agent.kill()
    agent.communicate()
    assert headwater("cancel", run_id, "--reason", "nobody is there").code == 0

    wait_for(lambda: headwater("explain", run_id, "--output", "json").json["reason"] == "cancelled", "the cancel is final")
    events = headwater("events", run_id).out
    assert f"attempt 1 was lost: agent 'doomed {flows}' sent no heartbeat" in events


def test_wrong_settings_are_refused_in_words(headwater: CommandLine, flows: str) -> None:
    assert headwater("set", "concurrency", "etl", "0", "--project", flows).code == 2
    missing = headwater("set", "max-attempts", "no-such-flow", "2", "--project", flows)
    assert (missing.code, "no-such-flow" in missing.err) == (1, True)
    assert headwater("set", "max-attempts", "etl", "2", "--project", flows).out == "etl: new runs fail when 2 attempts were lost.\n"


def test_a_label_set_is_limited_by_name(headwater: CommandLine, flows: str) -> None:
    assert headwater("set", "queue-limit", "4", "-l", f"gpu of {flows}").out == f"runs with labels gpu of {flows}: at most 4 at once.\n"
    assert headwater("set", "queue-limit", "many").code == 2


def test_the_whole_log_of_the_session_keeps_what_is_promised(headwater: CommandLine) -> None:
    checked = headwater("audit", "check")

    assert checked.code == 0, checked.out
    assert "the promises are kept" in checked.out
