"""Tasks that work with files and directories where the flow runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.task_library.files import Copy, Glob, Move, Remove, Unzip, Zip

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks.files import compression as compression
    from headwater.tasks.files import operations as operations
    from headwater.tasks.files import paths as paths

__all__ = ["Copy", "Glob", "Move", "Remove", "Unzip", "Zip"]
