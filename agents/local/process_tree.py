"""Which processes of this machine come from which: so that what a run started ends with it, whatever it did to get away.

A process leaves its group by starting a session, and its parent by being orphaned. On Linux the zygote and the runs' processes adopt the
orphans below them: they stay in the tree. Where even that is gone (the zygote was killed), processes are known by the
variables that they inherited. Elsewhere than on Linux only groups are known; all of this finds nothing there.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PROCESSES = "/proc"
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Be the parent of every orphan below this process from here on; its children have to say so themselves."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent, the process of this number, is gone; end it if it is gone already."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def parents() -> dict[int, int]:
    """Return the parent of every process there is."""
    found: dict[int, int] = {}
    for process_id in _process_ids():
        with suppress(OSError):  # it ended just now
            # The name before it is in brackets, and may hold anything.
            found[process_id] = int(_told(process_id, "stat").rpartition(b")")[2].split()[1])
    return found


def own_children() -> set[int]:
    """Return the children of this process, which has one thread. How many processes other programs have does not matter.

    The kernel promises a whole list only where no child leaves it meanwhile. None does: they leave it when they are waited for.
    """
    own = os.getpid()
    try:
        return {int(child) for child in _told(own, f"task/{own}/children").split()}
    except FileNotFoundError:  # a kernel that was built without this list
        return {child for child, parent in parents().items() if parent == own}


def descendants(process_id: int, parent_of: Mapping[int, int], *, but: Collection[int] = ()) -> list[int]:
    """Return all that come from a process, without those named in `but` and what comes from them."""
    children: dict[int, list[int]] = {}
    for child, parent in parent_of.items():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    unseen = [process_id]
    while unseen:
        new = [child for child in children.get(unseen.pop(), ()) if child not in but]
        found += new
        unseen += new
    return found


def with_environment(*marks: Mapping[str, str]) -> list[int]:
    """Return the processes in whose environment all variables of one of the marks are; but for this one."""
    assert all(marks), "a mark without variables would be everyone's"
    if not marks:
        return []
    wanted = [{f"{name}={value}".encode() for name, value in mark.items()} for mark in marks]
    others = (process_id for process_id in _process_ids() if process_id != os.getpid())
    return [process_id for process_id in others if any(mark <= _environment(process_id) for mark in wanted)]


def send(process_ids: Collection[int], number: int) -> None:
    """Send a signal to each that is still there and ours to signal."""
    for process_id in process_ids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process_id, number)


def _environment(process_id: int) -> set[bytes]:
    """Return the variables with which the process's program was started; nothing where they are not ours to read."""
    with suppress(OSError):
        return set(_told(process_id, "environ").split(b"\0"))
    return set()


def _told(process_id: int, name: str) -> bytes:
    with open(f"{_PROCESSES}/{process_id}/{name}", "rb", buffering=0) as file:  # noqa: PTH123 - of hundreds of processes at once
        return file.readall()


def _process_ids() -> Iterator[int]:
    if _libc is not None:
        yield from (int(name) for name in os.listdir(_PROCESSES) if name.isdigit())  # noqa: PTH208 - see above
