"""Which code is the flow's own: stored with it and covered by its hash. All other code is named only."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from headwater.sdk.context.public_paths import public_path

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.language.task import Task

FLOW_FILE_PREFIX = "headwater_flow_file_"
"""Modules made of files that were loaded by path are called so, followed by the file's stem, inside of the package they lie in."""


def own_modules(flow: Flow) -> frozenset[str]:
    """Return the names of the modules that define the flow's tasks and handlers, apart from installed packages."""
    code: list[Any] = [*flow.state_handlers, flow.terminal_state_handler, type(flow.executor), type(flow.result)]
    if flow.environment is not None:
        code += [flow.environment.on_start, flow.environment.on_exit, type(flow.environment)]
    for task in flow.tasks:
        code += _code_of(task)
    return _own_among(code)


def own_modules_of_task(task: Task) -> frozenset[str]:
    """Return the names of the modules that define the task, apart from installed packages."""
    return _own_among(_code_of(task))


def _code_of(task: Task) -> list[Any]:
    return [task.run, type(task), *task.state_handlers, *(value for value in vars(task).values() if callable(value))]


def _own_among(code: Iterable[Any]) -> frozenset[str]:
    names = {defining_module(each) for each in code}
    return frozenset(name for name in names if name is not None and is_own(name))


@contextmanager
def pickled_by_value(modules: Iterable[str]) -> Iterator[None]:
    """Let code of these modules be pickled as code, not as an instruction to import it: it is frozen thereby."""
    import cloudpickle

    registered = []
    for name in modules:
        module = sys.modules.get(name)
        if module is not None and name != "__main__" and name not in cloudpickle.list_registry_pickle_by_value():
            cloudpickle.register_pickle_by_value(module)
            registered.append(module)
    try:
        yield
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


def own_folders(flow: Flow) -> list[str]:
    """Return the folders from which the flow's own modules, and what they import from beside them, can be imported."""
    folders: dict[str, None] = {}
    for name in sorted(own_modules(flow)):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is not None:
            path = Path(file).absolute()
            # A module of a package is imported from above the package; so is one that was started by `python -m`.
            package = getattr(sys.modules[name], "__package__", None) or ""
            levels = len(package.split(".")) if package else 0
            folders[str(path.parents[levels])] = None
    return list(folders)


def defining_module(code: Any) -> str | None:
    """Return the name of the module that holds a function, a method or a class."""
    if isinstance(code, partial):
        return defining_module(code.args[0] if code.args and callable(code.args[0]) else code.func)
    name = getattr(getattr(code, "__func__", code), "__module__", None)
    return name if isinstance(name, str) else None


@lru_cache(maxsize=1024)
def is_own(name: str) -> bool:
    """Tell whether a module is the user's own: a script or a file of theirs, not an installed package or ours."""
    if name == "__main__" or _is_flow_file(name):
        return True
    module = sys.modules.get(name)
    if module is None:
        # Made up by the program that executed the code, as some notebooks do: it cannot be imported elsewhere.
        return name.partition(".")[0] not in sys.stdlib_module_names
    return _is_users_file(module)


def _is_users_file(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if file is None or module.__name__.partition(".")[0] == "headwater":
        return False
    path = Path(file).resolve()
    return not any(path.is_relative_to(folder) for folder in _installed_folders())


@lru_cache(maxsize=1)
def _installed_folders() -> tuple[Path, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = sysconfig.get_paths()
    return tuple({Path(paths[name]).resolve() for name in names if name in paths})


def stable_module_name(name: str | None) -> str:
    """Return a name that is the same whether the flow's file is executed as a script or loaded by path, and wherever our code is now."""
    return "__main__" if name is None or _is_flow_file(name) else public_path(name)


def _is_flow_file(name: str) -> bool:
    return name.rpartition(".")[2].startswith(FLOW_FILE_PREFIX)


def type_name(kind: type) -> str:
    """Return where a class lives, such as `headwater.tasks.core.function.FunctionTask`."""
    return f"{stable_module_name(kind.__module__)}.{kind.__qualname__}"
