"""Objects that are known by their import path."""

from __future__ import annotations

import importlib
from typing import Any


def import_object(name: str) -> Any:
    """Return the module, or the object in a module, of this dotted path: `random`, `random.randint`.

    Raises:
        ImportError: there is no such module.
        AttributeError: the module has no such object.

    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Another module that this one imports may be missing: that is an error of its own.
        if "." not in name or not (error.name and f"{name}.".startswith(f"{error.name}.")):
            raise
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)
