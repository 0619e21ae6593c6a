"""Pickles of values and of the user's own code, in which code keeps the name of the file it was written in.

Since 3.1.3 cloudpickle puts `<dynamic-code>` in its place: the traceback of a stored flow would not say where it failed. Import this where
something is pickled, not before: cloudpickle is slow to import.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from types import CodeType
from typing import Any

import cloudpickle

_Rebuild = Callable[..., CodeType]
_reduced: Callable[[CodeType], tuple[_Rebuild, tuple[Any, ...]]] = cloudpickle.Pickler.dispatch_table[CodeType]


def dumps(value: Any) -> bytes:
    """Return a value as a pickle; `cloudpickle.loads`, or `pickle.loads`, makes it again. Raises whatever pickling the value raises."""
    with BytesIO() as file:
        _Pickler(file).dump(value)
        return file.getvalue()


def _code_with_its_file(code: CodeType) -> tuple[Callable[..., CodeType], tuple[Any, ...]]:
    rebuild, parts = _reduced(code)
    return code_of_file, (code.co_filename, rebuild, parts)


def code_of_file(file: str, rebuild: _Rebuild, parts: tuple[Any, ...]) -> CodeType:
    """Return the code made of these parts as code of that file. Stored pickles call this by its name and place: it stays."""
    return rebuild(*parts).replace(co_filename=file)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc] # cloudpickle has no types
    dispatch_table = cloudpickle.Pickler.dispatch_table.new_child({CodeType: _code_with_its_file})
