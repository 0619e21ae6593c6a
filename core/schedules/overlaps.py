"""Whether a time may have a run while earlier runs of the schedule have not ended. Runs of other clocks are no matter of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headwater.core.events import OpenRun, Overlap
from headwater.core.schedules.commands import RunStanding

OPEN_RUNS_MAX = 200
"""So many unfinished runs of a schedule are kept in mind, and may wait for one another; a time that comes then has no run."""
_ENDED = frozenset({RunStanding.SUCCEEDED, RunStanding.FAILED, RunStanding.CANCELLED})


@dataclass(frozen=True)
class Fire:
    """It has a run, which waits until `after_run_id` has ended, and for which the runs in `cancels` are cancelled."""

    after_run_id: str | None = None
    cancels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skip:
    """It has none, because of this run."""

    run_id: str


def still_open(runs: tuple[OpenRun, ...], standing: Mapping[str, RunStanding]) -> tuple[OpenRun, ...]:
    """Return the runs that have not ended. One of which nothing is known is about to be created."""
    return tuple(run for run in runs if standing.get(run.run_id) not in _ENDED)


def resolve_overlap(
    overlap: Overlap, clock: str, open_runs: tuple[OpenRun, ...], standing: Mapping[str, RunStanding], *, catches_up: bool = False
) -> Fire | Skip:
    """Return what becomes of a time of this clock.

    A run that is scheduled for later is not in its way: only those are that are due, submitted, running or paused. `catches_up`: the time
    is one of several that were missed and that shall all have runs, which then follow one another.
    """
    of_clock = [run for run in open_runs if run.clock == clock]
    in_the_way = [run for run in of_clock if standing.get(run.run_id) is not RunStanding.WAITS_FOR_ITS_TIME]
    if not in_the_way or overlap is Overlap.ALLOW:
        return Fire()
    last = in_the_way[-1].run_id
    if len(open_runs) >= OPEN_RUNS_MAX:
        return Skip(last)
    if catches_up:
        return Fire(after_run_id=last)
    match overlap:
        case Overlap.SKIP:
            return Skip(last)
        case Overlap.QUEUE_ONE:
            waiting = next((run.run_id for run in in_the_way[1:] if run.waits), None)
            return Fire(after_run_id=last) if waiting is None else Skip(waiting)
        case Overlap.QUEUE_ALL:
            return Fire(after_run_id=last)
        case Overlap.CANCEL_RUNNING:
            return Fire(after_run_id=last, cancels=tuple(run.run_id for run in in_the_way))
