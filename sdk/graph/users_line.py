"""The line of the user's own code that is being executed, for warnings about what is written there."""

from __future__ import annotations

import sys
import warnings
from typing import NamedTuple


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


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.startswith("headwater.") and not module.startswith("headwater.examples.")


def warn_at(line: UsersLine, message: str) -> None:
    """Give a `UserWarning` that Python shows with this line."""
    warnings.warn_explicit(message, UserWarning, line.file, line.number)
