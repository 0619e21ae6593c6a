"""The files that take what the servers write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

SIZE_MAX_BYTES = 10 * 1024 * 1024


def open_log(path: Path) -> BinaryIO:
    """The file, to append to; one that has grown beyond 10 MB is set aside first (one older file is kept)."""
    if path.exists() and path.stat().st_size > SIZE_MAX_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")


def text_since(path: Path, position: int) -> str:
    """What was written after this size was seen; all of it, if the file was set aside since."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(position if position <= size else 0)
        return file.read().decode(errors="replace").strip()
