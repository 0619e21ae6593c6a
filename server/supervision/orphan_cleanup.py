"""Ending what a killed server left running.

`parent_death.py` ends the parts of a killed server at once; this is the second line, for a part that was frozen, or a system
where that failed. A process is named by its id *and* the moment it started, since ids are used again.
"""

from __future__ import annotations

import logging
import signal
import time
from pathlib import Path

import msgspec
import psutil

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 10.0
_KILL_SECONDS = 10.0
_LOOK_INTERVAL_SECONDS = 0.005


class RememberedProcess(msgspec.Struct, frozen=True):
    """The identity of a process, also after its end."""

    pid: int
    started_at: float


def remember_process(pid_file: Path, pid: int) -> None:
    """Writes down which process runs; does nothing when it has ended already, or where there is no room."""
    try:
        started_at = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return
    try:
        pid_file.write_bytes(msgspec.json.encode(RememberedProcess(pid, started_at)))
    except OSError as error:
        logger.warning("%s cannot be written: %s", pid_file, error.strerror)


def forget_process(pid_file: Path) -> None:
    """Removes what `remember_process` wrote."""
    pid_file.unlink(missing_ok=True)


def end_orphan(pid_file: Path, *, stop_signal: signal.Signals) -> None:
    """Ends the process this file remembers, if it still runs: in order, then by force. Blocks until it is gone.

    Call it only while the home is held, so that the process cannot belong to a running server.
    """
    process = _still_running(pid_file)
    if process is not None:
        logger.warning("ending pid %d, which an earlier server left behind", process.pid)
        try:
            process.send_signal(stop_signal)
            process.send_signal(signal.SIGCONT)
            if not _ends_within(process, _GRACE_SECONDS):
                process.kill()
                _ends_within(process, _KILL_SECONDS)
        except psutil.NoSuchProcess:
            logger.debug("it ended by itself")
    forget_process(pid_file)


def _ends_within(process: psutil.Process, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _has_ended(process):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_INTERVAL_SECONDS)
    return True


def _has_ended(process: psutil.Process) -> bool:
    """Whether it runs no more. Its parent is dead, so it may stay a zombie until init (in a container: ever) looks."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _still_running(pid_file: Path) -> psutil.Process | None:
    try:
        remembered = msgspec.json.decode(pid_file.read_bytes(), type=RememberedProcess)
        process = psutil.Process(remembered.pid)
        same = abs(process.create_time() - remembered.started_at) < 0.01  # noqa: PLR2004  (clock ticks are 0.01 s)
    except (FileNotFoundError, msgspec.DecodeError, psutil.NoSuchProcess):
        return None  # nothing, or cut off while it was written
    return process if same and not _has_ended(process) else None
