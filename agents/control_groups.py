"""The limits of this process's control groups, read from Linux's files, so that words about a shortage can name the limit.

Both versions of control groups are read; a limit may stand on the group itself or on any one above it. Elsewhere than on Linux, and where
the files cannot be read, nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc/self")
_UNIFIED = "cgroup2"
_NO_LIMIT = 1 << 60
"""Version 1 writes "no limit" as a number near the largest there is."""
_MEMORY_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""For each version: the limit, what is used, and what of that are files that were not used lately, in the statistics."""


class Mount(NamedTuple):
    """Where groups of some controllers are shown: the group that is the mount's root, its path, and its controllers (none: version 2)."""

    root: str
    path: Path
    controllers: frozenset[str]


def processes_max(proc: Path = _PROC) -> int | None:
    """Return how many processes and threads the groups of this process may have, all together; None where there is no limit."""
    return min((int(text) for text in _told("pids", "pids.max", proc) if text.isdigit()), default=None)


def memory_max(proc: Path = _PROC) -> int | None:
    """Return how many bytes of memory the groups of this process may have, all together; None where there is no limit."""
    texts = [*_told("memory", "memory.max", proc), *_told("memory", "memory.limit_in_bytes", proc)]
    return min((limit for text in texts if text.isdigit() and (limit := int(text)) < _NO_LIMIT), default=None)


def processes_left(proc: Path = _PROC) -> int | None:
    """Return how many more processes and threads the groups of this process may have; None where there is no limit."""
    found = []
    for folder in _groups("pids", proc):
        with suppress(OSError, ValueError):  # there is no number where there is no limit
            found.append(int((folder / "pids.max").read_text()) - int((folder / "pids.current").read_text()))
    return min(found, default=None)


def memory_left(proc: Path = _PROC) -> int | None:
    """Return how many more bytes of memory the groups of this process may have; None where there is no limit.

    What a group holds of files that were not used lately counts as left: the kernel takes it away where it is wanted.
    """
    found = []
    for folder in _groups("memory", proc):
        for most, now, idle in _MEMORY_FILES:
            with suppress(OSError, ValueError):
                limit, used = int((folder / most).read_text()), int((folder / now).read_text())
                if limit < _NO_LIMIT:
                    statistics = dict(line.split(" ", 1) for line in (folder / "memory.stat").read_text().splitlines())
                    found.append(limit - used + int(statistics.get(idle, "0")))
    return min(found, default=None)


def memory_kills(proc: Path = _PROC) -> int:
    """Return how many processes of this process's group the kernel has killed for want of memory since the group was made."""
    for name in ("memory.events", "memory.oom_control"):
        for text in _told("memory", name, proc):
            counts = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
            return int(counts.get("oom_kill", "0"))  # that of the group itself comes first
    return 0


def _told(controller: str, file: str, proc: Path) -> Iterator[str]:
    """Yield what the file says in this process's group and in each above it, from the inside out."""
    for folder in _groups(controller, proc):
        with suppress(OSError):
            yield (folder / file).read_text().strip()


def _groups(controller: str, proc: Path) -> Iterator[Path]:
    try:
        groups, mounts = (proc / "cgroup").read_text(), list(_mounts((proc / "mountinfo").read_text()))
    except OSError:
        return
    for line in groups.splitlines():
        number, names, group = line.split(":", 2)
        unified = number == "0" and not names
        if not unified and controller not in names.split(","):
            continue
        for mount in mounts:
            if (not mount.controllers if unified else controller in mount.controllers) and (folder := _folder(mount, group)) is not None:
                yield from (each for each in (folder, *folder.parents) if each.is_relative_to(mount.path))
                break


def _folder(mount: Mount, group: str) -> Path | None:
    """Return where the group is shown; None where it is not below the mount's root."""
    with suppress(ValueError):
        return mount.path / Path(group).relative_to(mount.root)
    return None


def _mounts(mountinfo: str) -> Iterator[Mount]:
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if kind and kind[0] == _UNIFIED:
            yield Mount(fields[3], Path(fields[4]), frozenset())
        elif kind and kind[0] == "cgroup":
            yield Mount(fields[3], Path(fields[4]), frozenset(kind[2].split(",")))
