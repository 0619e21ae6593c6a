"""What people read when they name what is not there, or cannot be; on the installed command, with nothing but a log."""

from __future__ import annotations

import pytest
from harness.command_line import HELLO_FLOW, CommandLine, Ended

UNKNOWN_ID = "0199c0de-7a3e-7000-8000-0123456789ab"
UNKNOWN_FLOW = "7d4780b4-4aea-88bc-88bd-e3f900000001"


def refused(ended: Ended, *words: str) -> None:
    """It ended with code 1, said these words on standard error and no traceback, and printed nothing."""
    assert ended.code == 1, ended
    for each in words:
        assert each in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_an_unknown_project_comes_with_the_command_that_creates_it(append_only: CommandLine) -> None:
    append_only.write("hello_flow.py", HELLO_FLOW)

    for command in (
        ("run", "--name", "hello-flow", "--project", "nowhere"),
        ("run", "flow", "--name", "hello-flow", "--project", "nowhere"),
        ("register", "--project", "nowhere", "--path", "hello_flow.py"),
        ("delete", "project", "nowhere", "--yes"),
    ):
        refused(append_only(*command), "Error: Project 'nowhere' not found.", "headwater create project 'nowhere'")


def test_an_unknown_flow_and_an_unknown_run_are_reported(append_only: CommandLine) -> None:
    append_only("create", "project", "empty")

    refused(append_only("run", "--name", "hello", "--project", "empty"), "Flow 'hello' not found.", "headwater get flows --project")
    refused(append_only("run", "--id", UNKNOWN_FLOW), f"Flow '{UNKNOWN_FLOW}' not found.")
    refused(append_only("run", "--id", "hello"), "'hello' is not a flow id")
    refused(append_only("run", "--id", UNKNOWN_ID), "is not the id of a flow")
    refused(append_only("cancel", UNKNOWN_ID), f"Run '{UNKNOWN_ID}' not found.", "headwater get flow-runs")
    refused(append_only("get", "logs", UNKNOWN_ID), f"Run '{UNKNOWN_ID}' not found.")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "cannot be empty"),
        ("   ", "cannot be empty"),
        ("n" * 256, "256 characters; at most 255"),
        ("a\nb", "control character U+000A"),
        ("a\x1bb", "control character U+001B"),
    ],
)
def test_a_name_that_cannot_be_is_refused(append_only: CommandLine, name: str, words: str) -> None:
    refused(append_only("create", "project", name), "Error: The name of a project", words)


@pytest.mark.parametrize("name", ["Hello, World!", 'it\'s "quoted"', "🎉 fête", "a/b\\c", "$HOME `x` *", "-dash", "n" * 255])
def test_any_printable_name_works(append_only: CommandLine, name: str) -> None:
    append_only.write("flow.py", f"from headwater import Flow, task\n@task\ndef t(): pass\nflow = Flow({name!r}, tasks=[t])\n")

    assert append_only("create", "project", "--", name).out == f"{name} created\n"
    registered = append_only("register", "--project", name, "--path", "flow.py")
    assert registered.code == 0, registered.err
    run = append_only("run", "--name", name, "--project", name, "--run-name", name, "--label", name)
    assert run.code == 0, run.err
    assert f"└── Name: {name}\n" in run.out
    assert append_only("delete", "project", "--yes", "--", name).out == f"{name} deleted\n"


def test_a_project_that_exists_is_an_error_unless_that_is_accepted(append_only: CommandLine) -> None:
    assert append_only("create", "project", "twice").out == "twice created\n"

    refused(append_only("create", "project", "twice"), "Error: Project 'twice' already exists.", "--skip-if-exists")
    accepted = append_only("create", "project", "twice", "--skip-if-exists")
    assert (accepted.code, accepted.out) == (0, "twice already exists\n")


def test_a_deletion_is_asked_for_and_may_be_declined(append_only: CommandLine) -> None:
    append_only("create", "project", "kept")

    refused(append_only("delete", "project", "kept", stdin="n\n"), "Delete project 'kept' with its flows? [y/N]:", "Nothing was deleted")
    refused(append_only("delete", "project", "kept"), "--yes deletes without asking")
    assert append_only("delete", "project", "kept", stdin="y\n").out == "kept deleted\n"


def test_an_archived_version_takes_no_runs(append_only: CommandLine) -> None:
    append_only.write("hello_flow.py", HELLO_FLOW)
    append_only("create", "project", "versions")
    first = append_only("register", "--project", "versions", "-p", "hello_flow.py").out.partition("ID: ")[2].split()[0]
    append_only("register", "--project", "versions", "-p", "hello_flow.py", "--force")

    refused(append_only("run", "--id", first), "Version 1 of flow 'hello-flow'", "is archived and takes no runs", "The newest version is 2")
    refused(append_only("run", "flow", "--name", "hello-flow", "--project", "versions", "--version", "1"), "is archived")


def test_a_run_that_ended_is_not_cancelled_twice(append_only: CommandLine) -> None:
    append_only.write("hello_flow.py", HELLO_FLOW)
    append_only("create", "project", "ended")
    append_only("register", "--project", "ended", "-p", "hello_flow.py")
    run = append_only("run", "--name", "hello-flow", "--project", "ended", "--quiet").out.strip()

    assert append_only("cancel", run, "--reason", "wrong data").out.endswith(": Cancelled.\n")
    refused(append_only("cancel", run), "had ended before: Cancelled.")
