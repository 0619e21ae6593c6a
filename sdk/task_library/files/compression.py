"""Tasks that make and unpack ZIP files. Arguments of `run` are stronger than those of the task."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import defaults_from_attrs
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.task import Task
from headwater.sdk.task_library.files.paths import AnyPath, existing_path, given_path

_METHODS = {"deflate": zipfile.ZIP_DEFLATED, "store": zipfile.ZIP_STORED, "bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA}


class Unzip(Task):
    """Unpacks a ZIP file into a directory, the working directory by default, and returns that directory."""

    def __init__(self, zip_path: AnyPath = "", extract_dir: AnyPath = "", **settings: Any) -> None:
        self.zip_path = zip_path
        self.extract_dir = extract_dir
        super().__init__(**settings)

    @defaults_from_attrs("zip_path", "extract_dir")
    def run(self, zip_path: AnyPath = "", extract_dir: AnyPath = "", password: bytes | str | None = None) -> Path:
        """Unpack it. A password that is a text is taken as UTF-8.

        Raises:
            ValueError: nothing is at `zip_path`.
            TypeError: it is not a ZIP file.
            RuntimeError: the password is wrong, or missing.

        """
        archive = existing_path(zip_path, "zip_path")
        if not zipfile.is_zipfile(archive):
            raise TypeError(f"{str(archive)!r}, which zip_path names, is not a ZIP file.")
        folder = Path(extract_dir) if extract_dir else Path.cwd()
        context.logger.info("Unpacking %s into %s.", archive, folder)
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder, pwd=password.encode() if isinstance(password, str) else password)
        return folder


class Zip(Task):
    """Packs files and directories into a ZIP file, each under its own name, a directory with all in it.

    Args:
        source_path: a path, or several.
        zip_path: the file to make; the folders above it must be there.
        compression_method: `deflate`, `store`, `bzip2` or `lzma`.
        compression_level: 0 to 9 for `deflate`, 1 to 9 for `bzip2`; the library's own by default.
        settings: the settings of every task.

    Raises:
        InvalidTask: there is no such method.

    """

    def __init__(
        self,
        source_path: AnyPath | Iterable[AnyPath] = "",
        zip_path: AnyPath = "",
        compression_method: str = "deflate",
        compression_level: int | None = None,
        **settings: Any,
    ) -> None:
        if compression_method not in _METHODS:
            raise InvalidTask(f"Zip knows no compression_method {compression_method!r}.", hint=f"It must be one of {', '.join(_METHODS)}.")
        self.source_path = source_path
        self.zip_path = zip_path
        self.compression = _METHODS[compression_method]
        self.compression_level = compression_level
        super().__init__(**settings)

    @defaults_from_attrs("source_path", "zip_path")
    def run(self, source_path: AnyPath | Iterable[AnyPath] = "", zip_path: AnyPath = "") -> None:
        """Make the file; raise ValueError where a path is missing, or nothing is at a source."""
        if not source_path:
            given_path("", "source_path")
        target = given_path(zip_path, "zip_path")
        several = [source_path] if isinstance(source_path, str | os.PathLike) else source_path
        sources = [existing_path(each, "source_path") for each in several]
        context.logger.info("Making %s.", target)
        with zipfile.ZipFile(target, "w", self.compression, compresslevel=self.compression_level) as archive:
            for source in sources:
                context.logger.info("Adding %s.", source.name)
                for file in _files_of(source):
                    archive.write(file, file.relative_to(source.parent))


def _files_of(source: Path) -> Iterator[Path]:
    if source.is_dir():
        yield from (Path(folder, name) for folder, _, names in os.walk(source) for name in names)
    else:
        yield source
