"""Tasks that work with files and directories where the flow runs."""

from __future__ import annotations

from headwater.tasks.files.compression import Unzip, Zip
from headwater.tasks.files.operations import Copy, Glob, Move, Remove

__all__ = ["Copy", "Glob", "Move", "Remove", "Unzip", "Zip"]
