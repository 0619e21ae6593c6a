"""What can have happened to a backfill: runs for times of a schedule that are over, a few at once."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from headwater.core.event import Event
from headwater.core.states import KnownState
from headwater.core.values.limits import Instant, Int32, Name, Uuid


class BackfillChoice(StrEnum):
    """Which times of the span have runs."""

    MISSING = "missing"
    """Those that have none."""
    FAILED = "failed"
    """Those whose last run failed or was cancelled."""
    ALL = "all"


class BackfillTime(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A time that has a run, and what its clock gives that run."""

    nominal: Instant
    clock: str = ""
    parameters: dict[str, Any] = {}
    labels: tuple[str, ...] | None = None


class BackfillRequested(Event, tag="backfill.requested", frozen=True, kw_only=True):
    """These times of the schedule are to have runs, in this order, at most `limit` of them unfinished at once."""

    backfill_id: Uuid
    schedule_id: Uuid
    flow_group_id: Uuid
    project_id: Uuid
    name: Name
    since: Instant
    until: Instant
    choice: BackfillChoice
    times: tuple[BackfillTime, ...]
    limit: Int32 = 1
    parameters: dict[str, Any] = {}
    """Values for all its runs, before those of the clocks."""


class BackfillRunsStarted(Event, tag="backfill.runs_started", frozen=True):
    """The first `count` of the times have runs, or are about to: their ids follow from the times."""

    count: Int32


class BackfillRunEnded(Event, tag="backfill.run_ended", frozen=True):
    """A run of the backfill has ended so. `detail` says why none could be made, where that is so."""

    run_id: Uuid
    state: KnownState
    detail: str = ""


class BackfillCancelRequested(Event, tag="backfill.cancel_requested", frozen=True):
    """No more times have runs, and those that are unfinished are cancelled."""

    reason: str = ""


class BackfillEnded(Event, tag="backfill.ended", frozen=True):
    """All that was to be done is done."""

    cancelled: bool = False


BackfillEvent = BackfillRequested | BackfillRunsStarted | BackfillRunEnded | BackfillCancelRequested | BackfillEnded
