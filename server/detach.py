"""Starting a server in the background."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from headwater.core.server_file import ServerFile
from headwater.server.errors import DetachedStartFailed
from headwater.server.home import already_running, holder_file, is_held, open_home
from headwater.server.log_files import open_log, text_since

_LOOK_INTERVAL_SECONDS = 0.02
_TAIL_CHARACTERS = 4000


def start_detached(command: Sequence[str], home_path: Path, *, environment: Mapping[str, str] | None = None) -> ServerFile:
    """Runs `command`, which must start a server of this home in the foreground, as a session of its own.

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
    with open_log(home.server_log) as log:
        log_start = log.seek(0, 2)
        child = subprocess.Popen(  # noqa: S603  (our own command line)
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=None if environment is None else dict(environment),
        )
    while child.poll() is None:
        content = holder_file(home)
        if content is not None and content.pid == child.pid:
            return content
        time.sleep(_LOOK_INTERVAL_SECONDS)
    said = text_since(home.server_log, log_start)[-_TAIL_CHARACTERS:]
    raise DetachedStartFailed(child.returncode, log=home.server_log, said=said)
