"""Children of a process that is their leader: forked, signalled with their groups, and waited for."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from headwater.agents.run_child import HELD_OFF


def fork() -> int:
    """Fork. A signal that reaches the child before it has taken its own stand waits until then (`run_child`)."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD_OFF)
    process_id = -1
    try:
        process_id = os.fork()
    finally:
        if process_id:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_OFF)
    return process_id


def wait_until_dead(process_id: int, deadline: float) -> None:
    """Wait for a child that was killed; do nothing where it is a child of somebody else, who is killed as well."""
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
