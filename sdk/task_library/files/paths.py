"""The paths that tasks for files are given."""

from __future__ import annotations

import os
from pathlib import Path

AnyPath = str | os.PathLike[str]


def given_path(path: AnyPath | None, argument: str) -> Path:
    """Return the path.

    Raises:
        ValueError: there is none; the message names the argument.

    """
    if not path:
        raise ValueError(f"No {argument} was given; give it when the task is made or when it is called.")
    return Path(path)


def existing_path(path: AnyPath | None, argument: str) -> Path:
    """Return the path of what is there.

    Raises:
        ValueError: there is none, or nothing is at it; the message names the argument.

    """
    found = given_path(path, argument)
    if not found.exists():
        raise ValueError(f"There is nothing at {str(found)!r}, which {argument} names.")
    return found
