"""The modules whose code lies inside a pickle, made again when it is loaded.

cloudpickle gives each function a dict of its globals, and no module. Here the functions and classes of one module get a module again,
so that they can be found by their names: by `pickle`, which stores a function as its module's name and its own, and so by
`multiprocessing`. Such a module holds what the flow's code uses of it, no more.
"""

from __future__ import annotations

import pickle
from importlib.machinery import ModuleSpec
from io import BytesIO
from types import FunctionType, ModuleType
from typing import Any

_MAKERS_MODULE = "cloudpickle.cloudpickle"
"""Where cloudpickle keeps the functions that make functions and classes; every stored pickle names them so."""


class FrozenCode:
    """What was made of one pickle: its value, and by name the modules that came with it."""

    def __init__(self, data: bytes) -> None:
        unpickler = _Unpickler(BytesIO(data))
        self.value: Any = unpickler.load()
        self.modules = unpickler.finished_modules()


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BytesIO) -> None:
        super().__init__(file)
        # By the identity of the dict that the pickle makes for each module; the dict is kept, so that its identity is.
        self._made: dict[int, tuple[dict[str, Any], ModuleType]] = {}
        self._functions_and_classes: list[FunctionType | type] = []

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if module == _MAKERS_MODULE and name == "_make_function":
            return lambda code, namespace, *rest: self._noted(found(code, self._module_dict(namespace), *rest))
        if module == _MAKERS_MODULE and name in {"_make_skeleton_class", "_make_skeleton_enum"}:
            return lambda *arguments: self._noted(found(*arguments))
        return found

    def _noted(self, made: Any) -> Any:
        self._functions_and_classes.append(made)
        return made

    def _module_dict(self, namespace: dict[str, Any]) -> dict[str, Any]:
        name = namespace.get("__name__")
        if not isinstance(name, str):
            return namespace
        if id(namespace) not in self._made:
            module = ModuleType(name)
            vars(module).update(namespace)
            self._made[id(namespace)] = (namespace, module)
        return vars(self._made[id(namespace)][1])

    def finished_modules(self) -> dict[str, ModuleType]:
        """Return the modules, with all in them that was made; called when the pickle is loaded."""
        modules: dict[str, ModuleType] = {}
        for _, module in self._made.values():
            modules.setdefault(module.__name__, module)
        for made in self._functions_and_classes:
            if made.__qualname__.isidentifier() and isinstance(made.__module__, str):
                module = modules.setdefault(made.__module__, ModuleType(made.__module__))
                vars(module).setdefault(made.__qualname__, made)
        for module in modules.values():
            module.__spec__ = _main_spec(module) if module.__name__ == "__main__" else None
        return modules


def _main_spec(module: ModuleType) -> ModuleSpec:
    """Return a name for `__main__` with which new processes of `multiprocessing` execute no script: its code is in the pickle."""
    return ModuleSpec(f"{module.__package__}.__main__" if module.__package__ else "__main__", None)
