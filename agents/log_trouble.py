"""What is wrong with a log that takes nothing, in words for people: as an agent and the processes of its runs tell it."""

from __future__ import annotations

from headwater.core.errors import LogFull, LogNotWritable, OutcomeUnknown, RequestTimeout


def log_trouble(error: Exception) -> str:
    """Return what is wrong with the log, as a part of a sentence."""
    match error:
        case LogFull():
            return f"it takes no writes: {error.reason}"
        case LogNotWritable():
            return f"it takes no writes: {error.problem}"
        case OutcomeUnknown():
            return error.log_problem or "it does not answer"
        case RequestTimeout():
            return f"it does not answer: {error.reason}"
        case _:
            return str(error).rstrip(".")
