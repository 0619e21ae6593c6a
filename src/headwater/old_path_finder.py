"""Imports under the paths of Prefect 1 that are other ones here, and submodules that are there without being imported.

`headwater/__init__.py` puts one `OldPathFinder` in front of Python's own finders. Modules of the flow language go through it:

- A module that is here is loaded from its file. What it lacks is looked up when it is asked for: a submodule is imported
  (`import headwater` gives `headwater.engine.signals`), a name that Prefect had there is fetched from where it is now.
- A module that was only in Prefect is the module that took its place, the very same object, so `isinstance` and pickles agree.
  So is one whose room was another one in an earlier version.
- What is nowhere raises `ImportError` with the reason and what to do instead.

Type checkers see nothing of this: old paths are for flows that exist, and new ones should import from where things are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from headwater.old_paths import LANGUAGE, MOVED_HOMES, OLD_PATHS, PUBLIC_ROOMS, Missing

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    Loader = object  # importing it would take longer than all else that `import headwater` does

ROOT = "headwater."


class OldPathFinder:
    """Finds modules of the flow language, by their own paths and by those that they had in Prefect 1."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return how the module is loaded; None for all that is not the flow language's."""
        del target
        if not fullname.startswith(ROOT):
            return None
        if (home := _moved_home(fullname)) is not None:
            return _standing_for(fullname, home)
        if fullname.split(".")[1] not in LANGUAGE:
            return None
        parent_name, _, last = fullname.rpartition(".")
        place = _PLACES.get(_key(fullname), _PLACES.get(_key(parent_name, last)))
        parent = sys.modules.get(parent_name)
        if parent is not None and parent.__name__ != parent_name:
            # The parent stands for another module: its file lies in that one's folder, and must not be loaded a second time.
            place = place or f"{_key(parent.__name__)}.{last}"
        elif (spec := PathFinder.find_spec(fullname, path)) is not None:
            return _with_old_names(spec)
        if isinstance(place, Missing):
            return _absent(fullname, _sentence(fullname, place))
        if place is not None and ":" not in place:
            return _standing_for(fullname, ROOT + place)
        if _key(fullname) in _OF_MODULES:
            return ModuleSpec(fullname, _OldNames(), origin="names that lie elsewhere now", is_package=True)
        return None


def attribute(module: str, name: str) -> Any:
    """Return what a module gives under a name that it does not define: a submodule, or what Prefect 1 had there.

    Raises:
        AttributeError: there is no such thing; the message says where it went, or why it is not here.

    """
    place = _PLACES.get(_key(module, name))
    if isinstance(place, Missing):
        raise AttributeError(_sentence(f"{module}.{name}", place))  # noqa: TRY004 - what Python asks of a module
    if place is not None:
        home, _, there = place.partition(":")
        return getattr(import_module(ROOT + home), there)
    submodule = f"{module}.{name}"
    if not name.startswith("_") and hasattr(sys.modules[module], "__path__"):
        try:
            return import_module(submodule)
        except ModuleNotFoundError as error:
            if error.name != submodule:
                raise
        except ImportError as error:
            if error.name != submodule:
                raise
            raise AttributeError(str(error)) from None
    for code in map(import_module, _homes_of(module)):
        # What the file of a public path does not list, its home has all the same: pickles name private classes too.
        if name in vars(code):
            return vars(code)[name]
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def _homes_of(module: str) -> list[str]:
    if _room(module) not in PUBLIC_ROOMS:
        return []
    from headwater.sdk.context.public_paths import homes_of

    return homes_of(module)


class _WithOldNames(SourceFileLoader):
    """Loads a file as Python does, and has its module look up what it does not define."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__getattr__"] = _getter(module.__name__)
        super().exec_module(module)


class _StandsFor(Loader):
    """Loads a module by giving another one in its place."""

    def __init__(self, module: str) -> None:
        self._module = module

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        # The import system returns what lies here after this: the other module, which keeps its own name and spec.
        sys.modules[module.__name__] = import_module(self._module)

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code that `python -m` executes."""
        del fullname
        spec = PathFinder.find_spec(self._module, import_module(self._module.rpartition(".")[0]).__path__)
        return spec.loader.get_code(self._module) if spec is not None and isinstance(spec.loader, SourceFileLoader) else None


