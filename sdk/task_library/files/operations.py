"""Tasks that copy, move, remove and find files and directories. Arguments of `run` are stronger than those of the task."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import defaults_from_attrs
from headwater.sdk.language.task import Task
from headwater.sdk.task_library.files.paths import AnyPath, existing_path, given_path


class Move(Task):
    """Moves a file or directory, and returns where it is then: `target_path`, or in it where that is a directory.

    Folders above `target_path` must be there.
    """

    def __init__(self, source_path: AnyPath = "", target_path: AnyPath = "", **settings: Any) -> None:
        self.source_path = source_path
        self.target_path = target_path
        super().__init__(**settings)

    @defaults_from_attrs("source_path", "target_path")
    def run(self, source_path: AnyPath = "", target_path: AnyPath = "") -> Path:
        """Move it; raise ValueError where a path is missing, or nothing is at `source_path`."""
        source, target = _from_and_to(source_path, target_path)
        context.logger.info("Moving %s to %s.", source, target)
        return Path(shutil.move(source, target))


class Copy(Task):
    """Copies a file, or a directory with all in it, and returns the path of the copy.

    A directory is copied to a `target_path` that is not there yet; a file may be copied into a directory, or over another file.
    """

    def __init__(self, source_path: AnyPath = "", target_path: AnyPath = "", **settings: Any) -> None:
        self.source_path = source_path
        self.target_path = target_path
        super().__init__(**settings)

    @defaults_from_attrs("source_path", "target_path")
    def run(self, source_path: AnyPath = "", target_path: AnyPath = "") -> Path:
        """Copy it; raise ValueError where a path is missing, or nothing is at `source_path`."""
        source, target = _from_and_to(source_path, target_path)
        context.logger.info("Copying %s to %s.", source, target)
        return Path(shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target))


class Remove(Task):
    """Removes a file, or a directory that is empty."""

    def __init__(self, path: AnyPath = "", **settings: Any) -> None:
        self.path = path
        super().__init__(**settings)

    @defaults_from_attrs("path")
    def run(self, path: AnyPath = "") -> None:
        """Remove it; raise ValueError where nothing is at `path`, and OSError where the directory is not empty."""
        found = existing_path(path, "path")
        context.logger.info("Removing %s.", found)
        if found.is_dir() and not found.is_symlink():
            found.rmdir()
        else:
            found.unlink()


class Glob(Task):
    """Returns the paths in a directory that match a pattern, as `pathlib.Path.glob` does: `**/*.csv` looks in all folders below."""

    def __init__(self, path: AnyPath = "", pattern: str = "*", **settings: Any) -> None:
        self.path = path
        self.pattern = pattern
        super().__init__(**settings)

    @defaults_from_attrs("path", "pattern")
    def run(self, path: AnyPath = "", pattern: str = "*") -> list[Path]:
        """Return the paths, in no order; raise ValueError where no path is given."""
        folder = given_path(path, "path")
        context.logger.debug("Looking for %s.", folder / pattern)
        return list(folder.glob(pattern))


def _from_and_to(source_path: AnyPath, target_path: AnyPath) -> tuple[Path, Path]:
    given_path(source_path, "source_path")
    target = given_path(target_path, "target_path")
    return existing_path(source_path, "source_path"), target
