"""A child program ends with the process that started it, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from harness.servers import wait_for

from headwater.server.supervision.child_process import ended_with_parent

# Starts `sleep` so that it ends with its parent, prints its process id, and waits to be killed.
STARTER = """
import signal, subprocess, sys
from headwater.server.postgres import postgres
from headwater.server.supervision.child_process import ended_with_parent, lifeline

kind, user = sys.argv[1:]
with lifeline(needed=kind == "lifeline") as line:
    account = postgres.account() if user == "account" else None
    command = ended_with_parent(["/bin/sleep", "600"], death_signal=signal.SIGTERM, user=account, lifeline=line)
    child = subprocess.Popen(command, pass_fds=() if line is None else (line,))
    print(child.pid, flush=True)
    child.wait()
"""


def start(kind: str, user: str = "self") -> tuple[subprocess.Popen[str], psutil.Process]:
    starter = subprocess.Popen([sys.executable, "-P", "-c", STARTER, kind, user], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    return starter, psutil.Process(int(starter.stdout.readline()))


def end(starter: subprocess.Popen[str]) -> None:
    starter.kill()
    starter.communicate(timeout=30)


@pytest.mark.parametrize("kind", ["kernel", "lifeline"])
@pytest.mark.parametrize("user", ["self", "account"])
def test_killing_the_starter_ends_the_child(kind: str, user: str) -> None:
    if kind == "kernel" and sys.platform != "linux":
        pytest.skip("only Linux ends children with their parents")
    starter, child = start(kind, user)

    end(starter)

    _, alive = psutil.wait_procs([child], timeout=30)
    assert alive == []


def test_a_frozen_child_on_a_lifeline_is_killed_after_a_grace() -> None:
    starter, child = start("lifeline")
    wait_for(lambda: child.name() == "sleep", "the script became the program")
    child.suspend()  # it hears no SIGTERM now; the watcher must turn to SIGKILL

    end(starter)

    _, alive = psutil.wait_procs([child], timeout=60)
    assert alive == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_a_child_of_root_becomes_an_unprivileged_account_that_may_pass_folders(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    hidden = tmp_path / "hidden"
    hidden.write_text("seen\n")
    script = (
        "import signal, subprocess, sys\n"
        "from headwater.server.postgres import postgres\n"
        "from headwater.server.supervision.child_process import ended_with_parent\n"
        # As PostgreSQL looks for its own programs: `access` goes by the real user, and by its rights only where these are kept.
        "asked = f'import os; print(os.access({sys.argv[1]!r}, os.R_OK))'\n"
        "look = f'id -u; cat {sys.argv[1]}; {sys.executable} -I -S -c \"{asked}\"; echo no > {sys.argv[1]} || echo refused'\n"
        "command = ended_with_parent(['/bin/sh', '-c', look], death_signal=signal.SIGTERM, user=postgres.account())\n"
        "subprocess.run(command, check=True)\n"
    )

    done = subprocess.run([sys.executable, "-P", "-c", script, str(hidden)], capture_output=True, text=True, check=True, timeout=30)

    uid, seen, may_read, refused = done.stdout.splitlines()
    assert uid != "0"
    assert (seen, may_read, refused) == ("seen", "True", "refused")
    assert hidden.read_text() == "seen\n"


def test_a_starter_that_is_gone_before_the_child_begins_leaves_no_child() -> None:
    command = ended_with_parent(["/bin/sleep", "600"], death_signal=signal.SIGTERM)
    orders = command[-1].replace(f'"parent": {os.getpid()}', '"parent": 1')

    done = subprocess.run([*command[:-1], orders], timeout=30, check=False)

    assert done.returncode == 0
