"""The end of an attempt: what demands it, how long the next attempt waits, and how its length is written."""

from __future__ import annotations

from datetime import timedelta

from headwater.core.events import RunAttemptLost, RunCancelRequested, RunSubmitted
from headwater.core.log.protocol import Recorded
from headwater.core.log.undecoded import may_hold

CRASH_PAUSE_SECONDS_MAX = 60
_may_end = may_hold(RunCancelRequested, RunAttemptLost, RunSubmitted)


def ends_attempt(recorded: Recorded, attempt: int) -> bool:
    """Tell whether this commit means that the attempt's process is to be stopped: a cancel, or a loss recorded by another program."""
    # Most commits are what the process itself recorded of its tasks; those need not be decoded.
    if not _may_end(recorded.data):
        return False
    for event in recorded.events:
        match event:
            case RunCancelRequested():
                return True
            case RunAttemptLost(attempt=lost) if lost >= attempt:
                return True
            case RunSubmitted(attempt=newer) if newer > attempt:
                return True
    return False


def crash_pause(attempts_lost: int) -> timedelta:
    """Return how long the next attempt waits after a crash, so many attempts having been lost before: 1 s, 2 s, 4 s, at most a minute."""
    return timedelta(seconds=min(CRASH_PAUSE_SECONDS_MAX, 2**attempts_lost))


def duration(seconds: float) -> str:
    """Return a duration for people: `0.4 s`, `12 s`, `3:05:10`."""
    if seconds < 10:  # noqa: PLR2004 - tenths tell something below it
        return f"{seconds:.1f} s"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.0f} s"
    return str(timedelta(seconds=round(seconds)))
