"""Starting a server in the background."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from headwater.core.program.server_file import ServerFile
from headwater.server.errors import DetachedStartFailed
from headwater.server.home import already_running, holder_file, is_held, open_home, usable
from headwater.server.supervision.log_files import open_log, text_since
from headwater.server.supervision.log_room import has_room

_LOOK_INTERVAL_SECONDS = 0.02
_TAIL_CHARACTERS = 4000
_ERROR = "Error: "
"""With this every command begins the line that tells why it failed."""


def start_detached(command: Sequence[str], home_path: Path, *, environment: Mapping[str, str] | None = None) -> ServerFile:
    """Runs `command`, which must start a server of this home in the foreground, as a session of its own.

    Its first word is the path of a program.

    Returns what the server says of itself once it is ready; it then needs neither us nor our terminal. What it prints
    goes to `logs/server.log` in the home. Waits as long as the server is starting; being interrupted leaves it running.

    Raises:
        HomeUnusable: the home cannot be made or written.
        AlreadyRunning: a server holds it.
        DetachedStartFailed: the command ended before the server was ready; carries what it printed.

    """
    home = open_home(home_path)
    if is_held(home):
        raise already_running(home)
    with usable(home), open_log(home.server_log) as log:
        log_start = log.seek(0, os.SEEK_END)
        pid = _spawn(command, os.environ if environment is None else environment, output=log.fileno())
    while (exit_code := _exit_code(pid)) is None:
        content = holder_file(home)
        if content is not None and content.pid == pid:
            return content
        time.sleep(_LOOK_INTERVAL_SECONDS)
    with usable(home):
        said = text_since(home.server_log, log_start)[-_TAIL_CHARACTERS:]
    if not said and not has_room(home.path):
        said = f"The server ended with exit code {exit_code} before it was ready: the disk that holds {home.path} is full."
    raise DetachedStartFailed(exit_code, log=home.server_log, said=_reason_in(said))


def _reason_in(said: str) -> str:
    """Return the error in what a server said before it ended; all of it where there is none."""
    _, found, error = f"\n{said}".rpartition(f"\n{_ERROR}")
    return error if found else said


def _spawn(command: Sequence[str], environment: Mapping[str, str], *, output: int) -> int:
    # Not by subprocess: its Popen means to own the child, and complains of one that is left to live on.
    return os.posix_spawn(
        command[0],
        list(command),
        dict(environment),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ],
        setsid=True,
    )


def _exit_code(pid: int) -> int | None:
    """How the child ended; None while it runs."""
    ended, wait_status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(wait_status) if ended else None
