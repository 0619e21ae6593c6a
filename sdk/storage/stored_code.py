"""The code of the stored flow that this process executes, found again by the processes that its tasks start with `multiprocessing`.

`pickle` names a function by its module. A process started by spawn or forkserver cannot import the modules of a stored flow: their code is
in a pickle, or in a file that was loaded by its path. So `multiprocessing` here pickles functions and classes of the flow's own modules as
questions to `stored`, which loads the flow in the new process when it is first asked. Nothing is registered or run by that.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from multiprocessing.reduction import ForkingPickler
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from headwater.core.program.settings import INTERNAL_PREFIX
from headwater.sdk.context.context import context
from headwater.sdk.language.user_code import is_own
from headwater.sdk.storage.errors import StorageError
from headwater.sdk.storage.loading import load_with_modules

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow

_VARIABLE = INTERNAL_PREFIX + "STORED_CODE"


class _Loaded:
    """What this process, or the one that it was forked from, has loaded."""

    def __init__(self, frozen: Mapping[str, ModuleType], stored_module: str = "") -> None:
        self._frozen = frozen
        self._stored_module = stored_module

    def holds(self, code: FunctionType | type) -> bool:
        """Tell whether this is what its own name stands for in one of the flow's own modules."""
        module = code.__module__
        if not isinstance(module, str) or not (module in self._frozen or module == self._stored_module or is_own(module)):
            return False
        try:
            return self.find(module, code.__qualname__) is code
        except (AttributeError, ImportError):
            return False

    def find(self, module: str, qualified_name: str) -> Any:
        found: Any = self._frozen[module] if module in self._frozen else import_module(module)
        for name in qualified_name.split("."):
            found = getattr(found, name)
        return found


_loaded: _Loaded | None = None


def load_to_execute(reference: Mapping[str, Any], slugs: Iterable[str] | None = None, *, flow_run_id: str) -> Flow:
    """Return the flow as `load_flow` does, to be executed by this process, and let the processes that its tasks start find its code.

    A `__main__` that was pickled is this process's `__main__` from here on.

    Raises:
        StorageError: the flow cannot be loaded, or is another.

    """
    # First: the flow's code may start processes while it is being loaded.
    # In ASCII: where the locale is C, an environment holds nothing else.
    os.environ[_VARIABLE] = json.dumps({"reference": reference, "flow_run_id": flow_run_id})
    return _load(reference, slugs, flow_run_id)


def share(modules: Mapping[str, ModuleType]) -> None:
    """Let the processes that a task starts find the code of modules that came with it to this worker of an executor's."""
    _share(_Loaded(modules))


def is_known() -> bool:
    """Tell whether this process executes a stored flow, whose code the processes of its tasks load."""
    return _VARIABLE in os.environ


def stored(module: str, qualified_name: str) -> Any:
    """Return a function or class of the flow's own modules, loading the flow where this process has not done so.

    Where the flow is not stored (`flow.run()` in a script), its modules are imported; `multiprocessing` has executed the script.

    Raises:
        StorageError: the flow cannot be loaded here, or its modules hold no such thing.

    """
    if _loaded is None and (known := os.environ.get(_VARIABLE)) is not None:
        order = json.loads(known)
        _load(order["reference"], None, order["flow_run_id"])
    elif _loaded is None:
        _share(_Loaded({}))
    assert _loaded is not None
    try:
        return _loaded.find(module, qualified_name)
    except (AttributeError, ImportError) as error:
        raise StorageError(
            f"{qualified_name} of {module} cannot be found in this process: {error}",
            hint="Let processes that a task starts inherit the environment of the run, or define it in a module that they can import.",
        ) from error


def _load(reference: Mapping[str, Any], slugs: Iterable[str] | None, flow_run_id: str) -> Flow:
    with context({"flow_run_id": flow_run_id}):
        flow, modules = load_with_modules(reference, slugs)
    _share(_Loaded(modules, reference["location"] if reference.get("type") == "Module" else ""))
    if "__main__" in modules:
        sys.modules["__main__"] = modules["__main__"]
    return flow


def _share(loaded: _Loaded) -> None:
    global _loaded  # noqa: PLW0603 - a process executes one flow, and `pickle` calls functions
    _loaded = loaded
    ForkingPickler.reducer_override = _by_question  # type: ignore[method-assign, assignment] # the hook that pickle documents


def _by_question(_: ForkingPickler, code: Any) -> Any:
    if isinstance(code, FunctionType | type) and _loaded is not None and _loaded.holds(code):
        # A script that `multiprocessing` executed again calls itself `__mp_main__`; it is the `__main__` of all its code.
        return stored, ("__main__" if code.__module__ == "__mp_main__" else code.__module__, code.__qualname__)
    return NotImplemented
