"""Control groups for tests: real limits on processes and memory, made where this machine lets us, and said where it does not."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_ROOT = Path("/sys/fs/cgroup")


class ControlGroup:
    """A group of this machine. Processes enter it by their own hand, with all they start from then on."""

    def __init__(self, folder: Path, limit_file: str, count_file: str) -> None:
        self._folder = folder
        self._limit = folder / limit_file
        self._count = folder / count_file

    def enter(self) -> None:
        """Put the calling process into the group."""
        (self._folder / "cgroup.procs").write_text(str(os.getpid()))

    def limit(self, number: int | None) -> None:
        no_limit = "-1" if self._limit.name == "memory.limit_in_bytes" else "max"
        self._limit.write_text(no_limit if number is None else str(number))

    @property
    def is_empty(self) -> bool:
        return not (self._folder / "cgroup.procs").read_text()

    @property
    def count(self) -> int:
        return int(self._count.read_text())


@contextmanager
def control_group(controller: str) -> Iterator[ControlGroup]:
    """A new group of "pids" or "memory", of either version of control groups; the test is skipped where none can be made."""
    files = {
        "pids": [("", "pids.max", "pids.current"), ("pids", "pids.max", "pids.current")],
        "memory": [("", "memory.max", "memory.current"), ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes")],
    }
    for above, limit_file, count_file in files[controller]:
        folder = _ROOT / above / f"headwater-test-{uuid.uuid4().hex[:12]}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            if (folder / limit_file).exists() and (folder / "cgroup.procs").exists():
                yield ControlGroup(folder, limit_file, count_file)
                return
        finally:
            with suppress(OSError):  # a process of it is just ending
                folder.rmdir()
    pytest.skip(f"no control group for {controller} can be made here")
