"""What a run keeps by itself of its tasks' values, so that its next attempt need not execute them again."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

from headwater.core.text import shown
from headwater.sdk.context.configuration import home_directory
from headwater.sdk.context.files import file_name
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.context.logging import get_logger
from headwater.sdk.results import CheckpointResult, Result
from headwater.sdk.results.serializers import PickleSerializer

CONTEXT_KEY = "_checkpoints"

_log = logging.getLogger("headwater.engine.checkpoints")

_warned: set[str] = set()
_writing = threading.Lock()
# A thread that is not there after a fork may have held it.
os.register_at_fork(after_in_child=_writing._at_fork_reinit)  # type: ignore[attr-defined]  # noqa: SLF001 - as the standard library does it


class Checkpoints:
    """Keeps values of the tasks with these slugs below `results` in Headwater's home directory, one file for each process.

    A file for each value would cost more than most tasks take. It does what it can: a value that cannot be pickled, or finds no room,
    is not kept, and its task is executed again if need be. What a power cut damages is found out when it is read.
    """

    def __init__(self, slugs: Collection[str]) -> None:
        self._slugs = frozenset(slugs)
        self._process_id = 0
        self._descriptor = -1
        self._path = ""
        self._size = 0

    def __getstate__(self) -> frozenset[str]:
        return self._slugs

    def __setstate__(self, slugs: frozenset[str]) -> None:
        self.__init__(slugs)  # type: ignore[misc]

    def store(self, value: Any, context: dict[str, Any], *, is_read: bool = False) -> Result:
        """Return the value as a result, with its location if it is kept: where a task reads it, or `is_read` says that it is read."""
        if not is_read and context.get("task_slug") not in self._slugs:
            return Result(value)
        try:
            data = PickleSerializer().serialize(value)
        except BaseException as error:  # whatever pickling the user's values results in, the task has succeeded
            if is_interrupt(error):
                raise
            _log.debug("The value of %s is not kept: %s", context.get("task_slug"), shown(error))
            return Result(value)
        try:
            location = self._write(data, context)
        except OSError as error:
            _warn_once(str(context.get("flow_run_id")), error)
            return Result(value)
        return CheckpointResult(value, location)

    def close(self) -> None:
        """Let go of the file; what is kept stays."""
        with _writing:
            if self._process_id == os.getpid():
                os.close(self._descriptor)
                self._process_id = 0

    def _write(self, data: bytes, context: dict[str, Any]) -> str:
        with _writing:
            if self._process_id != os.getpid():  # the first value here, or forked since: the file is another process's
                self._begin(_path(context))
            offset = self._size
            written = os.write(self._descriptor, data)
            self._size += written
            path = self._path
        if written < len(data):
            raise OSError(f"Only {written} of {len(data)} bytes were written to {path}.")
        return f"{path}#{offset}+{len(data)}"

    def _begin(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._descriptor).st_size
        self._path, self._process_id = str(path), os.getpid()


def _warn_once(run_id: str, error: OSError) -> None:
    """Say once for a run, in each process, that values find no place: its tasks succeed all the same."""
    if run_id not in _warned:
        _warned.add(run_id)
        get_logger("FlowRunner").warning(
            "Values of this run's tasks are not kept: %s. Another attempt of the run would execute these tasks again.", error
        )


def _path(context: dict[str, Any]) -> Path:
    """Return a file that no other process, and no other attempt, writes to."""
    folder = home_directory() / "results" / file_name(str(context.get("flow_name"))) / str(context.get("flow_run_id"))
    return folder / f"values-{context.get('attempt', 0)}-{file_name(socket.gethostname())}-{os.getpid()}"
