"""What an agent does with a wake-up: a pure function of what the log says of the run.

A wake-up is a hint, never a verdict. It may come twice, late, for a run that somebody holds, or for one that has ended.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from headwater.core.commit import Commit
from headwater.core.rules.run import Run
from headwater.core.states import StateName

EARLY = timedelta(seconds=1)
"""A run that is due later than this from now is not taken yet: timers fire a little early at most."""


@dataclass(frozen=True)
class Drop:
    """The wake-up means nothing any more, and never will: it is done with."""

    why: str


@dataclass(frozen=True)
class Claim:
    """Nobody holds the run and it is due: try to make it ours."""


@dataclass(frozen=True)
class Rearm:
    """The run is not due yet: set its timer, and be done with this wake-up."""

    due: datetime


@dataclass(frozen=True)
class Keep:
    """We have the run in hand ourselves: this is another copy of the item it lives on."""


@dataclass(frozen=True)
class Ask:
    """Another agent holds the run, or held it: ask whether it does."""

    agent_id: str
    attempt: int


@dataclass(frozen=True)
class LoseOwn:
    """The log says that we hold the run, and we do not: the attempt is lost."""

    attempt: int


@dataclass(frozen=True)
class LookAgain:
    """The wake-up is newer than what was read of the run: a replica lags. Give it back for a moment."""


def told_time(own: datetime, offered_at: datetime, creation: Commit | None) -> datetime:
    """Return what time it is at least: by our clock, by the log's when it offered the item, by the creator's when it created the run.

    The log's word that a run is due counts, and so does the wish of whoever wanted it at once; whichever clock is behind the others.
    """
    return max(own, offered_at, *([] if creation is None else [creation.at]))


Action = Drop | Claim | Rearm | Keep | Ask | LoseOwn | LookAgain


def action_for(run: Run | None, generation: int, *, agent_id: str, holds: Collection[int], now: datetime) -> Action:
    """Return what to do with a wake-up of this generation.

    `run` is None where the run neither exists nor can be made from the wake-up. `holds` are the attempts of this run that this agent
    holds (or is about to). `now` is the time as `told_time` returns it.
    """
    if run is None or run.created is None:
        return Drop("there is no such run")
    if generation > run.generation:
        return LookAgain()  # before all else: what looks ended may have been restarted
    if run.ended:
        return Drop(f"the run is {run.state}")
    if generation < run.generation:
        return Drop(f"the run was rescheduled (schedule {run.generation}, this was {generation})")
    if run.held:
        if run.agent_id != agent_id:
            return Ask(run.agent_id, run.attempt)
        return Keep() if run.attempt in holds else LoseOwn(run.attempt)
    if run.state is not StateName.SCHEDULED:
        return Drop(f"the run is {run.state}")
    if holds:
        return Keep()  # our claim of it is under way, or our lost attempt is being ended
    if run.start_time is not None and run.start_time > now + EARLY:
        return Rearm(run.start_time)
    return Claim()
