"""The line of the user's own code that is being executed, for warnings about what is written there."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any, NamedTuple


class UsersLine(NamedTuple):
    file: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


def users_line() -> UsersLine:
    """Return the innermost line that is not Headwater's."""
    frame = sys._getframe(1)  # noqa: SLF001 - the documented way to the frame; `inspect` reads the files of all of them
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__")):
        frame = frame.f_back
    return UsersLine(frame.f_code.co_filename, frame.f_lineno)


def given_to_constructor(made: object) -> Iterator[Any]:
    """Return what the `__init__` of the user's classes, which is being executed for this object, was given."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - as above
    while frame is not None and _is_ours(frame.f_globals.get("__name__")):
        frame = frame.f_back
    while frame is not None and frame.f_code.co_name == "__init__":
        code, values = frame.f_code, frame.f_locals
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + 2]
        if not names or values.get(names[0]) is not made:
            return
        for name in names[1:]:
            value = values.get(name)
            yield from value.values() if type(value) is dict else value if type(value) is tuple else (value,)
        frame = frame.f_back


def _is_ours(module: object) -> bool:
    return module == "headwater" or (
        isinstance(module, str) and module.startswith("headwater.") and not module.startswith("headwater.examples.")
    )


def warn_at(line: UsersLine, message: str) -> None:
    """Give a `UserWarning` that Python shows with this line."""
    warnings.warn_explicit(message, UserWarning, line.file, line.number)
