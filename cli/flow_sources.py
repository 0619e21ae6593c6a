"""Where flows on this machine come from: files, folders, patterns and modules, each run once to find the flows in it."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.core.errors import NotFound
from headwater.core.program.user_paths import HomeUnavailable, user_path

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


def python_files(paths: Iterable[str]) -> list[Path]:
    """Return the files that the paths name: a file, a folder's own `*.py`, or a pattern with `*` or `**`; each once, in order.

    Raises:
        NotFound: a path or pattern names nothing, or what may not be looked at.

    """
    found: dict[Path, None] = {}
    for text in paths:
        try:
            matches = _matches(text)
        except OSError as error:
            raise NotFound("path", text, hint=f"{error.strerror or error}.") from None
        if not matches:
            raise NotFound("path", text, hint="Give a Python file, a folder with such files, or a pattern in quotes.")
        found |= dict.fromkeys(matches)
    return list(found)


def _matches(text: str) -> list[Path]:
    path = _expanded(text)
    if path.is_dir():
        return sorted(path.glob("*.py"))
    if path.exists():
        return [path]
    # Path.glob takes no absolute pattern before Python 3.13.
    return sorted(Path(match) for match in glob.glob(str(path), recursive=True) if Path(match).is_file())  # noqa: PTH207


def _expanded(text: str) -> Path:
    """Return the path, from a user's home on where it begins with `~`.

    Raises:
        NotFound: there is no such user, or this one has no home.

    """
    try:
        return user_path(text)
    except HomeUnavailable as error:
        raise NotFound("path", text, hint=str(error)) from None


def flows_of(*, path: Path | None = None, module: str | None = None) -> list[Flow]:
    """Return the flows of a file or module; `package.module.name` may also name one flow in a module.

    Modules are found from the current folder, too.

    Raises:
        NotFound: there is no such file or module.
        StorageError: it cannot be imported.

    """
    from headwater.sdk.storage.errors import FlowCodeMissing
    from headwater.sdk.storage.loading import flows_in_file

    if module is not None and not all(part.isidentifier() for part in module.split(".")):
        raise NotFound("module", module, hint="Modules are named like package.module.")
    try:
        if path is not None:
            return flows_in_file(_expanded(str(path)))
        assert module is not None
        if str(Path.cwd()) not in sys.path:
            # The folder of the installed command is there instead.
            sys.path.insert(0, str(Path.cwd()))
        return _flows_of_module(module)
    except FlowCodeMissing as error:
        if path is not None:
            raise NotFound("file", str(path)) from error
        raise NotFound("module", str(module), hint="It must be importable from the current folder, or be installed.") from error


def _flows_of_module(name: str) -> list[Flow]:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.storage.errors import FlowCodeMissing
    from headwater.sdk.storage.loading import flows_in_module

    try:
        return flows_in_module(name)
    except FlowCodeMissing:
        parent, dot, attribute = name.rpartition(".")
        if not dot:
            raise
        flows_in_module(parent)
        value = getattr(sys.modules[parent], attribute, None)
        if not isinstance(value, Flow):
            raise
        return [value]
