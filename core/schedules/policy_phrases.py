"""A schedule's policies in words, as the command line and pages show them: those that are not the default."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.core.calendar.wording import span
from headwater.core.events import Missed, Overlap, SchedulePolicies
from headwater.core.schedules.describe import utc

_MISSED = {
    Missed.LATEST: "of times that were missed, the newest has a run",
    Missed.ALL: "times that were missed all have runs",
    Missed.NONE: "times that were missed have no runs",
    Missed.MERGE: "one run stands for all times that were missed",
}
_OVERLAP = {
    Overlap.SKIP: "a time has no run while an earlier run has not ended",
    Overlap.QUEUE_ONE: "a run waits until the earlier one has ended; one at most waits",
    Overlap.QUEUE_ALL: "runs wait until those before them have ended",
    Overlap.CANCEL_RUNNING: "an earlier run is cancelled for the next one",
    Overlap.ALLOW: "runs may overlap",
}
_DEFAULTS = SchedulePolicies()


def policy_phrases(policies: SchedulePolicies, *, defaults: bool = False) -> Iterator[str]:
    """Yield what the policies say, a phrase each; with `defaults` also those that say the default."""
    if defaults or policies.missed != _DEFAULTS.missed:
        yield _MISSED[policies.missed]
    if defaults or policies.window_seconds != _DEFAULTS.window_seconds:
        yield f"a missed time older than {span(policies.window_seconds)} has no run"
    if defaults or policies.overlap != _DEFAULTS.overlap:
        yield _OVERLAP[policies.overlap]
    if policies.jitter_seconds:
        yield f"runs are due up to {span(policies.jitter_seconds)} later than their times"
    if policies.pause_on_failure is not None:
        number = policies.pause_on_failure
        yield f"it is paused when {'a run fails' if number == 1 else f'{number} runs in a row failed'}"
    if policies.max_runs is not None:
        yield f"it is paused when it has made {policies.max_runs:,} {'run' if policies.max_runs == 1 else 'runs'}"
    if policies.end is not None:
        yield f"no time after {utc(policies.end)} has a run"
