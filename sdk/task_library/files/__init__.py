"""Tasks that work with files and directories where the flow runs."""

from __future__ import annotations

from headwater.sdk.task_library.files.compression import Unzip, Zip
from headwater.sdk.task_library.files.operations import Copy, Glob, Move, Remove

__all__ = ["Copy", "Glob", "Move", "Remove", "Unzip", "Zip"]
