"""The flows that the script being executed has registered: two different ones of one name would archive each other."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from headwater.core.errors import InvalidArgument
from headwater.sdk.language.flow import Flow
from headwater.sdk.language.users_line import UsersLine, users_line

_current_line: ContextVar[UsersLine | None] = ContextVar("headwater.registered_at", default=None)


class _Registered(NamedTuple):
    flow: weakref.ref[Flow]
    serialized_hash: str
    line: UsersLine


_registered: dict[str, _Registered] = {}


def line_in_script() -> UsersLine | None:
    """Return the user's line, if it is in the script that Python executes. In notebooks and at prompts people register again and again."""
    line = users_line()
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is None or hasattr(sys, "ps1") or sys.flags.interactive or Path(line.file).absolute() != Path(script).absolute():
        return None
    return line


@contextmanager
def registering_at(line: UsersLine | None) -> Iterator[None]:
    """Let the registrations in the block be made by this line."""
    token = _current_line.set(line)
    try:
        yield
    finally:
        _current_line.reset(token)


def refuse_second(flow: Flow, group_id: str, serialized_hash: str) -> None:
    """Check that the script has not registered another flow of this name in this project.

    Raises:
        InvalidArgument: it has, and that flow differs from this one.

    """
    before = _registered.get(group_id)
    if before is None or _current_line.get() is None or before.flow() is flow or before.serialized_hash == serialized_hash:
        return
    raise InvalidArgument(
        f"This script has registered another flow named {flow.name!r} in this project already ({before.line}); "
        "registering this one would archive that one.",
        hint="Give each of the two its own name.",
    )


def note_registered(flow: Flow, group_id: str, serialized_hash: str) -> None:
    """Remember a flow that was registered."""
    line = _current_line.get()
    if line is not None:
        _registered[group_id] = _Registered(weakref.ref(flow), serialized_hash, line)
