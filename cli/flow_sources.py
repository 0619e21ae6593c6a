"""Where flows on this machine come from: files, folders, patterns and modules, each run once to find the flows in it."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.core.errors import NotFound

if TYPE_CHECKING:
    from headwater.graph.flow import Flow


def python_files(paths: Iterable[str]) -> list[Path]:
    """Return the files that the paths name: a file, a folder's own `*.py`, or a pattern with `*` or `**`; each once, in order.

    Raises:
        NotFound: a path or pattern names nothing.

    """
    found: dict[Path, None] = {}
    for text in paths:
        path = Path(text).expanduser()
        if path.is_dir():
            matches = sorted(path.glob("*.py"))
        elif path.exists():
            matches = [path]
        else:
            # Path.glob takes no absolute pattern before Python 3.13.
            matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True) if Path(match).is_file())  # noqa: PTH207
        if not matches:
            raise NotFound("path", text, hint="Give a Python file, a folder with such files, or a pattern in quotes.")
        found |= dict.fromkeys(matches)
    return list(found)


def flows_of(*, path: Path | None = None, module: str | None = None) -> list[Flow]:
    """Return the flows of a file or module; `package.module.name` may also name one flow in a module.

    Raises:
        StorageError: it is not there, or cannot be imported.

    """
    from headwater.storage.loading import flows_in_file, flows_in_module

    if path is not None:
        return flows_in_file(path)
    assert module is not None
    return [named] if (named := _flow_by_full_name(module)) is not None else flows_in_module(module)


def _flow_by_full_name(name: str) -> Flow | None:
    from headwater.graph.flow import Flow
    from headwater.storage.loading import flows_in_module

    parent, dot, attribute = name.rpartition(".")
    if not dot or _is_module(name):
        return None
    flows_in_module(parent)
    value = getattr(import_module(parent), attribute, None)
    return value if isinstance(value, Flow) else None


def _is_module(name: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False
