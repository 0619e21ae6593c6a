"""How the end of a run's process is reported, whatever ended it; and what is read of control groups for that."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from headwater.agents.control_groups import memory_kills, memory_left, memory_max, processes_left, processes_max
from headwater.agents.launcher import ExitResult, OutOfMemory
from headwater.agents.shortages import shortage


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "it exited with status 0"),
        (70, "it exited with status 70"),
        (-signal.SIGKILL, "it was ended by signal 9 (SIGKILL)"),
        (-signal.SIGTERM, "it was ended by signal 15 (SIGTERM)"),
        (-signal.SIGSEGV, "it crashed: segmentation fault (SIGSEGV)"),
        (-signal.SIGBUS, "it crashed: bus error (SIGBUS)"),
        (-signal.SIGFPE, "it crashed: arithmetic error (SIGFPE)"),
        (-signal.SIGILL, "it crashed: illegal instruction (SIGILL)"),
        (-signal.SIGABRT, "it aborted itself (SIGABRT)"),
        (-signal.SIGSYS, "it made a system call that it may not make (SIGSYS)"),
        (-signal.SIGXCPU, "it used up the processor time that it may use (SIGXCPU)"),
        (-signal.SIGXFSZ, "it wrote more into a file than it may (SIGXFSZ)"),
        (-40, "it was ended by signal 40 (a real-time signal)"),
    ],
)
def test_every_end_has_its_words(status: int, words: str) -> None:
    assert ExitResult(status, None).words == words


def test_a_process_killed_for_memory_tells_what_it_held_and_what_was_allowed() -> None:
    assert (
        ExitResult(-9, None, (), OutOfMemory(665_000_000, 700_000_000)).words
        == "it was killed by the kernel for want of memory (it held 665 MB of 700 MB)"
    )
    assert ExitResult(-9, None, (), OutOfMemory(8_123_000_000, None)).words.endswith("(it held 8.1 GB)")


def test_a_process_killed_with_the_one_that_starts_them_says_how_that_ended() -> None:
    words = ExitResult(-9, None, with_starter=-9).words
    assert words == "it was killed with the process that starts runs, which was ended by signal 9 (SIGKILL)"


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_limits_are_read_from_groups_of_version_2_and_the_smallest_above_counts(tmp_path: Path) -> None:
    mount = tmp_path / "cgroup"
    write(
        mount / "a",
        pids__max="50\n",
        pids__current="20\n",
        memory__max="max\n",
        memory__current="9\n",
        memory__events="low 0\noom 9\noom_kill 9\n",
    )
    write(mount / "a" / "b", pids__max="max\n", memory__max="700000000\n", memory__events="low 0\noom 2\noom_kill 1\noom_group_kill 0\n")
    write(mount / "a" / "b", pids__current="5\n", memory__current="500000000\n", memory__stat="anon 1\ninactive_file 100000000\n")
    proc = tmp_path / "proc"
    write(proc, cgroup="0::/a/b\n", mountinfo=f"30 24 0:26 / {mount} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n")

    assert (processes_max(proc), memory_max(proc), memory_kills(proc)) == (50, 700_000_000, 1)
    assert (processes_left(proc), memory_left(proc)) == (30, 300_000_000)


def test_limits_are_read_from_groups_of_version_1_in_a_container_that_sees_its_own_group_only(tmp_path: Path) -> None:
    pids, memory = tmp_path / "pids", tmp_path / "memory"
    write(pids, pids__max="7\n", pids__current="4\n")
    write(memory, memory__limit_in_bytes="9223372036854771712\n", memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    proc = tmp_path / "proc"
    write(
        proc,
        cgroup="9:pids:/docker/x\n4:cpu,memory:/docker/x\n0::/\n",
        mountinfo=f"31 1 0:1 /docker/x {pids} rw - cgroup cgroup rw,pids\n32 1 0:2 /docker/x {memory} rw - cgroup cgroup rw,cpu,memory\n",
    )

    assert (processes_max(proc), memory_max(proc), memory_kills(proc)) == (7, None, 3)
    assert (processes_left(proc), memory_left(proc)) == (3, None)
    write(memory, memory__limit_in_bytes="600000000\n", memory__usage_in_bytes="400000000\n", memory__stat="total_inactive_file 50000000\n")
    assert memory_left(proc) == 250_000_000


def test_without_control_groups_nothing_is_known(tmp_path: Path) -> None:
    assert (processes_max(tmp_path), memory_max(tmp_path), memory_kills(tmp_path)) == (None, None, 0)
    assert (processes_left(tmp_path), memory_left(tmp_path)) == (None, None)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENOENT])
def test_a_shortage_is_named_by_what_was_missing(number: int) -> None:
    assert shortage(OSError(number, os.strerror(number))).startswith(os.strerror(number))


def test_a_thread_that_cannot_be_started_is_a_shortage_too() -> None:
    assert shortage(RuntimeError("can't start new thread")).startswith("can't start new thread")
    assert shortage(MemoryError()) == "MemoryError"
