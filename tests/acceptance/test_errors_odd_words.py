"""Whatever is typed, the answer is a sentence: never a traceback, never silence, and never "a fault of Headwater"."""

from __future__ import annotations

import os

import pytest
from harness.command_line import HELLO_FLOW, CommandLine
from harness.odd_words import Command, calls, commands, run_here, write_files

FLOW = HELLO_FLOW.replace("import task, Flow", "import task, Flow, Parameter").replace(
    'with Flow("hello-flow") as flow:', 'with Flow("hello-flow") as flow:\n    Parameter("x", default=1)'
)
USERS_CODE = "The traceback shows where; the file must import without arguments"
"""Said below the traceback of a file that is not a program: that is the user's own code, and shown on purpose."""
SHOWN = 60


@pytest.fixture(scope="session")
def odd(served: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A folder with odd files and a flow, and a project that has it."""
    command = CommandLine(tmp_path_factory.mktemp("odd"), home=served.home)
    write_files(command.directory)
    command.write("hello_flow.py", FLOW)
    assert command("create", "project", "odd").code == 0
    assert command("register", "--project", "odd", "--path", "hello_flow.py").code == 0
    return command


@pytest.fixture
def here(odd: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is where the commands run."""
    monkeypatch.chdir(odd.directory)
    for name in [name for name in os.environ if name.startswith("HEADWATER")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(odd.directory))
    monkeypatch.setenv("HEADWATER_HOME", str(odd.home))


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("command", [pytest.param(each, id=each.path) for each in commands()])
def test_every_place_of_every_command_takes_odd_words_or_refuses_them_in_a_sentence(command: Command) -> None:
    for words in calls(command):
        ended = run_here(words)

        shown = [word[:SHOWN] for word in words]
        assert ended.code in {0, 1, 2}, (shown, ended)
        assert "Traceback" not in ended.err or USERS_CODE in ended.err, (shown, ended.err)
        assert "fault of Headwater" not in ended.err, (shown, ended.err)
        assert "error of Headwater" not in ended.err, (shown, ended.err)
        assert ended.code == 0 or ended.err.strip() or "✗" in ended.out, (shown, ended)


def test_bytes_that_are_no_text_are_refused_by_the_word_they_came_in(odd: CommandLine) -> None:
    for words in (
        ("create", "project", "caf\udce9"),
        ("get", "projects", "--name", "caf\udce9"),
        ("run", "--name=x", "--param", "x=\udce9"),
    ):
        ended = odd(*words)

        assert ended.code == 1
        assert "is not UTF-8 text" in ended.err
        assert "\\udce9" in ended.err


def test_a_file_whose_name_is_not_a_text_runs_here_all_the_same(odd: CommandLine) -> None:
    name = "caf\udce9.py"
    (odd.directory / name).write_text(FLOW)

    ended = odd("run", "--path", name)

    assert ended.code == 0, ended.err


def test_an_unexpected_error_is_reported_as_one_and_its_traceback_is_shown_where_it_is_wanted(odd: CommandLine) -> None:
    odd.write("broken/sitecustomize.py", "import headwater.core.program.settings as s\ns.connection_settings = lambda *_: 1 / 0\n")
    broken = CommandLine(odd.directory, home=odd.home, PYTHONPATH=str(odd.directory / "broken"))
    telling = CommandLine(odd.directory, home=odd.home, PYTHONPATH=str(odd.directory / "broken"), HEADWATER_TRACEBACK="yes")

    ended, told = broken("get", "projects"), telling("get", "projects")

    assert (ended.code, told.code) == (1, 1)
    assert "Error: ZeroDivisionError: division by zero\nThis is a fault of Headwater, not yours." in ended.err
    assert "Traceback" not in ended.err
    assert "Traceback" in told.err
    assert "HEADWATER_TRACEBACK" in ended.err
