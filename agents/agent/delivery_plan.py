"""What an agent does with a wake-up: a pure function of what the log says of the run.

A wake-up is a hint, never a verdict. It may come twice, late, for a run that an agent holds, or for one that has ended.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from headwater.core.log.commit import Commit
from headwater.core.runs.state import Run
from headwater.core.states import StateName

EARLY = timedelta(seconds=1)
"""A run that is due later than this from now is not taken yet: timers fire a little early at most."""

_WAITING = frozenset({StateName.RETRYING, StateName.PAUSED})


@dataclass(frozen=True)
class Discard:
    """The wake-up means nothing any more, and never will: it is done with."""

    why: str


@dataclass(frozen=True)
class Claim:
    """No agent holds the run and it is due: try to claim it."""


@dataclass(frozen=True)
class Reschedule:
    """The run is not due yet: have it offered again when it is, by the log's clock, and be done with this wake-up."""

    due: datetime


@dataclass(frozen=True)
class AlreadyHeld:
    """We have the run in hand ourselves: this is another copy of the item it lives on."""


@dataclass(frozen=True)
class ProbeHolder:
    """Another agent holds the run, or held it: ask whether it does."""

    agent_id: str
    attempt: int


@dataclass(frozen=True)
class ReportOwnLost:
    """The log says that we hold the run, and we do not: the attempt is lost."""

    attempt: int


@dataclass(frozen=True)
class RetryLater:
    """The wake-up is newer than what was read of the run: a replica lags. Give it back for a moment."""


def time_now(own: datetime, offered_at: datetime, creation: Commit | None) -> datetime:
    """Return what time it is at least: by our clock, by the log's when it offered the item, by the creator's when it created the run.

    The log's word that a run is due counts, and so does the wish of the user who wanted it at once; whichever clock is behind the others.
    """
    return max(own, offered_at, *([] if creation is None else [creation.at]))


Plan = Discard | Claim | Reschedule | AlreadyHeld | ProbeHolder | ReportOwnLost | RetryLater


def plan_delivery(
    run: Run | None, generation: int, *, agent_id: str, holds: Collection[int], now: datetime, own: datetime | None = None
) -> Plan:
    """Return what to do with a wake-up of this generation.

    `run` is None where the run neither exists nor can be made from the wake-up. `holds` are the attempts of this run that this agent
    holds (or is about to). `now` is the time as `time_now` returns it, `own` what this machine's clock says; None: the same.
    """
    if run is None or not run.exists:
        return Discard("there is no such run")
    if generation > run.generation:
        return RetryLater()  # before all else: what looks ended may have been restarted
    if run.ended:
        return Discard(f"the run is {run.state}")
    if generation < run.generation:
        return Discard(f"the run was rescheduled (schedule {run.generation}, this was {generation})")
    if run.held:
        if run.agent_id != agent_id:
            return ProbeHolder(run.agent_id, run.attempt)
        return AlreadyHeld() if run.attempt in holds else ReportOwnLost(run.attempt)
    if not run.waits:
        return Discard(f"the run is {run.state}")
    if holds:
        return AlreadyHeld()  # our claim of it is under way, or our lost attempt is being ended
    if run.due_at is not None and not _has_begun(run.due_at, now):
        return Reschedule(run.due_at)
    if run.due_at is not None and own is not None and not _has_begun(run.due_at, own) and waits_for_task(run):
        # Its process would go by this machine's clock, find that nothing is due, and leave again at once.
        return Reschedule(run.due_at + (now - own))
    return Claim()


def waits_for_task(run: Run) -> bool:
    """Tell whether the run's start is that of a task run's retry, or the end of its pause: then that is why it waits."""
    return any(found.due_at == run.due_at for found in run.task_runs.values() if found.state in _WAITING)


def _has_begun(start: datetime, now: datetime) -> bool:
    return start <= now + EARLY
