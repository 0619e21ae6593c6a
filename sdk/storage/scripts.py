"""Flows in files and modules of the user's, found by running these."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from headwater.core.program.user_paths import user_path
from headwater.sdk.context.context import context
from headwater.sdk.language.user_code import FLOW_FILE_PREFIX
from headwater.sdk.storage.errors import FlowCodeMissing, FlowNotInCode, FlowNotLoadable

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


def flows_in_file(path: str | Path) -> list[Flow]:
    """Run a file and return the flows in it, in the order of their definition.

    While it runs, `flow.register()`, `flow.run()` and `flow.run_agent()` do nothing but warn, its folder is importable,
    and `__name__` is not `"__main__"`.

    Raises:
        FlowCodeMissing: there is no such file.
        FlowNotLoadable: it does not import; `__cause__` is the error with its traceback.

    """
    file = user_path(path).resolve()
    if not file.is_file():
        raise FlowCodeMissing(file.stem, str(file))
    # Named after the path, so that files of one name do not get into each other's way.
    package = _package_of(file)
    name = ".".join([*package, f"{FLOW_FILE_PREFIX}{file.stem}_{hashlib.sha256(os.fsencode(file)).hexdigest()[:8]}"])
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise FlowNotLoadable(f"{file} is not a Python file.", hint="Give the path of a .py file.")
    module = importlib.util.module_from_spec(spec)
    # As when the file is executed, its own folder comes first.
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    # As when it is executed by `python -m package.module`, the package can be imported; last, so that it hides nothing.
    if package and str(file.parents[len(package)]) not in sys.path:
        sys.path.append(str(file.parents[len(package)]))
    sys.modules[name] = module
    try:
        with _only_loading():
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the file is the user's code
        del sys.modules[name]
        raise FlowNotLoadable(
            f"{file} could not be imported: {type(error).__name__}: {error}",
            hint="The traceback shows where; the file must import without arguments and without a server.",
        ) from _without_importers(error)
    return flows_in(vars(module))


def _package_of(file: Path) -> list[str]:
    """Return the names of the packages in which a file lies, the outermost first; none where its folder is not a package."""
    names: list[str] = []
    for folder in file.parents:
        if not folder.name.isidentifier() or not (folder / "__init__.py").is_file():
            break
        names.insert(0, folder.name)
    return names


def flows_in_module(name: str) -> list[Flow]:
    """Import a module and return the flows in it, in the order of their definition.

    Raises:
        FlowCodeMissing: there is no such module.
        FlowNotLoadable: it does not import; `__cause__` is the error with its traceback.

    """
    try:
        with _only_loading():
            module: ModuleType = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise FlowCodeMissing(name, name, what="module") from error
        raise _not_importable(name, error) from _without_importers(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the module is the user's code
        raise _not_importable(name, error) from _without_importers(error)
    return flows_in(vars(module))


def flows_in(namespace: dict[str, Any]) -> list[Flow]:
    """Return the flows among the values of a namespace, each once."""
    from headwater.sdk.language.flow import Flow

    return list({id(value): value for value in namespace.values() if isinstance(value, Flow)}.values())


def refuse_same_names(flows: list[Flow], location: str) -> None:
    """Check that the flows of a file or module can be registered beside each other.

    Raises:
        FlowNotInCode: some have one name, so that each would archive the one before.

    """
    for name, count in Counter(flow.name for flow in flows).items():
        if count > 1:
            raise FlowNotInCode(
                f"{location} holds {count} flows named {name!r}; registered one after the other, each would archive the one before.",
                hint="Give each its own name.",
            )


def pick_flow(flows: list[Flow], flow_name: str, location: str) -> Flow:
    """Return the one flow of this name.

    Raises:
        FlowNotInCode: there is none, or more than one.

    """
    found = [flow for flow in flows if flow.name == flow_name]
    if len(found) == 1:
        return found[0]
    if found:
        raise FlowNotInCode(f"{location} holds {len(found)} flows named {flow_name!r}.", hint="Give each its own name.")
    others = ", ".join(repr(flow.name) for flow in flows) or "none"
    raise FlowNotInCode(
        f"{location} holds no flow named {flow_name!r}; it holds {others}.", hint="Register the flow again after renaming it."
    )


@contextmanager
def _only_loading() -> Iterator[None]:
    # Not what happens to be in force where a file is loaded: an outer flow is not its own.
    with context(loading_flow=True, flow=None, made_tasks=None):
        yield


def _not_importable(name: str, error: BaseException) -> FlowNotLoadable:
    return FlowNotLoadable(f"Module {name!r} could not be imported: {type(error).__name__}: {error}", hint="The traceback shows where.")


def _without_importers(error: BaseException) -> BaseException:
    """Return the error with its traceback beginning in the user's file, after our frames and those of the import system."""
    trace = error.__traceback__
    while trace is not None and (
        trace.tb_frame.f_code.co_filename.startswith("<frozen importlib")
        or trace.tb_frame.f_globals.get("__name__") in (__name__, "importlib")
    ):
        trace = trace.tb_next
    return error.with_traceback(trace) if trace is not None else error
