"""Tracebacks of mistakes end at the user's own line: what Headwater does below it says nothing about what to write instead."""

from __future__ import annotations

import sys
from types import TracebackType

from headwater.core.errors import HeadwaterError


def end_tracebacks_at_users_line() -> None:
    """Let Python show errors that Headwater raised on purpose, and no code caught, without the frames below the user's code.

    All other errors, and those that no code of the user's led to, are shown as Python shows them. Debuggers still see every frame.
    """
    show = sys.excepthook

    def show_from_users_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, HeadwaterError):
            trace = ended_at_users_line(trace)
            error.__traceback__ = trace
        show(kind, error, trace)

    sys.excepthook = show_from_users_line


def ended_at_users_line(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback up to the last frame of the user's own code; the whole of it where there is none."""
    from headwater.sdk.language.user_code import is_own

    steps: list[TracebackType] = []
    kept = 0
    while trace is not None:
        steps.append(trace)
        if is_own(str(trace.tb_frame.f_globals.get("__name__"))):
            kept = len(steps)
        trace = trace.tb_next
    ended: TracebackType | None = None
    for step in reversed(steps[: kept or None]):
        ended = TracebackType(ended, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return ended
