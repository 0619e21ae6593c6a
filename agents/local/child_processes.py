"""Children of a process that is their leader: forked, signalled with their groups, and waited for."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Container
from contextlib import suppress
from typing import NamedTuple

from headwater.agents.local.forked_child import BLOCKED_SIGNALS

_PEAK_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


class Dead(NamedTuple):
    """A child that has ended: its exit status, or the negative number of the signal that ended it, and the most memory it had."""

    process_id: int
    status: int
    peak_bytes: int


def fork() -> int:
    """Fork. A signal that reaches the child before it has taken its own stand waits until then (`forked_child`)."""
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED_SIGNALS)
    process_id = -1
    try:
        process_id = os.fork()
    finally:
        if process_id:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED_SIGNALS)
    return process_id


def next_dead(leaders: Container[int]) -> Dead | None:
    """Wait for a child that is dead and return it; None where there is none. The rest of its group is killed, where it is a leader."""
    if hasattr(os, "waitid"):
        with suppress(ChildProcessError):
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if dead is not None:
                if dead.si_pid in leaders:
                    # Not waited for yet, the dead leader keeps its number: no other group can be hit.
                    signal_group(dead.si_pid, signal.SIGKILL)
                _, status, used = os.wait4(dead.si_pid, 0)
                return Dead(dead.si_pid, os.waitstatus_to_exitcode(status), used.ru_maxrss * _PEAK_UNIT_BYTES)
        return None
    with suppress(ChildProcessError):
        process_id, status, used = os.wait4(-1, os.WNOHANG)
        if process_id:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process_id, signal.SIGKILL)
            return Dead(process_id, os.waitstatus_to_exitcode(status), used.ru_maxrss * _PEAK_UNIT_BYTES)
    return None


def wait_until_dead(process_id: int, deadline: float) -> None:
    """Wait for a child that was killed; do nothing where it is a child of another process, which is killed as well."""
    with suppress(ChildProcessError):
        while os.waitpid(process_id, os.WNOHANG) == (0, 0) and time.monotonic() < deadline:
            time.sleep(0.001)


def is_in_group(process_id: int, group: int) -> bool:
    try:
        return os.getpgid(process_id) == group
    except ProcessLookupError:
        return True  # it is gone: nothing is to be done


def signal_group(process_id: int, number: int) -> None:
    """Signal a child that was not waited for yet, and its group."""
    try:
        os.killpg(process_id, number)
    except ProcessLookupError:
        os.kill(process_id, number)  # it has just been forked, and has no group of its own yet
    except PermissionError:
        pass  # some systems say so of a group whose members are all dead
