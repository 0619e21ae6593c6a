"""Every kind of command, by a user who has no home and by one who cannot write it: it works, or says what to do. Never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# What Python asks where HOME is not set; of a user in a container it knows nothing.
NOBODY = "import pwd\ndef unknown(_):\n    raise KeyError('no such user')\npwd.getpwuid = unknown\n"
COMMAND = "import sys\nfrom headwater.cli.main import main\nsys.argv[0] = 'headwater'\nmain()\n"
FLOW = """
from headwater import Flow, task

@task
def one():
    return 1

with Flow("plain") as flow:
    one()

if __name__ == "__main__":
    flow.run()
"""

WORKS = (("--help",), ("version",), ("--version",), ("server", "start", "--help"), ("run", "--path", "flow.py"))
NEEDS_ONE = (
    *(("get", "flows"), ("server", "status"), ("server", "stop"), ("server", "start"), ("agent", "local", "start"), ("kv", "list")),
    *(("register", "--project", "x", "--path", "flow.py"), ("run", "--name", "plain"), ("doctor",)),
)
CANNOT_MAKE = (("server", "start"), ("doctor",))


def typed(
    words: tuple[str, ...], folder: Path, *, home: str | None, script: str = COMMAND, **variables: str
) -> subprocess.CompletedProcess[str]:
    (folder / "flow.py").write_text(FLOW)
    inherited = {name: value for name, value in os.environ.items() if name != "HOME" and not name.startswith("HEADWATER")}
    environment = {**inherited, "COLUMNS": "200", **({} if home is None else {"HOME": home}), **variables}
    code = [sys.executable, "-P", "-c", NOBODY + script, *words]
    return subprocess.run(code, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("home", [None, "/proc/nowhere"])
@pytest.mark.parametrize("words", WORKS, ids=" ".join)
def test_what_needs_no_home_works_without(words: tuple[str, ...], home: str | None, tmp_path: Path) -> None:
    ended = typed(words, tmp_path, home=home)

    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", NEEDS_ONE, ids=" ".join)
def test_without_a_home_the_sentence_says_what_to_set(words: tuple[str, ...], tmp_path: Path) -> None:
    ended = typed(words, tmp_path, home=None)
    told = ended.stdout + ended.stderr

    assert ended.returncode == 1
    assert "~/.headwater names a home directory, and this user has none." in told
    assert "Set HEADWATER_HOME to a directory." in told
    assert "Traceback" not in told


@pytest.mark.parametrize("words", CANNOT_MAKE, ids=" ".join)
def test_a_home_that_cannot_be_made_is_named(words: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    ended = typed(words, tmp_path, home=str(file))
    told = ended.stdout + ended.stderr

    assert ended.returncode == 1
    assert f"{file}/.headwater" in told
    assert "HEADWATER_HOME" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("words", [("get", "flows"), ("explain", "x"), ("kv", "list")], ids=" ".join)
def test_who_names_the_server_needs_no_home_to_ask_for_it(words: tuple[str, ...], tmp_path: Path) -> None:
    ended = typed(words, tmp_path, home=None, HEADWATER_NATS_URL="nats://127.0.0.1:1")

    assert ended.returncode == 1
    assert "No Headwater server answers at nats://127.0.0.1:1" in ended.stderr


def test_a_script_runs_its_flow_without_a_home(tmp_path: Path) -> None:
    ended = typed((), tmp_path, home=None, script=FLOW)

    assert ended.returncode == 0, ended.stderr
    assert "Flow run SUCCESS" in ended.stdout + ended.stderr
