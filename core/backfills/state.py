"""A backfill as its events leave it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from headwater.core.errors import NotFound
from headwater.core.events import (
    AnyEvent,
    BackfillCancelRequested,
    BackfillEnded,
    BackfillRequested,
    BackfillRunEnded,
    BackfillRunsStarted,
    BackfillTime,
)
from headwater.core.values.identifiers import derived_id


@dataclass(frozen=True)
class Backfill:
    """A backfill as its events leave it. The first `started` of its times have runs; `ended` maps those that have ended to their states."""

    request: BackfillRequested | None = None
    started: int = 0
    ended: Mapping[str, str] = field(default_factory=dict)
    cancel_requested: BackfillCancelRequested | None = None
    over: bool = False
    cancelled: bool = False
    all_run_ids: tuple[str, ...] = ()
    """The runs of all its times, in their order: worked out once."""

    @property
    def exists(self) -> bool:
        return self.request is not None

    @property
    def requested(self) -> BackfillRequested:
        """What was asked for. Raises NotFound where nothing was."""
        if self.request is None:
            raise NotFound("backfill", "")
        return self.request

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs of the times that have one, in their order."""
        return self.all_run_ids[: self.started]

    @property
    def may_start(self) -> bool:
        """Whether the next time may have its run now: one is left, and the limit is not reached."""
        return self.started < len(self.requested.times) and self.started - len(self.ended) < self.requested.limit

    @property
    def unfinished(self) -> list[str]:
        """The runs that have not ended, as far as it is recorded."""
        return [run_id for run_id in self.run_ids if run_id not in self.ended]


def backfill_run_id(request: BackfillRequested, time: BackfillTime) -> str:
    """Return the id of the run of this time: all servers that make it make the same one."""
    return derived_id("backfill run", request.backfill_id, time.clock, time.nominal.isoformat())


def evolve(backfill: Backfill, event: AnyEvent) -> Backfill:
    match event:
        case BackfillRequested():
            return Backfill(event, all_run_ids=tuple(backfill_run_id(event, time) for time in event.times))
        case BackfillRunsStarted():
            return dataclasses.replace(backfill, started=event.count)
        case BackfillRunEnded():
            return dataclasses.replace(backfill, ended={**backfill.ended, event.run_id: event.state})
        case BackfillCancelRequested():
            return dataclasses.replace(backfill, cancel_requested=event)
        case BackfillEnded():
            return dataclasses.replace(backfill, over=True, cancelled=event.cancelled)
        case _:
            return backfill
