"""What happened to a backfill, in words."""

from __future__ import annotations

from headwater.core import events as e
from headwater.core.events import AnyEvent
from headwater.core.values.phrases import because, shorten


def describe(event: AnyEvent) -> str | None:
    """Return what the event says, for people; None where it is none of these."""
    match event:
        case e.BackfillRequested():
            times = "1 time is" if len(event.times) == 1 else f"{len(event.times):,} times are"
            return f"backfill {event.name!r} was requested: {times} to have runs, at most {event.limit} at once"
        case e.BackfillRunsStarted():
            return f"the first {event.count} of the times have runs" if event.count > 1 else "the first time has a run"
        case e.BackfillRunEnded():
            return f"run {event.run_id} ended: {event.state}{because(shorten(event.detail))}"
        case e.BackfillCancelRequested():
            return f"the backfill was asked to end{because(shorten(event.reason))}"
        case e.BackfillEnded():
            return "the backfill was cancelled" if event.cancelled else "the backfill ended: each of its times has a run that has ended"
    return None
