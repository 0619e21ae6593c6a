"""Commands of a shell as tasks."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from harness.servers import wait_for

from headwater import Flow
from headwater.sdk.executors import ThreadExecutor
from headwater.sdk.states.state import Cancelled, Failed, State, Success, TimedOut
from headwater.sdk.task_library.shell import ShellTask

RESULTS = [
    pytest.param("echo -n 'hello world'", {}, "hello world", id="the last line"),
    pytest.param("printf 'hello\\n42  \\n'", {}, "42", id="without what ends it"),
    pytest.param("printf 'hello\\n42'", {"return_all": True}, ["hello", "42"], id="all lines"),
    pytest.param("printf 'a\\n\\nb\\n'", {"return_all": True}, ["a", "", "b"], id="empty lines"),
    pytest.param("true", {}, None, id="no output"),
    pytest.param("true", {"return_all": True}, [], id="no output, all lines"),
    pytest.param("ls /no-such-directory; true", {}, "ls: cannot access '/no-such-directory': No such file or directory", id="errors too"),
    pytest.param("printf 'caf\\xe9\\n'", {}, "caf\\xe9", id="bytes that are not UTF-8"),
    pytest.param("printf 'käse\\n'", {}, "käse", id="letters of any script"),
    pytest.param("echo $GREETING $HOME_OF_MINE", {"env": {"GREETING": "hi"}}, "hi here", id="its own variables and those of the process"),
    pytest.param("say chris", {"helper_script": "say() {\n  echo $1\n}"}, "chris", id="a helper script"),
    pytest.param("pwd", {"helper_script": "cd /"}, "/", id="a helper script without a line end"),
    pytest.param("echo $0 | sed 's,/.*,/,'", {"shell": "sh"}, "/", id="another shell"),
    pytest.param("seq 100000", {}, "100000", id="much output"),
    pytest.param("exec >&- 2>&-; sleep 0.2", {}, None, id="output that ends before the command"),
]


@pytest.mark.parametrize(("command", "settings", "result"), RESULTS)
def test_commands_return_what_they_write(
    run: Callable[..., State], monkeypatch: pytest.MonkeyPatch, command: str, settings: dict[str, Any], result: object
) -> None:
    monkeypatch.setenv("HOME_OF_MINE", "here")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with Flow("f") as flow:
        given, called = ShellTask(command=command, **settings)(), ShellTask(**settings)(command=command)

    state = run(flow)

    assert (state.result[given].result, state.result[called].result) == (result, result)


def test_arguments_of_the_call_are_stronger(run: Callable[..., State]) -> None:
    shell = ShellTask(command="echo $X", env={"X": "1"}, helper_script="X=${X}0")
    with Flow("f") as flow:
        made = [shell(), shell(env={"X": "2"}), shell(helper_script="X=${X}5"), shell(command="echo never")]

    state = run(flow)

    assert [state.result[each].result for each in made] == ["10", "20", "15", "never"]


@pytest.mark.parametrize(
    ("settings", "result"),
    [({}, "last"), ({"return_all": True}, ["first", "last"]), ({"return_all": True, "log_stderr": True}, ["first", "last"])],
)
def test_another_exit_status_than_0_fails_with_the_output(
    run: Callable[..., State], capsys: pytest.CaptureFixture[str], settings: dict[str, Any], result: object
) -> None:
    with Flow("f") as flow:
        failed = ShellTask(**settings)(command="echo first; echo last; exit 3")

    state = run(flow).result[failed]

    assert (type(state), state.message, state.result) == (Failed, "Command failed with exit code 3", result)
    said = capsys.readouterr().out
    assert "Command failed with exit code 3" in said
    assert ("first\nlast" in said) == ("log_stderr" in settings)


@pytest.mark.parametrize(("stream", "level"), [(True, "INFO"), ("WARNING", "WARNING"), (logging.ERROR, "ERROR"), (False, None)])
def test_lines_are_logged_as_they_come(
    run: Callable[..., State], capsys: pytest.CaptureFixture[str], stream: bool | int | str, level: str | None
) -> None:
    with Flow("f") as flow:
        ShellTask(stream_output=stream, log_stderr=True)(command="echo one-of-two; echo two-of-two; exit 1")

    run(flow)

    said = capsys.readouterr().out
    assert [f"{level} - headwater.ShellTask | {line}" in said for line in ("one-of-two", "two-of-two")] == [level is not None] * 2


def test_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="'FOO' is not a level"):
        ShellTask(stream_output="FOO")


def test_without_a_command_the_task_fails(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        made = ShellTask()()

    assert isinstance(run(flow).result[made].result, TypeError)


def test_a_retry_executes_the_commands_again(run: Callable[..., State], tmp_path: Path) -> None:
    with Flow("f") as flow:
        made = ShellTask(max_retries=2, retry_delay=1)(
            command=f"echo x >> {tmp_path}/tries; test $(wc -l < {tmp_path}/tries) = 3 && echo done"
        )

    state = run(flow).result[made]

    assert (type(state), state.result) == (Success, "done")


@pytest.mark.parametrize("in_threads", [False, True])
@pytest.mark.parametrize("command", ["echo $$ > pid; sleep 3600", "trap '' TERM; echo $$ > pid; sleep 3600 & wait; sleep 3600"])
def test_a_time_out_ends_the_shell_and_all_it_started(
    run: Callable[..., State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, in_threads: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    with Flow("f", executor=ThreadExecutor(2) if in_threads else None) as flow:
        made = ShellTask(timeout=1)(command=command)

    state = run(flow).result[made]

    assert isinstance(state, TimedOut)
    group = int((tmp_path / "pid").read_text())
    # In a thread the run goes on while a shell that ignores SIGTERM is being killed.
    wait_for(lambda: not _members(group), "the end of all that the shell started")


def test_an_interrupt_ends_the_shell(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def interrupt() -> None:
        while not pid.exists() or not pid.read_text():
            time.sleep(0.01)
        os.kill(os.getpid(), 2)

    with Flow("f") as flow:
        ShellTask()(command=f"echo $$ > {pid}; sleep 3600")
    threading.Thread(target=interrupt).start()

    state = flow.run()

    assert isinstance(state, Cancelled)
    assert not psutil.pid_exists(int(pid.read_text()))


def test_an_interrupt_while_the_shell_is_started_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    interrupted = threading.Event()
    start = subprocess.Popen

    def start_late(*args: Any, **settings: Any) -> subprocess.Popen[bytes]:
        interrupted.wait()
        started.append(start(*args, **settings))
        return started[0]

    def interrupt(thread: threading.Thread, timeout: float | None = None) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    with Flow("f") as flow:
        ShellTask()(command="sleep 3600")
    monkeypatch.setattr(subprocess, "Popen", start_late)
    monkeypatch.setattr(threading.Thread, "join", interrupt)

    state = flow.run()

    assert isinstance(state, Cancelled)
    assert started[0].poll() == -signal.SIGTERM


def _members(group: int) -> list[psutil.Process]:
    return [each for each in psutil.process_iter() if _group(each.pid) == group and each.status() != psutil.STATUS_ZOMBIE]


def _group(process_id: int) -> int:
    try:
        return os.getpgid(process_id)
    except ProcessLookupError:
        return -1