class _OldNames(Loader):
    """Loads a module that was only in Prefect, and whose names lie in several places now."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__doc__ = "Names that had this path in Prefect 1."
        module.__dict__["__all__"] = _old_names(module.__name__)
        module.__dict__["__getattr__"] = _getter(module.__name__)


class _Absent(Loader):
    """Refuses to load what is not here, with the reason."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        # Not a ModuleNotFoundError: `from package import name` would put a sentence of its own in the place of this one.
        raise ImportError(self.sentence, name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        raise ImportError(self.sentence, name=module.__name__)

    def get_code(self, fullname: str) -> CodeType | None:
        """Say to `python -m` what an import says."""
        raise ImportError(self.sentence, name=fullname)


def _getter(module: str) -> Callable[[str], Any]:
    def __getattr__(name: str) -> Any:  # noqa: N807 - the name under which Python looks for it
        return attribute(module, name)

    return __getattr__


def _with_old_names(spec: ModuleSpec) -> ModuleSpec:
    is_package = spec.submodule_search_locations is not None
    lacks_something = is_package or _key(spec.name) in _OF_MODULES or _room(spec.name) in PUBLIC_ROOMS
    if not isinstance(spec.loader, SourceFileLoader) or not lacks_something:
        return spec
    spec.loader = _WithOldNames(spec.loader.name, spec.loader.path)
    if not is_package and _key(spec.name) in _PARENTS:
        # A file here, a package there: Python looks for its submodules only if it has a path.
        spec.submodule_search_locations = []
    return spec


def _standing_for(fullname: str, module: str) -> ModuleSpec | None:
    from importlib.util import find_spec

    found = find_spec(module)
    if found is None:
        return None
    if isinstance(found.loader, _Absent):
        return _absent(fullname, found.loader.sentence)
    return ModuleSpec(fullname, _StandsFor(module), origin=found.origin, is_package=found.submodule_search_locations is not None)


def _moved_home(fullname: str) -> str | None:
    room, _, below = fullname.removeprefix(ROOT).partition(".")
    inner, dot, rest = below.partition(".")
    home = MOVED_HOMES.get(f"{room}.{inner}")
    return None if home is None else f"{ROOT}{home}{dot}{rest}"


def _absent(fullname: str, sentence: str) -> ModuleSpec:
    return ModuleSpec(fullname, _Absent(sentence), origin=sentence)


def _room(module: str) -> str:
    return _key(module).partition(".")[0]


def _key(module: str, name: str | None = None) -> str:
    below = module.removeprefix("headwater").removeprefix(".")
    return below if name is None else f"{below}:{name}"


def _sentence(fullname: str, missing: Missing) -> str:
    return f"{fullname} is not included. {missing.reason}"


def _old_names(fullname: str) -> list[str]:
    module = _key(fullname, "")
    return [path.removeprefix(module) for path, place in OLD_PATHS.items() if path.startswith(module) and not isinstance(place, Missing)]


_PLACES: dict[str, str | Missing] = dict(OLD_PATHS)
"""The table, with what it tells of names in old modules told of the modules that took their place as well."""
for _path, _place in OLD_PATHS.items():
    _module, _, _name = _path.partition(":")
    if _name and isinstance(_instead := OLD_PATHS.get(_module), str):
        _PLACES[f"{_instead}:{_name}"] = _place

_PARENTS = frozenset(
    {path.rpartition(".")[0] for path in _PLACES if ":" not in path}
    | {path.partition(":")[0] for path, place in _PLACES.items() if ":" in path and isinstance(place, Missing)}
)
_PARENTS |= {place for parent in _PARENTS if isinstance(place := OLD_PATHS.get(parent), str)}
"""Modules that must be able to have submodules: those that had some, and those whose missing names have a reason."""

_OF_MODULES = _PARENTS | {path.partition(":")[0] for path in _PLACES if ":" in path}
"""Modules that the table tells something of."""
