"""The public path of what is in `headwater.sdk.task_library.files.operations`."""

from __future__ import annotations

from headwater.sdk.task_library.files.operations import Copy, Glob, Move, Remove

__all__ = ["Copy", "Glob", "Move", "Remove"]
