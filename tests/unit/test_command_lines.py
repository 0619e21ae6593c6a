"""Command lines that are shown for copying give a shell, and then the command itself, the names and labels that were meant."""

from __future__ import annotations

import shlex
import socket
import subprocess
from typing import Any

import pytest
import typer.main
from hypothesis import given
from hypothesis import strategies as st

from headwater.action_names import command_of
from headwater.agents.local import LocalAgent
from headwater.cli.agent_matching import why_not_taken
from headwater.cli.main import app
from headwater.command_lines import command_line, start_agent_command
from headwater.core.hints import CreateProjectAction, StartAgentAction, hint
from headwater.core.operations.project_lookup import project_not_found

ODD = (
    *("gpu", "big box", "it's", 'a "b"', "$HOME", "$(touch x)", "`id`", "a;b", "a|b", "a&b", "a>b", "*", "~", "#1", "!x", "a\\b"),
    *("\\", "'", "-l", "--label", "--", "-", "--limit=3", "--no-hostname-label", "ü 🌊", "{a,b}", "a=b", "%PATH%"),
)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The agents that the command line made, by their settings; none of them begins."""
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(LocalAgent, "__init__", lambda _, **settings: made.append(settings))
    monkeypatch.setattr(LocalAgent, "start", lambda _: None)
    return made


def typed(line: str) -> None:
    """Run what a shell makes of the line, by the program that people call."""
    program, *words = shlex.split(line)
    assert program == "headwater"
    typer.main.get_command(app).main(words, prog_name="headwater", standalone_mode=False)


@pytest.mark.parametrize("label", ODD)
def test_the_command_that_is_shown_starts_an_agent_with_the_labels_of_the_run(label: str, started: list[dict[str, Any]]) -> None:
    labels = sorted({label, "night"})
    shown = (
        start_agent_command(labels),
        command_of(StartAgentAction(tuple(labels))).strip("`"),
        why_not_taken(labels, []).removeprefix("No agent is online. Start one with `").removesuffix("`."),
    )

    for line in shown:
        typed(line)

    assert [(agent["labels"], agent["hostname_label"]) for agent in started] == [(labels, False)] * 3


def test_a_run_with_this_machines_label_is_taken_by_an_agent_that_has_it(started: list[dict[str, Any]]) -> None:
    here = socket.gethostname()

    typed(start_agent_command(["a b", here], here=here))

    assert (list(started[0]["labels"]), started[0]["hostname_label"]) == (["a b"], True)


@pytest.mark.parametrize("name", ODD)
def test_a_real_shell_gives_the_words_back(name: str) -> None:
    assert project_not_found(name).advice == hint("Run {} to create it.", CreateProjectAction(name))
    line = command_of(CreateProjectAction(name)).strip("`").removeprefix("headwater ")
    said = subprocess.run(["/bin/sh", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True).stdout.decode().split("\0")

    assert said[:-1] == ["create", "project", *(["--"] if name.startswith("-") else []), name]


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)), st.booleans())
def test_what_is_split_as_shells_do_is_what_was_meant(names: list[str], in_quotes: bool) -> None:
    words = shlex.split(command_line("do this", *names, options=[("-o", "a b")], in_quotes=in_quotes))

    assert words[:3] == ["headwater", "do", "this"]
    assert sorted(words[3:]) == sorted([*names, "-o", "a b", *(["--"] if any(name.startswith("-") for name in names) else [])])
