"""What there is, listed for people and for programs, by the installed command and a whole server."""

from __future__ import annotations

import re

import pytest
from harness.command_line import HELLO_FLOW, CommandLine

RUN_FIELDS = {
    "id", "name", "state", "flow_id", "flow_name", "project_name", "version", "labels", "parameters", "created",
    "scheduled_start_time", "start_time", "end_time", "attempt", "position",
}  # fmt: skip


@pytest.fixture
def flow(headwater: CommandLine, project: str) -> str:
    """The tutorial's flow, registered in this test's project; its name."""
    headwater.write("hello_flow.py", HELLO_FLOW)
    registered = headwater("register", "--project", project, "--path", "hello_flow.py")
    assert registered.code == 0, registered.err
    return "hello-flow"


def test_what_was_just_written_is_in_the_next_listing(headwater: CommandLine, project: str) -> None:
    for number in range(3):
        name = f"{project} {number}"
        headwater("create", "project", name, "--description", "one of three")
        (row,) = headwater("get", "projects", "--name", name, "--output", "json").json
        assert (row["name"], row["description"], row["flow_count"]) == (name, "one of three", 0)


def test_a_run_has_the_fields_that_programs_rely_on(headwater: CommandLine, project: str, flow: str) -> None:
    run_id = headwater("run", "--name", flow, "--project", project, "--quiet", "--run-name", "first").out.strip()
    (run,) = headwater("get", "flow-runs", "--project", project, "--output", "json").json

    assert run.keys() >= RUN_FIELDS
    assert (run["id"], run["name"], run["state"]) == (run_id, "first", "Scheduled")
    assert (run["flow_name"], run["project_name"], run["version"], run["attempt"]) == (flow, project, 1, 0)


def test_every_listing_is_a_list_of_objects(headwater: CommandLine, project: str, flow: str) -> None:
    headwater("run", "--name", flow, "--project", project, "--run-name", f"listed {project}")

    for command in (
        ("projects",),
        ("flows", "--project", project),
        ("flow-runs",),
        ("tasks", "--flow-name", flow, "--project", project),
        ("task-runs", f"listed {project}"),
        ("agents", "--all"),
        ("logs", f"listed {project}"),
    ):
        rows = headwater("get", *command, "-o", "json").json
        assert isinstance(rows, list)
        assert all(isinstance(row, dict) for row in rows)
        if command[0] not in {"agents", "logs"}:
            assert rows, command


def test_a_table_has_its_headings_and_whole_ids(headwater: CommandLine, project: str, flow: str) -> None:
    flows = headwater("get", "flows", "--project", project)

    heading, row = flows.out.splitlines()
    assert heading.split() == ["NAME", "VERSION", "AGE", "ID", "PROJECT", "NAME"]
    (listed,) = headwater("get", "flows", "--project", project, "-o", "json").json
    assert listed["id"] in row
    assert headwater("get", "projects", "-n", project).out.split()[:3] == ["NAME", "FLOW", "COUNT"]


def test_an_empty_listing_is_a_heading_and_a_word_about_it(headwater: CommandLine) -> None:
    empty = headwater("get", "flows", "--project", "there is no such project")

    assert (empty.code, empty.err) == (0, "No flows found.\n")
    assert headwater("get", "flows", "--project", "there is no such project", "-o", "json").json == []


def test_older_versions_show_only_when_they_are_asked_for(headwater: CommandLine, project: str, flow: str) -> None:
    headwater("register", "--project", project, "--path", "hello_flow.py", "--force")

    def versions(*flags: str) -> list[int]:
        return [row["version"] for row in headwater("get", "flows", "-n", flow, "-p", project, *flags, "-o", "json").json]

    assert versions() == [2]
    assert versions("--all-versions") == [2, 1]
    assert versions("--version", "1") == [1]


def test_runs_are_filtered_by_state_whatever_its_case(headwater: CommandLine, project: str, flow: str) -> None:
    kept, cancelled = (headwater("run", "--name", flow, "--project", project, "-q").out.strip() for _ in range(2))
    headwater("cancel", cancelled)

    def listed(*flags: str) -> list[str]:
        return [row["id"] for row in headwater("get", "flow-runs", "--project", project, *flags, "-o", "json").json]

    assert listed() == [cancelled, kept]
    assert listed("--state", "scheduled") == [kept]
    assert listed("--state", "CANCELLED", "--state", "Success") == [cancelled]
    assert listed("--limit", "1") == [cancelled]
    assert listed("--started") == []
    wrong = headwater("get", "flow-runs", "--state", "Sleeping")
    assert (wrong.code, "'Sleeping' is not a state" in wrong.err) == (2, True)


