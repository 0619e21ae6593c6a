"""How much room there is where the log is stored."""

from __future__ import annotations

import os
from pathlib import Path

FULL_BYTES = 1024 * 1024
"""With less than this free, a commit of the largest size may find no room: the log counts as full."""
ROOM_BYTES = 4 * FULL_BYTES
"""With this much free, a nats-server whose store failed is started again."""


def file_system_bytes(folder: Path) -> int:
    """Return the size of the file system that holds the folder, used or not."""
    found = os.statvfs(folder)
    return found.f_blocks * found.f_frsize


def free_bytes(folder: Path) -> int:
    """Return how many bytes may still be written to the file system that holds the folder.

    Raises:
        OSError: the folder is not there any more, or cannot be looked at.

    """
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def has_room(folder: Path) -> bool:
    """Tell whether a nats-server that stores there can work. Where the folder cannot be looked at, its start shall tell why."""
    try:
        return free_bytes(folder) >= ROOM_BYTES
    except OSError:
        return True
