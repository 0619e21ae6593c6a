"""Creating, watching, executing and cancelling runs by the installed command, with a whole server and a local agent."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable
from socket import gethostname

import pytest
from harness.command_line import HELLO_FLOW, CommandLine
from harness.servers import wait_for

Agent = subprocess.Popen[str]
LINE = re.compile(r"└── \d\d:\d\d:\d\d \| (\w+) +\| (.*)")

FLOWS = """
import time
from headwater import Flow, Parameter, task
import headwater

@task
def greet(name):
    headwater.context.get("logger").info(f"Hello, {name}!")

@task
def fail():
    raise ValueError("no luck today")

@task
def wait_for_ever():
    headwater.context.get("logger").info("waiting")
    time.sleep(3600)

with Flow("greet") as greeting:
    greet(Parameter("name", default="Cloud"))

failing = Flow("fail", tasks=[fail])
waiting = Flow("wait", tasks=[wait_for_ever])
"""


@pytest.fixture
def flows(headwater: CommandLine, project: str) -> str:
    """Three flows in this test's project, whose runs bear the project's name as their label."""
    headwater.write("flows.py", FLOWS)
    registered = headwater("register", "--project", project, "--path", "flows.py", "--label", project)
    assert registered.code == 0, registered.err
    return project


@pytest.fixture
def agent(start_agent: Callable[..., Agent], flows: str) -> Agent:
    return start_agent("--label", flows)


def watched(out: str) -> list[str]:
    """The words of the watched lines, in order."""
    return [found[2] for line in out.splitlines() if (found := LINE.fullmatch(line))]


def test_a_watched_run_shows_states_and_log_lines_in_their_order_and_ends_with_0(headwater: CommandLine, flows: str, agent: Agent) -> None:
    ended = headwater("run", "--name", "greet", "--project", flows, "--param", "name=Ana", "--watch")

    assert ended.code == 0, ended.err
    words = watched(ended.out)
    assert [each for each in words if each.startswith("Entered state")][:3] == [
        "Entered state <Scheduled>: Flow run scheduled.",
        next(each for each in words if each.startswith("Entered state <Submitted>")),
        "Entered state <Running>: Running flow.",
    ]
    assert words.index("Entered state <Running>: Running flow.") < words.index("Hello, Ana!")
    assert words[-1].startswith("Entered state <Success>")
    assert ended.out.splitlines()[-1] == "Flow run succeeded!"
    assert "Parameters: {'name': 'Ana'}" in ended.out


def test_a_failed_run_ends_the_watch_with_1(headwater: CommandLine, flows: str, agent: Agent) -> None:
    ended = headwater("run", "--name", "fail", "--project", flows, "--watch", "--no-logs")

    assert ended.code == 1
    assert ended.out.splitlines()[-1] == "Flow run failed!"
    assert watched(ended.out)[-1].startswith("Entered state <Failed>")
    assert not any("no luck" in each for each in watched(ended.out))


def test_a_run_is_cancelled_while_it_is_watched(headwater: CommandLine, flows: str, agent: Agent) -> None:
    watch = headwater.start("run", "--name", "wait", "--project", flows, "--run-name", f"stuck {flows}", "--watch")
    assert watch.stdout is not None
    seen = []
    for line in watch.stdout:
        seen.append(line)
        if line.endswith("| waiting\n"):
            break
    cancelled = headwater("cancel", f"stuck {flows}", "--reason", "enough")
    rest, _ = watch.communicate(timeout=60)

    assert "Cancelling; its agent stops it" in cancelled.out
    assert "Entered state <Cancelling>: enough" in rest
    assert rest.splitlines()[-1] == "Flow run was cancelled."
    assert watch.returncode == 1


def test_ctrl_c_ends_the_watch_and_not_the_run(headwater: CommandLine, flows: str) -> None:
    watch = headwater.start("run", "--name", "greet", "--project", flows, "--watch", "--run-name", f"alone {flows}")
    assert watch.stdout is not None
    next(line for line in watch.stdout if "Entered state <Scheduled>" in line)
    watch.send_signal(signal.SIGINT)
    _, words = watch.communicate(timeout=30)

    assert watch.returncode == 130
    assert "The run goes on." in words
    assert "Traceback" not in words
    (run,) = headwater("get", "flow-runs", "--name", f"alone {flows}", "-o", "json").json
    assert run["state"] == "Scheduled"


def test_the_older_form_prints_the_address_of_the_run(headwater: CommandLine, flows: str, agent: Agent) -> None:
    ended = headwater("run", "flow", "--name", "greet", "--project", flows, "--parameters-string", '{"name": "Bo"}', "--watch", "--logs")

    assert ended.code == 0, ended.err
    assert re.match(r"Flow Run: http://127\.0\.0\.1:\d+/default/flow-run/[0-9a-f-]{36}\n", ended.out)
    assert "Hello, Bo!" in watched(ended.out)


def test_logs_and_task_runs_can_be_read_afterwards(headwater: CommandLine, flows: str, agent: Agent) -> None:
    run_id = headwater("run", "--name", "greet", "--project", flows, "--watch", "--quiet").out.splitlines()[0]

    assert "Hello, Cloud!" in headwater("get", "logs", run_id).out
    (line,) = [row for row in headwater("get", "logs", "--id", run_id, "-o", "json").json if row["message"] == "Hello, Cloud!"]
    assert (line["level"], line["attempt"]) == (20, 1)
    assert "(greet-1)" in headwater("get", "logs", run_id, "--info").out
    assert headwater("get", "logs", run_id, "--level", "ERROR").out == ""
    wait_for(
        lambda: {row["state"] for row in headwater("get", "task-runs", run_id, "-o", "json").json} == {"Success"}, "the task runs' states"
    )


def test_the_log_level_of_a_run_is_chosen_when_it_is_made(headwater: CommandLine, flows: str, agent: Agent) -> None:
    run_id = headwater("run", "--name", "greet", "--project", flows, "--watch", "--quiet", "--log-level", "error").out.splitlines()[0]

    assert headwater("get", "logs", run_id).out == ""


def test_a_run_executed_here_needs_no_other_agent(headwater: CommandLine, flows: str) -> None:
    ended = headwater("run", "--name", "greet", "--project", flows, "--execute", "--param-file", _file(headwater, '{"name": "Cy"}'))

    assert ended.code == 0, ended.err
    assert "Hello, Cy!" in watched(ended.out)
    assert re.search(r"Labels: \['agentless-run-[0-9a-f]{8}'\]", ended.out)
    assert headwater("run", "--name", "fail", "--project", flows, "--execute", "--quiet").code == 1


def test_a_flow_runs_locally_without_any_server(headwater: CommandLine) -> None:
    headwater.write("flows.py", FLOWS)
    alone = CommandLine(headwater.directory, nats_url="nats://127.0.0.1:1")

    ended = alone("run", "--path", "flows.py", "--name", "greet", "--param", "name=Di")
    assert ended.code == 0, ended.err
    assert "Hello, Di!" in ended.out
    assert alone("run", "--module", "flows", "--name", "fail").code == 1
    several = alone("run", "--path", "flows.py")
    assert (several.code, "holds several flows" in several.err) == (1, True)


def test_the_same_idempotency_key_names_the_same_run(headwater: CommandLine, flows: str) -> None:
    first = headwater("run", "--name", "greet", "--project", flows, "--idempotency-key", "today", "-q")
    again = headwater("run", "--name", "greet", "--project", flows, "--idempotency-key", "today")

    assert first.out.strip() in again.out
    assert "was there already" in again.err


def test_a_flow_that_did_not_change_is_skipped(headwater: CommandLine, flows: str) -> None:
    again = headwater("register", "--project", flows, "--path", "flows.py", "--label", flows)
    assert "0 registered, 3 skipped" in again.out
    assert "Skipped (metadata unchanged)" in again.out
    headwater.write("flows.py", FLOWS.replace("no luck today", "no luck tomorrow"))
    assert "1 registered, 2 skipped" in headwater("register", "--project", flows, "--path", "flows.py", "--label", flows).out
    assert "3 registered" in headwater("register", "--project", flows, "--path", "flows.py", "--label", flows, "--force").out


def _file(headwater: CommandLine, text: str) -> str:
    return str(headwater.write("parameters.json", text))


def test_every_form_prints_one_id_when_it_is_quiet(headwater: CommandLine, flows: str) -> None:
    later = headwater("run", "--name", "greet", "--project", flows, "--quiet", "--scheduled-at", "2099-01-01T00:00Z")

    assert re.fullmatch(r"[0-9a-f-]{36}\n", later.out)
    assert later.err == ""
    described = headwater("describe", "flow-run", later.out.strip(), "-o", "json").json
    assert described["scheduled_start_time"] == "2099-01-01T00:00:00Z"


def test_a_time_that_is_typed_is_on_this_machines_clock_and_told_with_its_offset(headwater: CommandLine, flows: str) -> None:
    headwater.environment = {**headwater.environment, "TZ": "America/New_York"}
    run_id = f"late {flows}"
    told = headwater("run", "--name", "greet", "--project", flows, "--run-name", run_id, "--scheduled-at", "2099-07-01T08:30")

    assert "The run is due at 2099-07-01 08:30:00-04:00." in told.err
    assert headwater("describe", "flow-run", run_id, "-o", "json").json["scheduled_start_time"] == "2099-07-01T12:30:00Z"
    since = headwater("events", "--since", "2031-07-01T08:30")
    assert (since.out, "Since 2031-07-01 08:30:00-04:00." in since.err) == ("", True)
    for command in (("replay", "--as-of", "2031-07-01T08:30"), ("diff", "2031-07-01T08:30", "now")):
        assert "The moment is 2031-07-01 08:30:00-04:00." in headwater("audit", *command).err


def test_a_tutorials_script_prints_the_lines_of_the_tutorial(headwater: CommandLine, project: str) -> None:
    script = headwater.write("hello_flow.py", HELLO_FLOW + f"\nflow.register(project_name={project!r})\n")
    ended = headwater.python(script)

    assert ended.code == 0, ended.err
    check, url, version, in_project, labels = ended.out.splitlines()
    assert check == "Result check: OK"
    found = re.fullmatch(r"Flow URL: http://127\.0\.0\.1:\d+/default/flow/([0-9a-f-]{28})00000000", url)
    assert found is not None
    assert version == f" └── ID: {found[1]}00000001"
    assert in_project == f" └── Project: {project}"
    assert labels == f" └── Labels: {[gethostname()]}"