def test_a_description_tells_all_in_words_and_in_json(headwater: CommandLine, project: str, flow: str) -> None:
    run_id = headwater("run", "--name", flow, "--project", project, "-q").out.strip()

    words = headwater("describe", "flow", flow, "--project", project).out
    assert f"Project:        {project}\n" in words
    assert "say_hello-1" in words
    described = headwater("describe", "flow", "--name", flow, "--project", project, "--output", "json").json
    assert [task["slug"] for task in described["tasks"]] == ["say_hello-1"]
    assert described["url"].endswith(f"/default/flow/{described['flow_group_id']}")
    run = headwater("describe", "flow-run", run_id, "-o", "json").json
    assert [state["state"] for state in run["states"]] == ["Scheduled"]
    assert [task["state"] for task in run["task_runs"]] == ["Pending"]
    assert "State:          Scheduled  Flow run scheduled.\n" in headwater("describe", "flow-run", run_id).out
    assert [task["name"] for task in headwater("describe", "tasks", described["id"], "-o", "json").json] == ["say_hello"]


def test_what_cannot_be_described_is_named(headwater: CommandLine, project: str, flow: str) -> None:
    for command, words in (
        (("flow", "nothing"), "Flow 'nothing' not found."),
        (("flow", flow, "--project", "nowhere"), "Project 'nowhere' not found."),
        (("flow", flow, "--project", project, "--version", "7"), "Flow 'hello-flow (version 7)' not found."),
        (("flow-run", "nothing"), "Run 'nothing' not found."),
        (("flow-run", "0199c0de-7a3e-7000-8000-0123456789ab"), "not found."),
    ):
        ended = headwater("describe", *command)
        assert (ended.code, words in ended.err) == (1, True), ended


def test_a_name_that_several_bear_is_ambiguous_and_all_are_listed(headwater: CommandLine, project: str, flow: str) -> None:
    other = f"{project} 2"
    headwater("create", "project", other)
    headwater("register", "--project", other, "--path", "hello_flow.py")
    runs = [headwater("run", "--name", flow, "--project", project, "--run-name", "twin", "-q").out.strip() for _ in range(2)]

    by_name = headwater("run", "--name", flow)
    assert by_name.code == 1
    assert f"Several projects have a flow '{flow}'" in by_name.err
    assert repr(project) in by_name.err
    assert repr(other) in by_name.err
    cancelled = headwater("cancel", "twin")
    assert cancelled.code == 1
    assert "Several runs are called 'twin'." in cancelled.err
    assert all(run in cancelled.err for run in runs)


def test_a_label_that_no_agent_has_is_pointed_out_when_the_run_is_made(headwater: CommandLine, project: str, flow: str) -> None:
    ended = headwater("run", "--name", flow, "--project", project, "--label", "no such label")

    assert ended.code == 0
    assert "└── Labels: ['no such label']\n" in ended.out
    assert "Warning: No agent" in ended.err
    assert "headwater agent local start --no-hostname-label -l 'no such label'" in ended.err


def test_the_pages_of_a_run_a_flow_and_the_dashboard_have_addresses(headwater: CommandLine, project: str, flow: str) -> None:
    run_id = headwater("run", "--name", flow, "--project", project, "--run-name", f"page of {project}", "-q").out.strip()
    root = headwater("open", "--print").out.strip()

    assert headwater("open", "--print", run_id).out == f"{root}/default/flow-run/{run_id}\n"
    assert headwater("open", "--print", f"page of {project}").out == f"{root}/default/flow-run/{run_id}\n"
    (row,) = headwater("get", "flows", "--project", project, "-o", "json").json
    assert headwater("open", "--print", flow, "--project", project).out == f"{root}/default/flow/{row['flow_group_id']}\n"
    assert "Flow 'nothing' not found." in headwater("open", "--print", "nothing").err


def test_the_servers_status_tells_what_the_log_holds(headwater: CommandLine, project: str) -> None:
    found = headwater("server", "status", "--output", "json").json

    assert (found["state"], found["home"], found["views"]["problem"]) == ("running", str(headwater.home), None)
    events, work, logs = found["streams"]
    assert [each["name"] for each in (events, work, logs)] == ["EVENTS", "WORK", "LOGS"]
    assert events["messages"] == found["views"]["log_position"] > 0
    assert events["bytes"] > 0
    assert logs["age_seconds_max"] == 7 * 24 * 3600
    assert re.search(r"EVENTS   \d+ messages, .*B, since \d{4}-", headwater("server", "status").out)
