"""Writing and removing `server.json`; its form and its reader are `headwater.core.program.server_file`."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from headwater.core.program.server_file import FILE_NAME, ServerFile


def write_server_file(home: Path, content: ServerFile) -> None:
    """Writes the file for the owner's eyes only. A reader finds the whole old one or the whole new one."""
    path = home / FILE_NAME
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    unfinished.replace(path)


def remove_server_file(home: Path) -> None:
    """Removes the file; does nothing where there is none."""
    (home / FILE_NAME).unlink(missing_ok=True)
