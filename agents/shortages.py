"""Shortages of this machine, in words for people: which limit was reached, where one is known."""

from __future__ import annotations

import errno
import os
import resource
from contextlib import suppress
from pathlib import Path

from headwater.agents import control_groups
from headwater.core.program import open_files


def shortage(error: BaseException) -> str:
    """Say what was missing when a process, thread or pipe could not be made: `Resource temporarily unavailable; limit of processes 7`."""
    number = error.errno if isinstance(error, OSError) else None
    text = (os.strerror(number) if number is not None else str(error)) or type(error).__name__
    if number == errno.EAGAIN or "thread" in text:
        limit, what = processes_max(), "processes"
    elif number in open_files.SHORTAGES:
        limit, what = open_files.limit(), "open files"
    else:
        limit, what = None, ""
    return text if limit is None else f"{text}; limit of {what} {limit}"


def processes_left() -> int | None:
    """Return how many more processes and threads there may be, by the limits of groups; None where there is none."""
    return control_groups.processes_left()


def memory_left() -> int | None:
    """Return how many bytes of memory new programs may have, by this machine and by the limits of groups; None where nothing is known."""
    limits = [control_groups.memory_left()]
    with suppress(OSError, ValueError, StopIteration):
        line = next(each for each in Path("/proc/meminfo").read_text().splitlines() if each.startswith("MemAvailable:"))
        limits.append(int(line.split()[1]) * 1024)
    return min((limit for limit in limits if limit is not None), default=None)


def processes_max() -> int | None:
    """Return how many processes and threads there may be, by what is known to this process; None where no limit is known."""
    limits = [control_groups.processes_max()]
    own, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if own != resource.RLIM_INFINITY and os.geteuid() != 0:  # it does not hold for root
        limits.append(own)
    return min((limit for limit in limits if limit is not None), default=None)
