"""The points where a test or a simulation may interfere: before an operation takes effect, and before its answer is given."""

from __future__ import annotations

from typing import Literal, Protocol

Moment = Literal["asked", "done"]
Operation = Literal["append", "read", "offer", "set_timer", "cancel_timer", "renew", "finish", "nack", "write_lines"]


class Interference(Protocol):
    """Called around every operation; an error it raises is what the caller gets.

    Raised when "asked", the operation does not happen (`LogUnavailable`, `LogFull`). Raised when "done", it has happened and its answer
    is lost (`OutcomeUnknown`).
    """

    def __call__(self, operation: Operation, moment: Moment, subject: str, /) -> None: ...


def no_faults(operation: Operation, moment: Moment, subject: str) -> None:
    """Let everything happen."""
